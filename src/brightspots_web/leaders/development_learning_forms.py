"""The forms of learning: finding, offering, cancelling, confirming who was there."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.models import Area
from brightspots_web.leaders.development_learning_actions import LONGEST, Offer
from brightspots_web.leaders.development_learning_queries import COMING, MINE, PAST, Search
from brightspots_web.leaders.models import Attendance, Competence, Learning

DAY = {"type": "date"}
WHEN = (
    (COMING, _("to come")), (MINE, _("in which I take part")), (PAST, _("past or cancelled")),
    ("all", _("all")),
)  # fmt: skip


class LearningFilter(forms.Form):
    """What the list is narrowed to; read from the address."""

    q = forms.CharField(label=_("Words"), required=False, max_length=100)
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("all")), *Learning.Kind.choices]
    )
    competence = forms.ChoiceField(label=_("For which competence"), required=False)
    when = forms.ChoiceField(label=_("When"), required=False, choices=WHEN)

    def __init__(self, *args: Any, competences: Sequence[Competence], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["competence"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _now("all")), *((each.code, each.name) for each in competences)]
        if not competences:
            del self.fields["competence"]

    def search(self) -> Search:
        """What the form asks for; what makes no sense is left out."""
        self.is_valid()
        asked = self.cleaned_data
        return Search(
            q=asked.get("q", ""),
            kind=asked.get("kind", ""),
            competence=asked.get("competence", ""),
            when=asked.get("when") or COMING,
        )


class OfferForm(forms.Form):
    """Learning as it is offered."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    kind = forms.ChoiceField(label=_("Kind"), widget=forms.RadioSelect)
    title = forms.CharField(label=_("Title"), max_length=LONGEST["title"])
    about = forms.CharField(
        label=_("What people can do afterwards"),
        max_length=LONGEST["about"],
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    competences = forms.MultipleChoiceField(
        label=_("For which competences"), required=False, widget=forms.CheckboxSelectMultiple
    )
    on = forms.DateField(
        label=_("On which day"),
        required=False,
        widget=forms.DateInput(attrs=DAY),
        help_text=_("Leave a module empty that people take at any time."),
    )
    place = forms.CharField(
        label=_("Where"),
        required=False,
        max_length=LONGEST["place"],
        help_text=_("A place, or how to join from elsewhere."),
    )
    hours = forms.DecimalField(
        label=_("Hours"),
        min_value=Decimal("0.5"),
        max_value=200,
        max_digits=5,
        decimal_places=1,
        widget=forms.NumberInput(attrs={"step": "0.5", "inputmode": "decimal"}),
    )
    area = forms.ChoiceField(label=_("For whom"), required=False)

    def __init__(
        self,
        *args: Any,
        kinds: Sequence[str],
        areas: Sequence[Area],
        to_all: bool,
        competences: Sequence[Competence],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._areas = {str(each.pk): each for each in areas}
        self._competences = {each.code: each for each in competences}
        names = dict(Learning.Kind.choices)
        everybody = [("", _now("everybody"))] if to_all else []
        offered: dict[str, list[tuple[str, Any]]] = {
            "kind": [(kind, names[Learning.Kind(kind)]) for kind in kinds],
            "area": [
                *everybody,
                *((key, _now("leaders in {area}").format(area=each.name))
                  for key, each in self._areas.items()),
            ],
            "competences": [(each.code, each.name) for each in competences],
        }  # fmt: skip
        for name, choices in offered.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
        self.fields["area"].required = not to_all
        if len(kinds) == 1:
            self.fields["kind"].initial = kinds[0]
        if not competences:
            del self.fields["competences"]

    def offer(self) -> Offer:
        said = self.cleaned_data
        return Offer(
            kind=said["kind"],
            title=said["title"],
            about=said["about"],
            on=said["on"],
            place=said["place"],
            hours=said["hours"],
            area=self._areas.get(said["area"]),
            competences=[self._competences[code] for code in said.get("competences", [])],
        )


class CancelForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    why = forms.CharField(
        label=_("Why it does not take place"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class AttendanceForm(forms.Form):
    """Who of those enrolled was there."""

    people = forms.MultipleChoiceField(
        label=_("Who was there?"), required=False, widget=forms.CheckboxSelectMultiple
    )
    on = forms.DateField(
        label=_("Finished on"), required=False, widget=forms.DateInput(attrs=DAY)
    )  # fmt: skip

    def __init__(
        self, *args: Any, taking_part: Sequence[Attendance], on_a_day: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        people = self.fields["people"]
        assert isinstance(people, forms.ChoiceField)
        people.choices = [(str(row.person_id), str(row.person)) for row in taking_part]
        people.initial = [str(row.person_id) for row in taking_part if row.attended_on]
        if on_a_day:
            del self.fields["on"]

    def there(self) -> list[int]:
        return [int(key) for key in self.cleaned_data["people"]]
