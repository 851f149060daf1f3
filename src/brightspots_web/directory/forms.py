from typing import Any

from django import forms
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory import queries
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Appointment, Area, Partnership, School
from brightspots_web.shared.permissions import Role

PLACE_OF_ROLE = {
    Role.DISTRICT_OFFICER: "area",
    Role.SYSTEM_LEADER: "partnership",
    Role.HEAD: "school",
    Role.TEACHER: "school",
}


class AppointForm(forms.Form):
    """A person, a role and the place it is held at, chosen among what the appointer may see."""

    name = forms.CharField(label=_("Name"), max_length=200)
    email = forms.EmailField(
        label=_("Email address"),
        help_text=_("Somebody who is registered keeps the name and password they have."),
    )
    role = forms.ChoiceField(label=_("Role"))
    place = forms.CharField(
        label=_("Place"),
        required=False,
        max_length=200,
        help_text=_(
            "A school's code, a partnership's code or an area's name "
            "(“North > Upper” where several are called Upper). "
            "Leave empty for the ministry and analysts."
        ),
    )
    starts = forms.DateField(
        label=_("From"), widget=forms.DateInput(attrs={"type": "date"}), initial=queries.today
    )
    ends = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, acting: Appointment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.acting = acting
        allowed = queries.APPOINTS.get(acting.role, frozenset())
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = [choice for choice in Role.choices if choice[0] in allowed]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind = PLACE_OF_ROLE.get(data.get("role", ""))
        place = (data.get("place") or "").strip()
        if kind is None:
            if place:
                self.add_error(
                    "place", _("This role is held for the whole system: leave it empty.")
                )
            return data
        found = self.find(self.acting, kind, place)
        if found is None:
            self.add_error(
                "place", _("There is no such place among those you may see. Check the spelling.")
            )
        data["at"] = {kind: found}
        if data.get("ends") and data.get("starts") and data["ends"] <= data["starts"]:
            self.add_error("ends", _("The end must lie after the start."))
        return data

    @staticmethod
    def find(acting: Appointment, kind: str, place: str) -> Area | School | Partnership | None:
        """The place of a kind that somebody wrote, among those this appointment may see."""
        if kind == "school":
            return queries.schools_visible_to(acting).filter(code__iexact=place).first()
        if kind == "partnership":
            return queries.partnerships_visible_to(acting).filter(code__iexact=place).first()
        areas = list(queries.areas_visible_to(acting).filter(name__iexact=place)[:2])
        return areas[0] if len(areas) == 1 else None


class SchoolFilter(forms.Form):
    """Search and filters of the list of schools; read from the address."""

    q = forms.CharField(label=_("Name or code"), required=False, max_length=100)
    area = forms.CharField(label=_("Area"), required=False, max_length=200)
    phase = forms.ChoiceField(label=_("Phase"), required=False)
    sector = forms.ChoiceField(label=_("Sector"), required=False)
    connected = forms.ChoiceField(
        label=_("Partnership"),
        required=False,
        choices=[
            ("", _("all schools")),
            ("yes", _("in a partnership")),
            ("no", _("in no partnership")),
        ],
    )

    def __init__(self, *args: Any, phases: list[str], sectors: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, values in (("phase", phases), ("sector", sectors)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("all")), *((value, value) for value in values)]


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
        found = list(queries.areas_named(self.acting, words)[:10])
        if not found:
            raise forms.ValidationError(_("There is no such area among those you may see."))
        if len(found) > 1:
            names = "; ".join(f"{area.parent} > {area.name}" for area in found)
            raise forms.ValidationError(
                _("Several areas have this name. Write one of: %(names)s"),
                params={"names": names},
            )
        return found[0]

    @property
    def area_asked_for(self) -> Area | None:
        """The area, if any; None as well where it cannot be found."""
        return self.cleaned_data["area"] if self.is_valid() else None


def area_or_404(request: ActingRequest) -> Area | None:
    """The area that an address asks for, for files: one that cannot be found has no file."""
    form = AreaFilter(request.GET, acting=request.acting)
    if not form.is_valid():
        raise Http404
    return form.area_asked_for
