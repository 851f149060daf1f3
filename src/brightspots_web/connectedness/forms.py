from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area


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


class AreaFilter(forms.Form):
    """One area, by name, among those the person may see."""

    area = forms.CharField(label=_("Area"), required=False, max_length=200)

    def __init__(self, *args: Any, acting: Appointment | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.acting = acting

    def clean_area(self) -> Area | None:
        words = self.cleaned_data["area"]
        if not words:
            return None
        found = list(directory.areas_named(self.acting, words)[:10])
        if not found:
            raise forms.ValidationError(_("There is no such area among those you may see."))
        if len(found) > 1:
            names = "; ".join(f"{area.parent} > {area.name}" for area in found)
            raise forms.ValidationError(
                _("Several areas have this name. Write one of: %(names)s"),
                params={"names": names},
            )
        return found[0]
