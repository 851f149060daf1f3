"""The forms of meetings: calling, calling off, who was there, minutes, and what lists show."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution.meeting_actions import LONGEST_MINUTES, Wanted
from brightspots_web.devolution.models import Meeting
from brightspots_web.directory.forms import AreaFilter
from brightspots_web.directory.models import Person, School

DAY, HOUR = {"type": "date"}, {"type": "time"}


class MeetingForm(forms.Form):
    """When, where and about what."""

    on = forms.DateField(
        label=_("On which day"),
        widget=forms.DateInput(attrs=DAY),
        error_messages={"required": _("Say on which day.")},
    )
    hour = forms.TimeField(
        label=_("At what hour"),
        widget=forms.TimeInput(attrs=HOUR, format="%H:%M"),
        error_messages={"required": _("Say at what hour.")},
    )
    minutes_long = forms.IntegerField(
        label=_("How many minutes"), initial=90, min_value=15, max_value=480
    )
    place = forms.CharField(label=_("Where"), required=False, max_length=200)
    purpose = forms.CharField(
        label=_("What do we want to have decided by the end?"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One question is enough. It is read by our schools alone."),
    )
    priorities = forms.MultipleChoiceField(
        label=_("What we talk about"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Without a choice: all priorities that are live."),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, offered: Sequence[Priority], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = {each.code: each for each in offered}
        field = self.fields["priorities"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(each.code, each.title) for each in offered]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("on") and data.get("hour"):
            try:
                data["starts_at"] = from_current_timezone(
                    datetime.combine(data["on"], data["hour"])
                )
            except ValidationError:
                self.add_error(
                    "hour",
                    _now(
                        "The clocks change in that night: this hour is not there, or is there "
                        "twice. Choose another."
                    ),
                )
        return data

    def wanted(self) -> Wanted:
        data = self.cleaned_data
        return Wanted(
            data["starts_at"],
            data["minutes_long"],
            data["place"],
            data["purpose"],
            [self.offered[code] for code in data["priorities"]],
        )


def as_it_stands(meeting: Meeting) -> dict[str, Any]:
    """What the form for changing a meeting begins with."""
    local = timezone.localtime(meeting.starts_at)
    return {
        "on": local.date(),
        "hour": local.time(),
        "minutes_long": meeting.minutes_long,
        "place": meeting.place,
        "purpose": meeting.purpose,
        "priorities": [each.code for each in meeting.priorities.all()],
        "seen": meeting.version,
    }


class CancelForm(forms.Form):
    """Calling a meeting off."""

    why = forms.CharField(
        label=_("Why? Everybody invited reads it."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say in a few words why: people keep the day free.")},
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)


class CodeForm(forms.Form):
    """The code of the room, typed on a phone."""

    code = forms.CharField(
        label=_("The code shown in the room"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false",
                   "class": "code-field"}
        ),
        help_text=_("Six letters or digits; blanks and small letters do not matter."),
        error_messages={"required": _("Type the code that the leader shows.")},
    )  # fmt: skip


class AttendanceForm(forms.Form):
    """The leader's list of who is there."""

    present = forms.MultipleChoiceField(
        label=_("Schools that are there"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, schools: Sequence[School], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = self.fields["present"]
        assert isinstance(present, forms.MultipleChoiceField)
        present.choices = [(school.code, school.name) for school in schools]
        self.schools = {school.code: school for school in schools}

    def chosen(self) -> list[School]:
        return [self.schools[code] for code in self.cleaned_data["present"]]


class MinutesForm(forms.Form):
    """What was said and agreed, in a few lines."""

    minutes = forms.CharField(
        label=_("Minutes"),
        required=False,
        max_length=LONGEST_MINUTES,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text=_(
            "A few lines are enough. Only the schools of the partnership and its leader read "
            "them. Name no pupils."
        ),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)


class TakerForm(forms.Form):
    """Who writes the minutes."""

    person = forms.ChoiceField(label=_("Who writes the minutes?"), required=False)
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, people: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["person"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("the leader")), *((str(p.pk), str(p)) for p in people)]
        self.people = {str(person.pk): person for person in people}

    def chosen(self) -> Person | None:
        return self.people.get(self.cleaned_data["person"])


class MeetingFilter(forms.Form):
    """What the list of meetings is narrowed to; read from the address."""

    show = forms.ChoiceField(
        label=_("Meetings"),
        required=False,
        choices=[
            ("", _("all")),
            ("coming", _("to come")),
            ("past", _("past")),
            ("cancelled", _("called off")),
        ],
    )

    def state(self) -> str:
        return str(self.cleaned_data.get("show", "")) if self.is_valid() else ""


class HeldFilter(AreaFilter):
    """What officers narrow the table of partnerships to."""

    silent = forms.BooleanField(label=_("No meeting in the last 8 weeks"), required=False)
