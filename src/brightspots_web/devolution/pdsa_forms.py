"""The forms of cycles: planning, values, study; finding them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution.models import Pdsa, PdsaPoint
from brightspots_web.devolution.pdsa_actions import (
    LONGEST,
    LONGEST_FOUND,
    LONGEST_NEXT,
    Plan,
    Value,
)
from brightspots_web.devolution.pdsa_queries import Search
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Indicator, School
from brightspots_web.shared.forms import long_text, offer

DAY = {"type": "date"}
EVERYWHERE = "all"


class CycleFilter(forms.Form):
    """What the list of cycles is narrowed to; read from the address."""

    q = forms.CharField(label=_("Words"), required=False, max_length=200)
    stage = forms.ChoiceField(label=_("How it stands"), required=False)
    priority = forms.ChoiceField(label=_("Priority"), required=False)
    school = forms.ChoiceField(label=_("School"), required=False)

    def __init__(
        self,
        *args: Any,
        priorities: Sequence[Priority],
        schools: Sequence[School],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        offer(
            self,
            "stage",
            [
                ("", _("all")),
                ("running", _("running")),
                ("to_study", _("to be studied")),
                ("adopt", _("adopted")),
                ("adapt", _("adapted")),
                ("abandon", _("abandoned")),
            ],
        )
        offer(self, "priority", [("", _("all")), *((p.code, p.title) for p in priorities)])
        offer(self, "school", [("", _("all")), *((s.code, s.name) for s in schools)])

    def search(self) -> Search:
        self.is_valid()
        asked = self.cleaned_data
        return Search(
            words=asked.get("q", ""),
            stage=asked.get("stage", ""),
            priority=asked.get("priority", ""),
            school=asked.get("school", ""),
        )


class PlanForm(forms.Form):
    """The plan of a cycle; the prediction comes before everything that is measured."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    title = forms.CharField(
        label=_("What you try"),
        max_length=LONGEST["title"],
        help_text=_("In a few words: “Fours by turns in year 3”."),
    )
    prediction = long_text(
        _("What you predict"),
        _("Before you begin: what will you see, how much of it, by when? Written down first, it is "
          "the only thing a result can surprise."),
        LONGEST["prediction"],
        3,
    )  # fmt: skip
    test = long_text(
        _("The test"),
        _("What is done, where, with whom, for how long. Small enough to begin on Monday."),
        LONGEST["test"],
        5,
    )
    measure = forms.CharField(
        label=_("What you measure"),
        max_length=LONGEST["measure"],
        help_text=_("One thing you can count every few days: “pupils who read the page aloud”. It "
                    "is for learning and never leaves the school or the partnership."),
    )  # fmt: skip
    unit = forms.CharField(
        label=_("Unit"), max_length=60, required=False, help_text=_("“pupils of 10”, “minutes”.")
    )
    up_is_better = forms.ChoiceField(
        label=_("Which way is better"),
        choices=[("yes", _("more is better")), ("no", _("less is better"))],
    )
    starts = forms.DateField(label=_("Begins on"), widget=forms.DateInput(attrs=DAY))
    study_on = forms.DateField(
        label=_("You study it on"),
        widget=forms.DateInput(attrs=DAY),
        help_text=_("Two to twelve weeks later is a good length."),
    )
    where = forms.ChoiceField(label=_("Where"))
    priority = forms.ChoiceField(label=_("About which priority"), required=False)
    indicator = forms.ChoiceField(
        label=_("Indicator"), required=False, help_text=_("If it is one the system has a name for.")
    )
    shared = forms.BooleanField(
        label=_("The schools of our partnership may see it"), required=False, initial=True
    )

    def __init__(
        self,
        *args: Any,
        priorities: Sequence[Priority],
        indicators: Sequence[Indicator] = (),
        where: Sequence[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.priorities = {each.code: each for each in priorities}
        self.indicators = {each.code: each for each in indicators}
        none = ("", _("none of them"))
        offer(self, "priority", [none, *((p.code, p.title) for p in priorities)])
        offer(self, "indicator", [none, *((i.code, i.name) for i in indicators)])
        if not indicators:
            del self.fields["indicator"]
        offer(self, "where", where)
        if not where:
            del self.fields["where"]

    def plan(self) -> Plan:
        data = self.cleaned_data
        return Plan(
            title=data["title"],
            test=data["test"],
            prediction=data["prediction"],
            measure=data["measure"],
            unit=data["unit"],
            up_is_better=data["up_is_better"] == "yes",
            starts=data["starts"],
            study_on=data["study_on"],
            priority=self.priorities.get(data.get("priority", "")),
            indicator=self.indicators.get(data.get("indicator", "")),
            shared=data["shared"],
        )

    def everywhere(self) -> bool:
        return self.cleaned_data.get("where") == EVERYWHERE


def where_choices(school: School | None, *, all_schools: bool) -> list[tuple[str, str]]:
    """The own school first; all schools of the partnership where somebody decides there."""
    found = [(school.code, school.name)] if school is not None else []
    if all_schools:
        found.append((EVERYWHERE, _now("all schools of our partnership")))
    return found


def new_cycle() -> dict[str, Any]:
    """What a fresh plan begins with: from today, for six weeks."""
    today = directory.today()
    return {
        "starts": today.isoformat(),
        "study_on": (today + timedelta(weeks=6)).isoformat(),
        "up_is_better": "yes",
        "shared": True,
    }


def as_it_stands(cycle: Pdsa) -> dict[str, Any]:
    """The values of a cycle, for its form."""
    return {
        "seen": cycle.version,
        **{name: getattr(cycle, name) for name in LONGEST},
        "unit": cycle.unit,
        "up_is_better": "yes" if cycle.up_is_better else "no",
        "starts": cycle.starts.isoformat(),
        "study_on": cycle.study_on.isoformat(),
        "priority": cycle.priority.code if cycle.priority else "",
        "indicator": cycle.indicator.code if cycle.indicator else "",
        "shared": cycle.shared,
    }


class ValueForm(forms.Form):
    """A value, as it is typed on a phone."""

    on = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs=DAY), initial=directory.today)
    value = forms.FloatField(
        label=_("Value"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        localize=True,
    )
    n = forms.IntegerField(
        label=_("Out of how many pupils or lessons"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    note = forms.CharField(
        label=_("A note"),
        required=False,
        max_length=200,
        help_text=_("What was different that day. Name no pupils."),
    )

    def point(self) -> Value:
        return Value(**self.cleaned_data)


def value_as_it_stands(point: PdsaPoint) -> dict[str, Any]:
    return {"on": point.on.isoformat(), "value": point.value, "n": point.n, "note": point.note}


class StudyForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    found = long_text(
        _("What you found"),
        _("Beside what you predicted: what came, what did not, what surprised you."),
        LONGEST_FOUND,
        5,
    )
    act = forms.ChoiceField(
        label=_("What you do with it"),
        widget=forms.RadioSelect,
        choices=[
            ("adopt", _("Adopt: it does what we hoped; we keep it and spread it")),
            ("adapt", _("Adapt: there is something in it; we change it and try again")),
            ("abandon", _("Abandon: we leave it, and know more than before")),
        ],
    )
    next_step = long_text(_("The next step"), _("One thing, and who does it."), LONGEST_NEXT, 3)
