"""The form of the calendar: the cycle's days, the phases' days, what a vote of each tier weighs."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment import agreement_words as words
from brightspots_web.alignment.agreement_actions import HEAVIEST, Calendar
from brightspots_web.alignment.agreement_queries import PHASES, WEIGHTS
from brightspots_web.alignment.models import Tier
from brightspots_web.directory.cycle_actions import LONGEST_NAME
from brightspots_web.shared.forms import day_field


class CalendarForm(forms.Form):
    """Each day is the first of its phase; a phase lasts until the next begins."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(
        label=_("Name of the cycle"),
        max_length=LONGEST_NAME,
        help_text=_("Such as “2027”, or “Second term 2027”."),
    )
    starts = day_field(_("First day of the cycle"))
    ends = day_field(_("First day after the cycle"))
    sure = forms.BooleanField(
        label=_("Yes: the present phase ends today"), required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in PHASES:
            hint = words.what_happens(name)
            label = _now("{phase}: from").format(phase=words.name(name))
            self.fields[f"{name}_from"] = day_field(label, hint)
        for tier in Tier:
            self.fields[f"weight_{tier.value}"] = forms.IntegerField(
                label=_now("Weight of one vote: {tier}").format(tier=tier.label),
                min_value=1 if tier == Tier.SCHOOL else 0,
                max_value=HEAVIEST,
                initial=WEIGHTS[tier],
            )
        self.order_fields([name for name in self.fields if name != "sure"])

    @classmethod
    def initial_of(cls, calendar: Calendar) -> dict[str, Any]:
        """What the form begins with for a calendar that is kept."""
        days = {f"{name}_from": day for name, day in calendar.days.items()}
        weights = {f"weight_{tier}": weight for tier, weight in calendar.weights.items()}
        return {
            "name": calendar.name, "starts": calendar.starts, "ends": calendar.ends,
            **days, **weights,
        }  # fmt: skip

    def calendar(self) -> Calendar:
        data = self.cleaned_data
        days: dict[str, date] = {f"{name}_from": data[f"{name}_from"] for name in PHASES}
        weights = {tier.value: data[f"weight_{tier.value}"] for tier in Tier}
        return Calendar(data["name"], data["starts"], data["ends"], **days, weights=weights)

    def ask_whether_sure(self) -> None:
        """Show the box that has to be ticked before the present phase is ended."""
        self.fields["sure"].widget = forms.CheckboxInput()
