"""The forms of coaching."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders.coaching_actions import LONGEST_NOTE, LONGEST_STEP
from brightspots_web.leaders.development_forms import person_choices

COACH, COACHED = "coach", "coached"


class AskForm(forms.Form):
    """With whom, and who coaches whom."""

    person = forms.ChoiceField(label=_("With whom?"))
    part = forms.ChoiceField(
        label=_("Who coaches?"),
        widget=forms.RadioSelect,
        choices=[(COACHED, _("I ask to be coached")), (COACH, _("I offer to coach"))],
        initial=COACHED,
    )

    def __init__(self, *args: Any, people: Mapping[int, Appointment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people
        field = self.fields["person"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _now("choose")), *person_choices(people)]

    def chosen(self) -> Person:
        return self.people[int(self.cleaned_data["person"])].person

    def as_coach(self) -> bool:
        return bool(self.cleaned_data["part"] == COACH)


class NoteForm(forms.Form):
    """What was said, for the two alone."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    on = forms.DateField(
        label=_("When did you meet?"),
        widget=forms.DateInput(attrs={"type": "date"}),
        initial=directory.today,
    )
    words = forms.CharField(
        label=_("What you want to remember"),
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("The two of you read it, nobody else. Name no pupils."),
    )
    next_step = forms.CharField(
        label=_("The next step"), required=False, max_length=LONGEST_STEP
    )  # fmt: skip
