"""The forms of scoring: the own score, peers, what became of it, a conflict, the rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from brightspots_web.accountability.ceremony_actions import LIMITS, LONGEST
from brightspots_web.accountability.ceremony_outcome_actions import LONGEST_WORDS
from brightspots_web.accountability.pledge_forms import NamesForm
from brightspots_web.accountability.pledge_models import Pledge, PledgeScore, PledgeSettings
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared.charts import number
from brightspots_web.shared.forms import long_text


class ScoreForm(NamesForm):
    """A score with its reason, by the school itself or by a peer."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    score = forms.IntegerField(label=_("How far was it kept?"))
    reason = long_text(
        _("Why so"),
        _("What you saw that speaks for it and what against. Name no pupils."),
        LONGEST["reason"],
        5,
    )

    def __init__(self, *args: Any, highest: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["score"]
        given = {"min": 0, "max": highest, "step": 1, "inputmode": "numeric"}
        field.widget = forms.NumberInput(attrs=given)
        field.help_text = gettext(
            "A whole number from 0 (nothing came of it) to {highest} (kept as promised)."
        ).format(highest=number(highest, 0))
        wrong = gettext("Give a whole number from 0 to {highest}.")
        field.error_messages["invalid"] = wrong.format(highest=number(highest, 0))


class PeersForm(forms.Form):
    """As many heads or leaders of other schools as there are places."""

    NAMES = ("first", "second", "third", "fourth")

    def __init__(
        self, *args: Any, people: Sequence[Appointment], places: int, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.people: Mapping[str, Person] = {str(each.person_id): each.person for each in people}
        named = [
            (str(each.person_id), f"{each.school.name if each.school else ''}: {each.person}")
            for each in people
        ]
        for at, name in enumerate(self.NAMES[: max(min(places, len(people)), 1)]):
            label = _("Ask as a peer") if at == 0 else _("And another")
            empty = _("choose") if at == 0 else _("nobody else")
            self.fields[name] = forms.ChoiceField(
                label=label, required=at == 0, choices=[("", empty), *named]
            )

    def chosen(self) -> list[Person]:
        keys = (self.cleaned_data.get(name, "") for name in self.NAMES)
        return [self.people[key] for key in keys if key]


class CannotForm(forms.Form):
    why = long_text(
        _("Why you cannot"),
        _("A conflict of interest, illness, no time: the school then asks another."),
        LONGEST["why"],
        2,
    )


class OutcomeForm(NamesForm):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    outcome = forms.ChoiceField(
        label=_("What became of it"), widget=forms.RadioSelect, choices=Pledge.Outcome.choices
    )
    words = long_text(
        _("In your words"),
        _("What came of it, what did not, and why. Everybody reads it who reads the promise."),
        LONGEST_WORDS,
    )

    def __init__(self, *args: Any, next_cycle: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["outcome"].help_text = (
            gettext("Carried over, it becomes a draft in {cycle}; you promise it anew or not.")
            .format(cycle=next_cycle)
            if next_cycle
            else gettext("It can be carried over once the ministry has set the next cycle.")
        )  # fmt: skip


class WeighForm(forms.Form):
    """A score set aside for a conflict of interest, or counting again."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    score = forms.ChoiceField(label=_("Whose score"))
    why = long_text(
        _("Why"),
        _("What the conflict of interest is, or why there is none. Everybody reads it."),
        LONGEST["why"],
        3,
    )

    def __init__(self, *args: Any, scores: Sequence[PledgeScore], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scores = {str(each.pk): each for each in scores}
        choices = [("", _("choose")), *((key, _choice(each)) for key, each in self.scores.items())]
        field = self.fields["score"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def chosen(self) -> PledgeScore:
        return self.scores[self.cleaned_data["score"]]


def _choice(each: PledgeScore) -> str:
    if each.state == PledgeScore.State.ASIDE:
        return gettext("Let it count again: {who}").format(who=each.name)
    return gettext("Set it aside: {who}").format(who=each.name)


def _number(name: str, label: Any, hint: Any = "") -> forms.IntegerField:
    low, high = LIMITS[name]
    return forms.IntegerField(label=label, help_text=hint, min_value=low, max_value=high)


class SettingsForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    highest_score = _number("highest_score", _("Scores go from 0 to"))
    own_weight = _number(
        "own_weight",
        _("Of 100, promises for the own school weigh"),
        _(
            "The rest is for promises to other schools. It says what the system holds dear; no "
            "scores are added up with it."
        ),
    )
    verifiers = _number(
        "verifiers",
        _("So many peers from other schools verify a promise"),
        _("Two see more than one."),
    )
    check_in_days = _number(
        "check_in_days",
        _("After so many days without a check-in a school is kindly asked for one"),
    )

    def __init__(self, *args: Any, fixed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if fixed:
            scale = self.fields["highest_score"]
            scale.widget.attrs["readonly"] = True
            scale.help_text = gettext(
                "Promises are scored on this scale already: it stays, so that scores can be read "
                "side by side."
            )

    @classmethod
    def of(cls, found: PledgeSettings, *, fixed: bool) -> "SettingsForm":
        initial = {name: getattr(found, name) for name in LIMITS}
        return cls(initial=initial | {"seen": found.version}, fixed=fixed)

    def given(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] for name in LIMITS}
