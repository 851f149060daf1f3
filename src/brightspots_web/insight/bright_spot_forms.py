from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.forms import AreaFilter
from brightspots_web.insight.bright_spot_queries import NO_FLAG
from brightspots_web.insight.models import BrightSpot, Estimate


class SpotFilter(AreaFilter):
    """What the list of bright spots is narrowed to; read from the address."""

    subject = forms.ChoiceField(label=_("Outcome"), required=False)
    label = forms.ChoiceField(
        label=_("What the figures say"),
        required=False,
        choices=[
            ("", _("all")),
            (Estimate.Label.BRIGHT_SPOT, _("bright spot (candidate)")),
            (Estimate.Label.WORTH_A_VISIT, _("worth a visit")),
            (NO_FLAG, _("not named by the newest analysis")),
        ],
    )
    state = forms.ChoiceField(
        label=_("How far people got"),
        required=False,
        choices=[("", _("all")), *BrightSpot.State.choices],
    )

    field_order = ("subject", "area", "label", "state")

    def __init__(self, *args: Any, subjects: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        subject = self.fields["subject"]
        assert isinstance(subject, forms.ChoiceField)
        subject.choices = [("", _("all")), *((name, name) for name in subjects)]


class StepForm(forms.Form):
    """What happened at a bright spot. Which steps can follow is checked when it is recorded."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    to = forms.ChoiceField(
        label=_("What happened"),
        choices=BrightSpot.State.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what happened.")},
    )
    on = forms.DateField(
        label=_("On which day"),
        widget=forms.DateInput(attrs={"type": "date"}),
        initial=directory.today,
        help_text=_("The day it happened, which may be before today."),
    )
    note = forms.CharField(
        label=_("What you saw, or why"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_(
            "The school can read this, and it is kept. Name no pupils. A re-test needs no words."
        ),
    )

    def offer(self, choices: list[tuple[str, str]]) -> None:
        """Show only the steps that can follow; any may have been sent from an older page."""
        to = self.fields["to"]
        assert isinstance(to, forms.ChoiceField)
        to.widget.choices = choices
        if len(choices) == 1:
            to.initial = choices[0][0]
