from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import School

PLACES = 3
"""So many schools may carry on one that closes."""


class ClosingForm(forms.Form):
    """On which day a school closes, and which schools carry on."""

    on = forms.DateField(
        label=lazy("First day on which it is closed"),
        widget=forms.DateInput({"type": "date"}),
    )

    def __init__(self, *args: Any, school: School, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.school = school
        for place in range(PLACES):
            self.fields[f"successor_{place}"] = forms.CharField(
                label=_("A school that carries on") if not place else _("Another, if there is one"),
                help_text=_("Its code, or its name as it stands in the list of schools.")
                if not place
                else "",
                max_length=200,
                required=False,
            )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        found: dict[int, School] = {}
        for place in range(PLACES):
            name = f"successor_{place}"
            words = " ".join(str(data.get(name) or "").split())
            if not words:
                continue
            try:
                school = self._school(words)
            except ValidationError as problem:
                self.add_error(name, problem)
            else:
                found[school.pk] = school
        data["successors"] = list(found.values())
        return data

    def _school(self, words: str) -> School:
        schools = directory.open_schools()
        named = list(schools.filter(code=words)) or list(schools.filter(name__iexact=words)[:20])
        near = [each for each in named if each.area_id == self.school.area_id]
        chosen = near if len(near) == 1 else named
        if not chosen:
            raise ValidationError(
                _("No open school has this code or name. Copy it from the list of schools.")
            )
        if len(chosen) > 1:
            codes = ", ".join(each.code for each in chosen[:5])
            raise ValidationError(
                _("Several schools have this name. Write the code of one: {codes}.").format(
                    codes=codes
                )
            )
        return chosen[0]
