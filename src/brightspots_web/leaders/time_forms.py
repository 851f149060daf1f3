"""The form of a week: four numbers, and if one likes a school and a word."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.models import School
from brightspots_web.leaders.models import TimeSpent
from brightspots_web.leaders.time_actions import LONGEST_NOTE

HINTS = {
    "support": _("Coaching, visiting, working alongside colleagues of other schools."),
    "collaboration": _("Meeting with other schools, preparing it, bringing people together."),
    "accountability": _("Reviews, pledges and their evidence, looking at progress together."),
    "direction": _("Saying what good teaching is, and planning for it across schools."),
}


class WeekForm(forms.Form):
    """Hours of one week, by what they were for, always in the same order."""

    def __init__(self, *args: Any, schools: Sequence[School], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.schools = {each.code: each for each in schools}
        for on, label in TimeSpent.On.choices:
            self.fields[on] = forms.DecimalField(
                label=str(label).capitalize(),
                required=False,
                min_value=0,
                max_value=80,
                max_digits=4,
                decimal_places=1,
                help_text=HINTS[on],
                widget=forms.NumberInput(attrs={"step": "0.5", "inputmode": "decimal"}),
            )
        self.fields["note"] = forms.CharField(
            label=_now("A word for yourself"), required=False, max_length=LONGEST_NOTE
        )

    def hours(self) -> dict[str, Decimal]:
        return {on: self.cleaned_data.get(on) or Decimal(0) for on in TimeSpent.On.values}


class WhichWeek(forms.Form):
    """Which week, and for which school; read from the address."""

    week = forms.DateField(
        label=_("Week of"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    school = forms.ChoiceField(label=_("For"), required=False)

    def __init__(self, *args: Any, schools: Sequence[School], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.schools: Mapping[str, School] = {each.code: each for each in schools}
        field = self.fields["school"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _now("no school in particular")), *((each.code, each.name) for each in schools)
        ]  # fmt: skip

    def asked(self) -> tuple[date | None, School | None]:
        """What the address names; what makes no sense is left out."""
        self.is_valid()
        said = self.cleaned_data
        return said.get("week"), self.schools.get(said.get("school") or "")
