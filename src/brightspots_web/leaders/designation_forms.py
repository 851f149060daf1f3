"""Forms of applying, backing, deciding on terms; nothing that is known is asked for."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory import queries as directory
from brightspots_web.directory.forms import AreaFilter
from brightspots_web.directory.models import Partnership
from brightspots_web.leaders import designation_actions as actions
from brightspots_web.leaders import designation_words as words
from brightspots_web.leaders.designation_criteria_actions import RANGES, Wanted
from brightspots_web.leaders.designation_queries import Narrowed, Search
from brightspots_web.leaders.models import Application, Criteria, Grade
from brightspots_web.shared.words import day

DAY = {"type": "date"}


def choose(form: forms.Form, name: str, choices: Sequence[tuple[str, Any]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = list(choices)


class Seen(forms.Form):
    """What the person had in front of them: the version of the row."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)


class LeadersFilter(forms.Form):
    """What the list of leaders is narrowed to; read from the address."""

    q = forms.CharField(label=_("Name, school or area"), required=False, max_length=100)
    priority = forms.ChoiceField(label=_("Priority"), required=False)
    grade = forms.ChoiceField(
        label=_("As"), required=False, choices=[("", _("all")), *Grade.choices]
    )
    ends = forms.ChoiceField(
        label=_("Term"),
        required=False,
        choices=[("", _("all")), ("soon", _("ends within 120 days"))],
    )

    def __init__(self, *args: Any, priorities: Sequence[Priority], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self, "priority", [("", _now("all")), *((str(p.pk), p.title) for p in priorities)])

    def search(self) -> Search:
        """What a filter asks for; what it cannot read is left out."""
        data = self.cleaned_data if self.is_valid() else {}
        chosen = data.get("priority") or ""
        return Search(
            data.get("q", ""),
            int(chosen) if chosen else None,
            data.get("grade", ""),
            data.get("ends", ""),
        )


class ApplicationsFilter(AreaFilter):
    """What the list of applications is narrowed to; open ones where nothing is said."""

    state = forms.ChoiceField(label=_("State"), required=False)
    waits = forms.ChoiceField(
        label=_("Waits for"),
        required=False,
        choices=[("", _("all")), ("backing", _("the district's backing"))],
    )
    field_order = ("state", "waits", "area")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self, "state", [("", _now("all that are open")), *Application.State.choices])

    def narrowed(self) -> Narrowed | None:
        """None where an area is asked for that cannot be found."""
        if not self.is_valid():
            return None
        data = self.cleaned_data
        return Narrowed(data["state"], data["area"], data["waits"])


class ApplicationForm(Seen):
    """What only the person can say."""

    grade = forms.ChoiceField(label=_("You would like to"), widget=forms.RadioSelect)
    priorities = forms.MultipleChoiceField(
        label=_("In which priorities could you help other schools?"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A specialist names at least one."),
    )
    head_since = forms.DateField(
        label=_("Since when have you been a head?"),
        required=False,
        widget=forms.DateInput(attrs=DAY),
    )
    stays_until = forms.DateField(
        label=_("Until when do you expect to stay at your school?"),
        required=False,
        widget=forms.DateInput(attrs=DAY),
        help_text=_("As you see it today; it binds nobody."),
    )
    days = forms.IntegerField(
        label=_("Days a year for other schools"), min_value=1, max_value=actions.MOST_DAYS
    )
    statement = forms.CharField(
        label=_("Why would you like to lead?"),
        required=False,
        max_length=actions.LONGEST_STATEMENT,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_(
            "What you did at your school, and what you would do with others. The panel reads it. "
            "Name no pupils. You can leave it empty until you hand it in."
        ),
    )
    governors_by = forms.CharField(
        label=_("Who of the governors backs you?"),
        required=False,
        max_length=200,
        help_text=_("Name and office."),
    )
    governors_on = forms.DateField(
        label=_("On which day did they say so?"),
        required=False,
        widget=forms.DateInput(attrs=DAY),
    )

    def __init__(
        self,
        *args: Any,
        priorities: Sequence[Priority],
        ask_since: bool,
        known_since: date | None,
        governors: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.offered = {each.code: each for each in priorities}
        choose(self, "priorities", [(each.code, each.title) for each in priorities])
        choose(self, "grade", [(grade.value, words.wish(grade)) for grade in Grade])
        if not ask_since:
            del self.fields["head_since"]
        else:
            self.fields["head_since"].help_text = since_hint(known_since)
        if not governors:
            del self.fields["governors_by"]
            del self.fields["governors_on"]

    @staticmethod
    def of(found: Application) -> dict[str, Any]:
        names = (
            "grade", "head_since", "stays_until", "days", "statement", "governors_by",
            "governors_on",
        )  # fmt: skip
        chosen = [each.code for each in found.priorities.all()]
        values = {name: getattr(found, name) for name in names}
        return values | {"priorities": chosen, "seen": found.version}

    def written(self) -> actions.Written:
        data = self.cleaned_data
        return actions.Written(
            grade=data["grade"],
            priorities=[self.offered[code] for code in data["priorities"]],
            head_since=data.get("head_since"),
            stays_until=data["stays_until"],
            days=data["days"],
            statement=data["statement"],
            governors_by=data.get("governors_by", ""),
            governors_on=data.get("governors_on"),
        )


def since_hint(known: date | None) -> str:
    """What the register knows, and who confirms what it does not."""
    if known is None:
        return _now(
            "The register knows of no time as a head. A specialist says since when they have "
            "served at a school. Your officer confirms it by backing you."
        )
    return _now(
        "The register knows it since {day}. If it was earlier, say since when; your officer "
        "confirms it by backing you."
    ).format(day=day(known))


class WithoutForm(Seen):
    """The ministry takes an application without some criteria, and says why."""

    keys = forms.MultipleChoiceField(
        label=_("Taken without"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    why = forms.CharField(
        label=_("Why"), max_length=actions.LONGEST_WHY, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, keys: Sequence[str], grade: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self, "keys", [(key, words.criterion(key, grade)) for key in keys])


class ResignForm(Seen):
    last_day = forms.DateField(
        label=_("Your last day"), widget=forms.DateInput(attrs=DAY), initial=directory.today
    )
    why = forms.CharField(
        label=_("Why"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "The officers over your school and the ministry read it; your partnership is told the "
            "day alone."
        ),
    )


class PartnershipForm(forms.Form):
    """A partnership that nobody leads."""

    partnership = forms.ChoiceField(label=_("Partnership without a leader"))

    def __init__(
        self, *args: Any, partnerships: Sequence[tuple[Partnership, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.partnerships = {each.code: each for each, _label in partnerships}
        choose(self, "partnership", [(each.code, label) for each, label in partnerships])

    def chosen(self) -> Partnership:
        return self.partnerships[self.cleaned_data["partnership"]]


def _number(label: Any, name: str, hint: Any = "") -> forms.IntegerField:
    low, high = RANGES[name]
    return forms.IntegerField(label=label, min_value=low, max_value=high, help_text=hint)


class CriteriaForm(Seen):
    """What is asked of leaders; 0: it is not asked."""

    years_as_head = _number(
        _("Years as a head, at least"), "years_as_head", _("0: it is not asked.")
    )
    years_to_stay = _number(
        _("Years that they expect to stay, at least"), "years_to_stay", _("0: it is not asked.")
    )
    years_of_results = _number(
        _("Years of published results of the school, at least"),
        "years_of_results",
        _("0: it is not asked. A leader in office whose school has none for so long is warned."),
    )
    governors = forms.BooleanField(label=_("The governors back it"), required=False)
    director = forms.BooleanField(label=_("The district's office backs it"), required=False)
    term_years = _number(_("Years of a term"), "term_years")
    panel_size = _number(_("Views that a decision needs"), "panel_size")
    days = _number(_("Days a year for other schools, where nothing else is agreed"), "days")
    few_per_schools = _number(
        _("An area has few leaders above so many schools for each"), "few_per_schools"
    )

    @staticmethod
    def of(found: Criteria) -> dict[str, Any]:
        names = Wanted.__dataclass_fields__
        return {name: getattr(found, name) for name in names} | {"seen": found.version}

    def wanted(self) -> Wanted:
        return Wanted(**{name: self.cleaned_data[name] for name in Wanted.__dataclass_fields__})
