"""The forms of dialogues and promises."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.accountability.dialogue_actions import MOST_SEATS, Plan
from brightspots_web.accountability.dialogue_commitment_actions import Promise
from brightspots_web.accountability.dialogue_queries import Search
from brightspots_web.accountability.models import Consultation, DialogueGuest, Suggestion
from brightspots_web.directory.models import Area, Person
from brightspots_web.shared.forms import day_field, long_text

PUBLIC = _("Everybody of the area reads it. Name no pupils, and nobody who said something.")


class _OfferForm(forms.Form):
    """Choices of rows: the cleaned value is a key, `picked` the row."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def offer(self, name: str, rows: Sequence[Any], empty: Any = None, prefix: str = "") -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        first = [("", empty)] if empty is not None else []
        field.choices = [*first, *((f"{prefix}{each.pk}", str(each)) for each in rows)]
        self._rows = {**getattr(self, "_rows", {}), name: {str(each.pk): each for each in rows}}

    def picked(self, name: str) -> Any:
        return self._rows[name].get(self.cleaned_data.get(name, ""))


class WaryForm(_OfferForm):
    names_no_pupil = forms.BooleanField(
        label=_("I looked again: no pupil is named"), required=False, widget=forms.HiddenInput
    )

    def ask_to_look_again(self) -> None:
        self.fields["names_no_pupil"].widget = forms.CheckboxInput()


class PlanForm(_OfferForm):
    """A dialogue: called with an area and seats, changed without."""

    title = forms.CharField(label=_("What it is about"), max_length=160)
    area = forms.ChoiceField(label=_("Whose teachers and heads"))
    consultation = forms.ChoiceField(
        label=_("It follows a consultation"), required=False,
        help_text=_("Its results then stand beside the agenda."),
    )  # fmt: skip
    stakeholder = forms.ChoiceField(
        label=_("Who answers there"), help_text=_("Somebody who can decide.")
    )
    on = day_field(_("Day"))
    begins = forms.TimeField(label=_("Begins at"), widget=forms.TimeInput(attrs={"type": "time"}))
    place = forms.CharField(label=_("Place"), max_length=200)
    seats = forms.IntegerField(
        label=_("How many to ask"), min_value=2, max_value=MOST_SEATS, initial=12,
        help_text=_("Teachers and heads are drawn by lot, evenly over areas and roles."),
    )  # fmt: skip

    def __init__(
        self,
        *args: Any,
        areas: Sequence[Area],
        consultations: Sequence[Consultation],
        seniors: Sequence[Person],
        calling: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.offer("area", areas)
        self.offer("consultation", consultations, _("no, it stands alone"))
        self.offer("stakeholder", seniors, "")
        if not calling:
            del self.fields["area"], self.fields["seats"]

    def plan(self) -> Plan:
        given = self.cleaned_data
        return Plan(
            given["title"], given["on"], given["begins"], given["place"],
            self.picked("stakeholder"), self.picked("consultation"),
        )  # fmt: skip


class DrawForm(forms.Form):
    seats = forms.IntegerField(label=_("How many more"), min_value=1, max_value=MOST_SEATS)


class PointForm(WaryForm):
    """A point of the agenda."""

    voice = forms.ChoiceField(label=_("From the voices"), required=False)
    words = forms.CharField(label=_("The point, in own words"), max_length=300, help_text=PUBLIC)

    def __init__(
        self,
        *args: Any,
        consultations: Sequence[Consultation],
        suggestions: Sequence[Suggestion],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.consultations = {f"c{each.pk}": each for each in consultations}
        self.suggestions = {f"s{each.pk}": each for each in suggestions}
        field = self.fields["voice"]
        assert isinstance(field, forms.ChoiceField)
        choices: list[Any] = [("", _("none of them"))]
        if consultations:
            asked = [(key, each.title) for key, each in self.consultations.items()]
            choices.append((_("Consultations"), asked))
        if suggestions:
            said = [(key, f"{each.words[:80]}…") for key, each in self.suggestions.items()]
            choices.append((_("Suggestions"), said))
        field.choices = choices
        if len(choices) == 1:
            del self.fields["voice"]

    def origin(self) -> dict[str, Any]:
        key = self.cleaned_data.get("voice", "")
        return {
            "consultation": self.consultations.get(key),
            "suggestion": self.suggestions.get(key),
        }


class MinutesForm(WaryForm):
    minutes = long_text(_("What was said"), PUBLIC, 4000, 10)
    there = forms.MultipleChoiceField(
        label=_("Who was there"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, guests: Sequence[DialogueGuest], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["there"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(str(each.pk), each.name) for each in guests]
        if not guests:
            del self.fields["there"]

    def who(self) -> list[int]:
        return [int(key) for key in self.cleaned_data.get("there", [])]


class WhyForm(_OfferForm):
    why = forms.CharField(label=_("Why"), max_length=500, help_text=PUBLIC)


class PromiseForm(_OfferForm):
    what = forms.CharField(
        label=_("What is promised"), max_length=300,
        help_text=_("So that anybody can see later whether it was done."),
    )  # fmt: skip
    owner = forms.ChoiceField(label=_("Who sees to it"))
    due = day_field(_("By when"))

    def __init__(self, *args: Any, seniors: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("owner", seniors, "")

    def promise(self) -> Promise:
        return Promise(self.cleaned_data["what"], self.picked("owner"), self.cleaned_data["due"])


class ReportForm(_OfferForm):
    words = forms.CharField(
        label=_("How it stands"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=PUBLIC,
    )  # fmt: skip
    moved_to = day_field(
        _("It needs longer, until"), _("Empty where the day holds. The first day stays visible."),
        required=False,
    )  # fmt: skip


class EndForm(_OfferForm):
    kept = forms.ChoiceField(
        label=_("How it ended"), choices=[("yes", _("kept")), ("no", _("not kept"))],
        widget=forms.RadioSelect,
    )  # fmt: skip
    outcome = long_text(_("What was done, or why not"), PUBLIC, 1000)


class OwnerForm(_OfferForm):
    owner = forms.ChoiceField(label=_("New owner"))

    def __init__(self, *args: Any, seniors: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("owner", seniors, "")


class PromiseFilter(forms.Form):
    """What the list of promises is narrowed to; read from the address."""

    q = forms.CharField(label=_("Words or owner"), required=False, max_length=200)
    state = forms.ChoiceField(
        label=_("How it stands"), required=False,
        choices=[
            ("", _("all")), ("open", _("promised")), ("overdue", _("its day has passed")),
            ("kept", _("kept")), ("not_kept", _("not kept, and why")),
        ],
    )  # fmt: skip

    def search(self) -> Search:
        """What the form asks for; what makes no sense is left out."""
        self.is_valid()
        return Search(self.cleaned_data.get("q", ""), self.cleaned_data.get("state", ""))
