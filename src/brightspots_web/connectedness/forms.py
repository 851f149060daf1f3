from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class ProposalForm(forms.Form):
    """What a ministry decides about partnerships before the optimiser proposes them."""

    minimum = forms.IntegerField(
        label=_("Fewest schools in a partnership"), min_value=2, max_value=40, initial=4
    )
    maximum = forms.IntegerField(
        label=_("Most schools in a partnership"), min_value=2, max_value=40, initial=8
    )
    max_km = forms.FloatField(
        label=_("Longest way from a school to its leader, in km"),
        min_value=0.1,
        max_value=2000,
        initial=25,
        help_text=_("As the crow flies. Roads are longer."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("minimum", 0) > data.get("maximum", 99):
            self.add_error("maximum", _("The most must not be below the fewest."))
        return data
