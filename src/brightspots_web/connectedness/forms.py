from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.forms import AreaFilter


class ProposalForm(AreaFilter):
    """What a ministry or a district decides about partnerships before they are proposed."""

    name = forms.CharField(
        label=_("What to call it"),
        required=False,
        max_length=200,
        help_text=_("Such as “Smaller groups”; so that you can tell proposals apart."),
    )
    area = forms.CharField(
        label=_("Area"),
        required=False,
        max_length=200,
        help_text=_(
            "Its name, or “North > Upper” where several are called Upper. Empty: all schools you "
            "answer for. Partnerships that reach across the border of an area stay as they are."
        ),
    )
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
    stay_close = forms.BooleanField(
        label=_("Stay close to the partnerships of today"),
        required=False,
        help_text=_("A school changes partnership only where enough is gained by it."),
    )

    field_order = ("name", "area", "minimum", "maximum", "max_km", "stay_close")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("minimum", 0) > data.get("maximum", 99):
            self.add_error("maximum", _("The most must not be below the fewest."))
        return data
