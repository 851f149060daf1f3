from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.connectedness import contact_words as words
from brightspots_web.connectedness.contact_actions import Wanted
from brightspots_web.connectedness.models import ConnectednessSettings, Contact
from brightspots_web.directory import queries as directory
from brightspots_web.directory.forms import AreaFilter
from brightspots_web.directory.models import Person, School

DAY = {"type": "date"}


class RegisterFilter(AreaFilter):
    """What the isolation register is narrowed to; read from the address."""

    show = forms.ChoiceField(
        label=_("Schools"),
        required=False,
        choices=[
            ("", _("isolated")),
            ("near", _("one step from isolation")),
            ("both", _("both")),
        ],
    )
    reason = forms.ChoiceField(label=_("Why"), required=False)
    step = forms.ChoiceField(
        label=_("Who is on it"),
        required=False,
        choices=[
            ("", _("all")),
            ("none", _("nobody yet")),
            ("open", _("somebody")),
            ("overdue", _("somebody, and the day has passed")),
        ],
    )

    field_order = ("show", "area", "reason", "step")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason = self.fields["reason"]
        assert isinstance(reason, forms.ChoiceField)
        reason.choices = [("", _("all")), *words.reason_choices()]


class ContactForm(forms.Form):
    """A visit or a call: two taps and a word."""

    kind = forms.ChoiceField(
        label=_("What was it?"),
        choices=[
            (Contact.Kind.VISIT.value, Contact.Kind.VISIT.label),
            (Contact.Kind.CALL.value, Contact.Kind.CALL.label),
        ],
        widget=forms.RadioSelect,
        initial=Contact.Kind.CALL.value,
        error_messages={"required": _("Choose a visit or a call.")},
    )
    on = forms.DateField(
        label=_("On which day"), widget=forms.DateInput(attrs=DAY), initial=directory.today
    )
    note = forms.CharField(
        label=_("A word on it"),
        required=False,
        max_length=500,
        help_text=_("May stay empty. The school's head can read it. Name no pupils."),
    )


class MeetingForm(forms.Form):
    """A meeting of the partnership: who was there."""

    on = forms.DateField(
        label=_("On which day"), widget=forms.DateInput(attrs=DAY), initial=directory.today
    )
    present = forms.MultipleChoiceField(
        label=_("Schools that were there"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick the schools that were there.")},
    )
    note = forms.CharField(
        label=_("A word on it"),
        required=False,
        max_length=500,
        help_text=_("May stay empty. The heads of these schools can read it. Name no pupils."),
    )

    def __init__(self, *args: Any, schools: Sequence[School], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = self.fields["present"]
        assert isinstance(present, forms.MultipleChoiceField)
        present.choices = [(school.code, school.name) for school in schools]
        self.schools = {school.code: school for school in schools}

    def chosen(self) -> list[School]:
        return [self.schools[code] for code in self.cleaned_data["present"]]


class StepForm(forms.Form):
    """Who will do what, by when."""

    what = forms.CharField(
        label=_("What will be done"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say what will be done.")},
    )
    owner = forms.ChoiceField(label=_("By whom"))
    due = forms.DateField(
        label=_("By when"),
        widget=forms.DateInput(attrs=DAY),
        error_messages={"required": _("Say by when.")},
    )

    def __init__(self, *args: Any, owners: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ChoiceField)
        owner.choices = [(str(person.pk), str(person)) for person in owners]
        self.owners = {str(person.pk): person for person in owners}


class DoneForm(forms.Form):
    """What came of a step."""

    outcome = forms.CharField(
        label=_("What came of it"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say in a few words what came of it.")},
    )
    on = forms.DateField(
        label=_("On which day"), widget=forms.DateInput(attrs=DAY), initial=directory.today
    )


NUMBERS = ("contact_days", "caseload_cap", "leader_days", "support_km")
"""What is set, in the order of :class:`Wanted`."""


class SettingsForm(forms.Form):
    """The four numbers that the ministry sets about connectedness."""

    contact_days = forms.IntegerField(
        label=_("Days without contact"),
        min_value=7,
        max_value=365,
        help_text=_("A school that nobody was in touch with for so many days counts as isolated."),
    )
    caseload_cap = forms.IntegerField(
        label=_("Most schools a leader supports at a time"), min_value=1, max_value=40
    )
    leader_days = forms.IntegerField(
        label=_("Days a year a leader has for other schools"),
        min_value=1,
        max_value=220,
        help_text=_("Where nothing else is agreed with the leader."),
    )
    support_km = forms.IntegerField(
        label=_("Farthest that a school is suggested for support, km"),
        min_value=5,
        max_value=1000,
        help_text=_("As the crow flies. An officer may still put a school that is farther away."),
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    @staticmethod
    def of(found: ConnectednessSettings) -> dict[str, Any]:
        numbers = [getattr(found, name) for name in NUMBERS]
        return dict(zip(NUMBERS, numbers, strict=True)) | {"seen": ",".join(map(str, numbers))}

    def wanted(self) -> Wanted:
        return Wanted(**{name: self.cleaned_data[name] for name in NUMBERS})

    def seen_before(self) -> Wanted | None:
        """The numbers the page showed; None where the form says nothing of them."""
        parts = self.cleaned_data["seen"].split(",")
        if len(parts) == len(NUMBERS) and all(part.isdecimal() and len(part) < 8 for part in parts):
            return Wanted(*map(int, parts))
        return None
