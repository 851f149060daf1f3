"""The forms of a peer review from the visit on."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.accountability.models import (
    ImprovementChampion,
    ReviewAction,
    ReviewEvidence,
    ReviewFinding,
)
from brightspots_web.accountability.visit_actions import LONGEST, Found, Saw
from brightspots_web.accountability.visit_after_actions import Outcome, Step, Workshop
from brightspots_web.directory import queries as directory
from brightspots_web.shared.forms import day_field, offer
from brightspots_web.shared.words import day


def _long(name: str, label: Any, hint: Any, rows: int = 3, **more: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(
        label=label, max_length=LONGEST[name], widget=widget, help_text=hint, **more
    )


class WaryForm(forms.Form):
    """Asks whether a pupil is named once the words look as if one were; knows what was seen."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    names_no_pupil = forms.BooleanField(
        label=_("I looked again: no pupil is named"), required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["names_no_pupil"] = self.fields.pop("names_no_pupil")  # after the words
        if self.is_bound and self.data.get("names_no_pupil"):
            self.ask_to_look_again()

    def ask_to_look_again(self) -> None:
        self.fields["names_no_pupil"].widget = forms.CheckboxInput()


class EvidenceForm(WaryForm):
    """What one peer saw, written down with a thumb between two lessons."""

    client_key = forms.CharField(widget=forms.HiddenInput, required=False)
    kind = forms.ChoiceField(
        label=_("Where you saw it"),
        widget=forms.RadioSelect,
        choices=ReviewEvidence.Kind.choices,
    )
    words = _long(
        "words",
        _("What you saw or heard"),
        _("What happened, not what you think of it. Name no pupils and no teachers."),
        4,
    )
    strength = forms.ChoiceField(
        label=_("It speaks of"),
        widget=forms.RadioSelect,
        choices=[("yes", _("something that works well")), ("no", _("something to work on"))],
    )
    on = day_field(_("On which day"))

    def __init__(self, *args: Any, days: Sequence[Any], **kwargs: Any) -> None:
        initial = {"client_key": str(uuid4())} | (kwargs.pop("initial", None) or {})
        super().__init__(*args, initial=initial, **kwargs)
        first, last = days
        today = directory.today()
        self.day = min(max(today, first), last)
        if first == last:
            del self.fields["on"]
        else:
            self.fields["on"].initial = self.day

    def clean_client_key(self) -> UUID:
        try:
            return UUID(self.cleaned_data["client_key"])
        except ValueError:
            return uuid4()

    def saw(self) -> Saw:
        data = self.cleaned_data
        on = data.get("on") or self.day
        return Saw(data["kind"], data["words"], data["strength"] == "yes", on)


class FindingForm(WaryForm):
    """One finding of the team."""

    seen_at = forms.CharField(widget=forms.HiddenInput, required=False)
    kind = forms.ChoiceField(
        label=_("It is"), widget=forms.RadioSelect, choices=ReviewFinding.Kind.choices
    )
    words = _long(
        "words",
        _("What you found"),
        _("One thing, in words the school can use on Monday. No grades, nobody by name."),
        4,
    )
    rests_on = _long(
        "rests_on",
        _("What it rests on"),
        _("How many lessons, books, talks: a sentence."),
        2,
        required=False,
    )

    def given(self) -> Found:
        data = self.cleaned_data
        return Found(data["kind"], data["words"], data["rests_on"])


class AnswerForm(WaryForm):
    """How the host sees a finding."""

    seen_at = forms.CharField(widget=forms.HiddenInput, required=False)
    agrees = forms.ChoiceField(
        label=_("How do you see it?"),
        widget=forms.RadioSelect,
        choices=[("yes", _("We agree")), ("no", _("We see it differently"))],
    )
    host_words = _long(
        "host_words",
        _("In your own words"),
        _("They stand beside the finding. Needed where you see it differently."),
        2,
        required=False,
    )


class AgreeForm(WaryForm):
    check_back_on = day_field(
        _("The day to check back"),
        _("Two weeks from now at the earliest; most choose three to six months."),
        required=False,
    )


class ReplyForm(WaryForm):
    reply = _long(
        "reply",
        _("What you say to the findings as a whole"),
        _("What helps you, what surprised you, what you will not do and why."),
        5,
    )


class ExcellenceForm(WaryForm):
    excellence = _long(
        "excellence",
        _("What others could learn from this school"),
        _("One thing, as you saw it. The school may write it up for the practice library."),
        4,
    )


class StepForm(WaryForm):
    """What the host does, who, until when."""

    what = forms.CharField(
        label=_("What you do"),
        max_length=LONGEST["what"],
        help_text=_("Small enough to begin on Monday."),
    )
    owner = forms.CharField(
        label=_("Who sees to it"),
        max_length=LONGEST["owner"],
        help_text=_("One person, by name or task."),
    )
    due = day_field(_("Until when"))

    def step(self) -> Step | None:
        """The step; None where nothing of it was filled in."""
        data = self.cleaned_data
        if not data.get("what") and not data.get("owner") and not data.get("due"):
            return None
        return Step(data["what"], data["owner"], data["due"])


class WorkshopForm(StepForm):
    """The workshop, and the first step that came of it."""

    on = day_field(_("When you sat together"), initial=directory.today)
    notes = _long(
        "notes",
        _("What you talked about"),
        _("What you chose out of the findings, and why this first."),
        5,
    )
    champion = forms.ChoiceField(
        label=_("An improvement champion who was there"),
        required=False,
        help_text=_("They are named in the notes."),
    )
    field_order = ("on", "notes", "champion", "what", "owner", "due")

    def __init__(
        self,
        *args: Any,
        champions: Sequence[ImprovementChampion],
        has_step: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.champions = {str(each.pk): each for each in champions}
        named = [(key, f"{e.person}, {e.school.name}") for key, e in self.champions.items()]
        offer(self, "champion", [("", _now("nobody")), *named])
        if not named:
            del self.fields["champion"]
        if has_step:
            for name in ("what", "owner", "due"):
                del self.fields[name]

    def workshop(self) -> Workshop:
        data = self.cleaned_data
        return Workshop(data["on"], data["notes"], self.champions.get(data.get("champion", "")))


class DoneForm(WaryForm):
    """A step is done."""

    outcome = _long("outcome", _("What came of it"), _("What is different now, or not."), 3)
    on = day_field(_("Done on"), initial=directory.today)


class CheckBackForm(WaryForm):
    """What is found when it is looked at again, and what became of each step."""

    on = day_field(_("When you looked"), initial=directory.today)
    found = _long(
        "found",
        _("What you found"),
        _("What is different since the visit, what is not, what comes next."),
        5,
    )

    def __init__(self, *args: Any, actions: Iterable[ReviewAction], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open = [each for each in actions if each.done_on is None]
        for each in self.open:
            self.fields[f"words_{each.pk}"] = forms.CharField(
                label=each.what,
                max_length=LONGEST["outcome"],
                widget=forms.Textarea(attrs={"rows": 2}),
                help_text=_now("{who}, until {day}. What became of it, done or not?").format(
                    who=each.owner_name, day=day(each.due)
                ),
            )
            self.fields[f"done_{each.pk}"] = forms.BooleanField(
                label=_now("It is done"), required=False
            )
        self.fields["names_no_pupil"] = self.fields.pop("names_no_pupil")

    def outcomes(self) -> dict[int, Outcome]:
        data = self.cleaned_data
        return {
            each.pk: Outcome(data[f"done_{each.pk}"], data[f"words_{each.pk}"])
            for each in self.open
        }
