"""The forms of promises: writing, witnesses, check-ins, evidence."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from brightspots_web.accountability.pledge_actions import LONGEST, Words
from brightspots_web.accountability.pledge_check_in_actions import LARGEST_FILE, Shown
from brightspots_web.accountability.pledge_models import (
    Pledge,
    PledgeCheckIn,
    PledgeEvidence,
)
from brightspots_web.accountability.pledge_queries import Search
from brightspots_web.alignment.models import PriorityIndicator
from brightspots_web.devolution.models import DataNote
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Cycle, Person, School
from brightspots_web.shared.forms import long_text, offer
from brightspots_web.shared.pupil_names import MayNamePupilError
from brightspots_web.shared.words import day

DAY = {"type": "date"}
Kind = PledgeEvidence.Kind


class NamesForm(forms.Form):
    """Asks whether a pupil is named once the words look as if one were."""

    names_no_pupil = forms.BooleanField(
        label=_("I have looked again: no pupil is named"),
        required=False,
        widget=forms.HiddenInput,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound and self.data.get("names_no_pupil"):
            self.fields["names_no_pupil"].widget = forms.CheckboxInput()

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        if isinstance(error, MayNamePupilError):
            self.fields["names_no_pupil"].widget = forms.CheckboxInput()


class PledgeFilter(forms.Form):
    """What the list is narrowed to; read from the address."""

    cycle = forms.ChoiceField(label=_("Cycle"), required=False)
    state = forms.ChoiceField(label=_("How it stands"), required=False)
    mine = forms.BooleanField(label=_("Mine: my school's, or I stand by it"), required=False)

    def __init__(self, *args: Any, cycles: Sequence[Cycle], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cycles = {str(each.pk): each for each in cycles}
        offer(self, "cycle", [("", _("all")), *((str(each.pk), each.name) for each in cycles)])
        offer(self, "state", [("", _("all")), *Pledge.State.choices])

    def search(self) -> Search:
        """What the form asks for; what makes no sense is left out."""
        self.is_valid()
        asked = self.cleaned_data
        cycle = self.cycles.get(asked.get("cycle", ""))
        return Search(
            cycle=cycle.pk if cycle else None,
            state=asked.get("state", ""),
            mine=asked.get("mine", False),
        )


class PledgeForm(NamesForm):
    """A promise in words and one number."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    cycle = forms.ChoiceField(label=_("In which cycle"))
    other_school = forms.ChoiceField(
        label=_("For the pupils of which school"),
        help_text=_("Another school of your area, in your partnership or not."),
    )
    promise = forms.CharField(
        label=_("What you promise, in one sentence"),
        max_length=LONGEST["promise"],
        help_text=_("As you would say it aloud to the others. Name no pupils."),
    )
    measure = forms.ChoiceField(
        label=_("By what it is measured"),
        help_text=_(
            "Measures of the live priorities. Where a value is published for each school, the "
            "baseline is drawn from it; you type none."
        ),
    )
    target = forms.FloatField(
        label=_("The target"),
        widget=forms.NumberInput(attrs={"step": "any"}),
        help_text=_(
            "In the unit of the measure. For published results: points above (+) or below (−) "
            "what schools in similar circumstances reach."
        ),
    )
    due = forms.DateField(label=_("By when"), widget=forms.DateInput(attrs=DAY))
    will_do = long_text(
        _("What we will do"),
        _("Who does what, how often: so that a witness can come and see it."),
        LONGEST["will_do"],
        5,
    )
    needs = long_text(
        _("What help we need"),
        _("What the others could do or lend so that you keep it."),
        LONGEST["needs"],
        3,
        required=False,
    )
    audience = forms.ChoiceField(
        label=_("Who reads it"),
        widget=forms.RadioSelect,
        choices=Pledge.Audience.choices,
        initial=Pledge.Audience.PARTNERSHIP,
        help_text=_(
            "Your partnership always does. Wider, others see the published value of your school "
            "that the promise begins from."
        ),
    )
    field_order = (
        "seen", "cycle", "other_school", "promise", "measure", "target", "due", "will_do", "needs",
        "audience", "names_no_pupil",
    )  # fmt: skip

    def __init__(
        self,
        *args: Any,
        half: str,
        cycles: Sequence[Cycle],
        measures: Sequence[PriorityIndicator],
        schools: Sequence[School],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.half = half
        self.cycles = {str(each.pk): each for each in cycles}
        self.measures = {str(each.pk): each for each in measures}
        self.schools = {each.code: each for each in schools}
        offer(self, "cycle", [(key, each.name) for key, each in self.cycles.items()])
        if len(cycles) <= 1:
            del self.fields["cycle"]
        by_title: dict[str, list[tuple[str, str]]] = {}
        for key, each in self.measures.items():
            unit = f" ({each.indicator.unit})" if each.indicator.unit else ""
            named = by_title.setdefault(each.priority.title, [])
            named.append((key, f"{each.indicator.name}{unit}"))
        offer(self, "measure", [("", _("choose")), *by_title.items()])
        if half == Pledge.Half.OTHER:
            named_schools = ((code, each.name) for code, each in self.schools.items())
            offer(self, "other_school", [("", _("choose")), *named_schools])
        else:
            del self.fields["other_school"]

    def chosen_cycle(self) -> Cycle:
        key = self.cleaned_data.get("cycle") or next(iter(self.cycles), "")
        return self.cycles[key]

    def words(self) -> Words:
        data = self.cleaned_data
        measure = self.measures[data["measure"]]
        return Words(
            half=self.half,
            priority=measure.priority,
            indicator=measure.indicator,
            target=data["target"],
            due=data["due"],
            promise=data["promise"],
            will_do=data["will_do"],
            needs=data["needs"],
            other_school=self.schools.get(data.get("other_school", "")),
            audience=data["audience"],
            names_no_pupil=data["names_no_pupil"],
        )


def as_it_stands(pledge: Pledge, measures: Sequence[PriorityIndicator]) -> dict[str, Any]:
    """The values of a draft, for its form."""
    measure = next(
        (
            each.pk
            for each in measures
            if (each.priority_id, each.indicator_id) == (pledge.priority_id, pledge.indicator_id)
        ),
        "",
    )
    return {
        "seen": pledge.version,
        "other_school": pledge.other_school.code if pledge.other_school else "",
        "promise": pledge.promise,
        "measure": str(measure),
        "target": pledge.target,
        "due": pledge.due.isoformat(),
        "will_do": pledge.will_do,
        "needs": pledge.needs,
        "audience": pledge.audience,
    }


class WhyForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    why = long_text(
        _("Why it is withdrawn"),
        _("Everybody reads it who read the promise. Its page stays."),
        500,
        3,
    )


class AudienceForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    audience = forms.ChoiceField(
        label=_("Who reads it"), widget=forms.RadioSelect, choices=Pledge.Audience.choices
    )


class WitnessForm(forms.Form):
    """One or two heads or leaders of other schools."""

    first = forms.ChoiceField(label=_("Ask as a witness"))
    second = forms.ChoiceField(label=_("And a second"), required=False)

    def __init__(self, *args: Any, people: Sequence[Appointment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people: Mapping[str, Person] = {str(each.person_id): each.person for each in people}
        named = [
            (str(each.person_id), f"{each.school.name if each.school else ''}: {each.person}")
            for each in people
        ]
        offer(self, "first", [("", _("choose")), *named])
        offer(self, "second", [("", _("nobody else")), *named])

    def chosen(self) -> list[Person]:
        keys = (self.cleaned_data[name] for name in ("first", "second"))
        return [self.people[key] for key in keys if key]


class AnswerForm(forms.Form):
    accepts = forms.ChoiceField(
        label=_("Do you stand by this promise?"),
        widget=forms.RadioSelect,
        choices=[("yes", _("I stand by it")), ("no", _("I do not"))],
    )
    words = long_text(
        _("In a few words"),
        _("What you will do as a witness; or why not. Everybody reads it who reads the promise."),
        300,
        2,
        required=False,
    )


class CheckInForm(NamesForm):
    client_key = forms.CharField(widget=forms.HiddenInput, required=False)
    going = forms.ChoiceField(
        label=_("How does it go?"),
        widget=forms.RadioSelect,
        choices=PledgeCheckIn.Going.choices,
    )
    words = long_text(_("In a few words"), _("What you did and saw. Name no pupils."), 1000, 3)
    on = forms.DateField(
        label=_("On which day"), widget=forms.DateInput(attrs=DAY), initial=directory.today
    )
    field_order = ("client_key", "going", "words", "on", "names_no_pupil")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        initial = {"client_key": str(uuid4())} | (kwargs.pop("initial", None) or {})
        super().__init__(*args, initial=initial, **kwargs)

    def clean_client_key(self) -> UUID:
        try:
            return UUID(self.cleaned_data["client_key"])
        except ValueError:
            return uuid4()


class EvidenceForm(NamesForm):
    """Something seen: in words, on a visit, in a file, in a small data note."""

    kind = forms.ChoiceField(label=_("What is it?"), widget=forms.RadioSelect)
    words = long_text(
        _("What it shows"),
        _("What you saw and where, good or not. Name no pupils."),
        1000,
    )
    on = forms.DateField(
        label=_("On which day"), widget=forms.DateInput(attrs=DAY), initial=directory.today
    )
    file = forms.FileField(
        label=_("The file, if it is one"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,image/jpeg,image/png,image/webp"}),
        help_text=_(
            "A PDF or a picture of at most 5 MB. No faces and no names of children; a picture is "
            "drawn anew, without what it says of place and camera."
        ),
    )
    note = forms.ChoiceField(
        label=_("The small data note, if it is one"),
        required=False,
        help_text=_("Notes that your school has shared with the partnership."),
    )
    field_order = ("kind", "words", "on", "file", "note", "names_no_pupil")

    def __init__(self, *args: Any, notes: Sequence[DataNote], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.notes = {str(each.pk): each for each in notes}
        offered = [Kind.WORDS, Kind.VISIT, Kind.FILE, *([Kind.NOTE] if notes else [])]
        offer(self, "kind", [(each.value, each.label) for each in offered])
        if notes:
            named = (
                (key, f"{day(each.on)}: {each.words[:60]}") for key, each in self.notes.items()
            )
            offer(self, "note", [("", _("none")), *named])
        else:
            del self.fields["note"]

    def clean_file(self) -> Any:
        file = self.cleaned_data.get("file")
        if file is not None and file.size > LARGEST_FILE:
            raise ValidationError(_("The file is larger than 5 MB. Choose a smaller one."))
        return file

    def shown(self) -> Shown:
        data = self.cleaned_data
        file = data.get("file") if data["kind"] == Kind.FILE else None
        return Shown(
            kind=data["kind"],
            words=data["words"],
            on=data["on"],
            note=self.notes.get(data.get("note", "")),
            file_name=str(file.name) if file else "",
            content=file.read() if file else b"",
            names_no_pupil=data["names_no_pupil"],
        )
