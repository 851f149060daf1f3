"""The forms of rollout plans."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.area_tree import plain
from brightspots_web.pace.plan_actions import AreaFacts, Settings
from brightspots_web.pace.plan_models import PlanArea, PlanStudy
from brightspots_web.pace.plan_rollout_actions import LONGEST
from brightspots_web.shared.forms import SeenForm

DAY = {"type": "date"}
MOST_LINES = 2000


def _number(label: Any, hint: Any = "", **more: Any) -> forms.FloatField:
    widget = forms.NumberInput(attrs={"step": "any"})
    return forms.FloatField(label=label, help_text=hint, widget=widget, **more)


class StudyForm(SeenForm):
    """What a study is told."""

    name = forms.CharField(label=_("Name"), max_length=120)
    level = forms.ChoiceField(
        label=_("Which areas take the shift up one by one"),
        help_text=_("Schools and leaders of each are drawn from the registers."),
    )
    support_days = _number(
        _("Days of support the whole system can give in a term"),
        _("All areas together: coaches, advisers, leaders who support others."),
        min_value=0,
    )
    terms = forms.IntegerField(
        label=_("Terms in which support may be given"), min_value=1, max_value=60, initial=15
    )
    speeds = forms.CharField(
        label=_("Speeds to choose from, in terms of support"),
        help_text=_("With commas, such as 3, 6, 9. At the end of support all responsibility has "
                    "moved."),
        initial="3, 6, 9",
    )  # fmt: skip
    first_day = forms.DateField(
        label=_("First day of term 1"), widget=forms.DateInput(attrs=DAY)
    )  # fmt: skip
    term_months = forms.IntegerField(
        label=_("Months from one term to the next"), min_value=1, max_value=12, initial=4
    )
    settle = forms.IntegerField(
        label=_("Terms that are followed after support has ended"), min_value=0, max_value=30,
        initial=6,
    )  # fmt: skip
    draws = forms.IntegerField(
        label=_("How many futures each plan is tried against"), min_value=20, max_value=2000,
        initial=200,
        help_text=_("200 are enough to see the curve; more make ranges steadier and take longer."),
    )  # fmt: skip

    def __init__(
        self, *args: Any, levels: Sequence[tuple[int, int, str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if levels is None:
            del self.fields["level"]  # areas are drawn already
            return
        field = self.fields["level"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (str(level), _now("{n}: {names}").format(n=n, names=names))
            for level, n, names in levels
        ]

    def clean_speeds(self) -> tuple[int, ...]:
        words = self.cleaned_data["speeds"].replace(";", ",").split(",")
        try:
            return tuple(int(each) for each in words if each.strip())
        except ValueError:
            raise ValidationError(
                _now("Give whole numbers of terms with commas, such as 3, 6, 9.")
            ) from None

    def settings(self) -> Settings:
        """What was typed."""
        data = {k: v for k, v in self.cleaned_data.items() if k not in ("seen", "level")}
        return Settings(**data)


def as_study(study: PlanStudy) -> dict[str, Any]:
    """A study as its form shows it."""
    names = ("name", "support_days", "terms", "first_day", "term_months", "settle", "draws")
    return {name: getattr(study, name) for name in names} | {
        "speeds": ", ".join(map(str, study.speeds)),
        "seen": study.version,
    }


class AreaForm(SeenForm):
    """What is known of an area."""

    readiness = _number(
        _("Schools that are ready, in %"),
        _("How many of 100 schools could carry full responsibility today, as far as people who "
          "know them can say. Empty: nobody has said."),
        min_value=0, max_value=100, required=False,
    )  # fmt: skip
    leaders = forms.IntegerField(
        label=_("Leaders available"), min_value=0, max_value=10_000,
        help_text=_("Drawn from the register of designated leaders; correct it where you know "
                    "better."),
    )  # fmt: skip
    in_training = forms.IntegerField(
        label=_("Leaders in training"), min_value=0, max_value=10_000,
        help_text=_("Drawn from applications handed in or with a panel, where you may see them."),
    )  # fmt: skip
    in_training_term = forms.IntegerField(
        label=_("Available from term"), min_value=1, required=False,
        help_text=_("Empty: it takes as long as assumed."),
    )  # fmt: skip
    earliest = forms.IntegerField(
        label=_("Begins in term … at the earliest"), min_value=1, initial=1
    )
    fixed_start = forms.IntegerField(
        label=_("Fixed: begins in term"), min_value=1, required=False,
        help_text=_("Only where it is promised or has begun: no plan changes it then."),
    )  # fmt: skip
    priority = forms.IntegerField(
        label=_("Your own order"), min_value=1, max_value=10_000, required=False,
        help_text=_("Small numbers first. Used for the usual plans that stand beside the curve."),
    )  # fmt: skip

    def facts(self) -> AreaFacts:
        """What was typed."""
        data = {k: v for k, v in self.cleaned_data.items() if k != "seen"}
        share = data.pop("readiness")
        return AreaFacts(readiness=None if share is None else share / 100, **data)


def as_area(row: PlanArea, study: PlanStudy) -> dict[str, Any]:
    """An area as its form shows it."""
    names = (
        "leaders", "in_training", "in_training_term", "earliest", "fixed_start", "priority"
    )  # fmt: skip
    share = None if row.readiness is None else round(100 * row.readiness, 4)
    return {name: getattr(row, name) for name in names} | {
        "readiness": share, "seen": study.version,
    }  # fmt: skip


class ReadingsForm(SeenForm):
    """Readings of many areas: one line an area."""

    readings = forms.CharField(
        label=_("Readings"),
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_("One line for each area: its name, a tab, semicolon or comma, and how many of "
                    "100 schools are ready. Two columns of a spreadsheet can be pasted as they "
                    "are."),
    )  # fmt: skip

    def __init__(self, *args: Any, areas: Sequence[PlanArea], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.areas: dict[str, int | None] = {}
        for each in areas:
            name = plain(each.area.name)
            # Two areas of one name cannot be told apart here; each has its own page.
            self.areas[name] = None if name in self.areas else each.area_id

    def clean_readings(self) -> dict[int, float]:
        """Key of the area -> share; every line that is wrong is named."""
        found: dict[int, float] = {}
        wrong = []
        lines = self.cleaned_data["readings"].splitlines()
        if len(lines) > MOST_LINES:
            raise ValidationError(_now("These are too many lines."))
        for at, words in enumerate(lines, start=1):
            if not words.strip():
                continue
            problem = self._line(words, found)
            if problem:
                wrong.append(_now("Line {n}: {problem}").format(n=at, problem=problem))
        if wrong:
            raise ValidationError(wrong[:10])
        if not found:
            raise ValidationError(_now("There is no reading in it."))
        if max(found.values()) <= 0.01 and any(0 < share < 0.01 for share in found.values()):
            # Shares in place of per cent would make every area look not ready at all.
            raise ValidationError(
                _now("All numbers are 1 or less. Say how many of 100 schools are ready: 45, not "
                     "0.45.")
            )  # fmt: skip
        return found

    def _line(self, words: str, found: dict[int, float]) -> str:
        mark = next((each for each in ("\t", ";", ",") if each in words), None)
        if mark is None:
            return _now("a tab, semicolon or comma between name and number is missing.")
        name, _mark, value = words.partition(mark) if mark != "," else words.rpartition(",")
        key = plain(name)
        if key not in self.areas:
            return _now('no area of this study is called "{name}".').format(name=name.strip()[:60])
        area = self.areas[key]
        if area is None:
            return _now('two areas are called "{name}"; give theirs on their pages.').format(
                name=name.strip()[:60]
            )
        if area in found:
            return _now("this area has a line above already.")
        try:
            share = float(value.strip().rstrip("%").strip().replace(",", "."))
        except ValueError:
            return _now('"{value}" is no number.').format(value=value.strip()[:30])
        if not 0 <= share <= 100:
            return _now("give a number from 0 to 100.")
        found[area] = share / 100
        return ""


class AssumptionForm(SeenForm):
    """A range and where it comes from."""

    low = _number(_("Low: hardly ever less"))
    value = _number(_("Value: the most likely"))
    high = _number(_("High: hardly ever more"))
    source = forms.CharField(
        label=_("Where it comes from"), max_length=300,
        help_text=_("A study, a count, the people you asked. Where nobody has measured it, write: "
                    "assumed."),
    )  # fmt: skip


class PickForm(forms.Form):
    plan = forms.CharField(widget=forms.HiddenInput, max_length=60)


class MoveForm(SeenForm):
    """Areas begin in another term."""

    areas = forms.TypedMultipleChoiceField(
        label=_("Which areas"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    start = forms.IntegerField(label=_("Begin in term"), min_value=1)
    speed = forms.TypedChoiceField(label=_("Terms of support"), coerce=int, required=False,
                                   empty_value=None)  # fmt: skip
    note = forms.CharField(
        label=_("Why"), max_length=LONGEST["note"], required=False,
        help_text=_("Stays in the plan's history."),
    )  # fmt: skip

    def __init__(
        self, *args: Any, areas: Sequence[tuple[int, str]], speeds: Sequence[int], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (
            ("areas", list(areas)),
            ("speed", [("", _now("as it is")), *((each, str(each)) for each in speeds)]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices


class AdoptForm(SeenForm):
    on = forms.DateField(label=_("Holds from"), widget=forms.DateInput(attrs=DAY))
    comes_with = forms.CharField(
        label=_("What an area gets when it begins"),
        max_length=LONGEST["comes_with"],
        widget=forms.Textarea(attrs={"rows": 5}),
        required=False,
        help_text=_("In your own words, for districts and schools: who comes, what is offered, "
                    "whom to ask. The number of terms and of support days stands beside it."),
    )  # fmt: skip


class WhyForm(SeenForm):
    why = forms.CharField(
        label=_("Why"), max_length=LONGEST["why"], widget=forms.Textarea(attrs={"rows": 3})
    )


class StartForm(SeenForm):
    """When an area really began."""

    what = forms.ChoiceField(
        label=_("How it stands"), widget=forms.RadioSelect,
        choices=[("began", _("It has begun")), ("not_yet", _("It has not begun yet"))],
    )  # fmt: skip
    began = forms.DateField(
        label=_("Began on"), required=False, widget=forms.DateInput(attrs=DAY)
    )  # fmt: skip
    note = forms.CharField(label=_("Note"), max_length=500, required=False)

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        unsaid = data and data.get("what") == "began" and not data.get("began")
        if unsaid and "began" not in self.errors:
            self.add_error("began", _now("Say on which day it began."))
        if data and data.get("what") == "not_yet":
            data["began"] = None
        return data


class AcceptForm(SeenForm):
    names = forms.MultipleChoiceField(
        label=_("Take over into the study"), widget=forms.CheckboxSelectMultiple, required=False
    )
    why = forms.CharField(label=_("Why"), max_length=LONGEST["why"], required=False)

    def __init__(self, *args: Any, names: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["names"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(names)
