"""The forms of evaluations: the plan, what could be detected, the list's filter, a reason."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.dates import MONTHS
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment import queries as alignment
from brightspots_web.connectedness import begun_queries as begun
from brightspots_web.evidence import evaluation_queries as queries
from brightspots_web.evidence import evaluation_treated_queries as treated
from brightspots_web.evidence import evaluation_words as words
from brightspots_web.evidence.evaluation_actions import MOST_ANTICIPATION, Plan
from brightspots_web.evidence.evaluation_models import Evaluation
from brightspots_web.shared.forms import long_text, offer

NOT_NEEDED = ("", _("none"))


class PlanForm(forms.Form):
    """What is asked and how it is to be answered; written before the answer is known."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    title = forms.CharField(label=_("Name of the evaluation"), max_length=160)
    question = long_text(
        _("The question"), _("One sentence with a question mark: did what help whom in what?"), 1000
    )
    kind = forms.ChoiceField(label=_("What is evaluated"), choices=Evaluation.Kind.choices)
    priority = forms.ChoiceField(
        label=_("At which priority"), required=False, help_text=_("Needed for support.")
    )
    practice = forms.ChoiceField(
        label=_("Which practice"), required=False, help_text=_("Needed for a practice.")
    )
    subject = forms.ChoiceField(
        label=_("Outcome by which it is judged"),
        help_text=_("As the published analysis has it: what pupils reach beyond pupils like them."),
    )
    control = forms.ChoiceField(
        label=_("Compared with whom"),
        choices=Evaluation.Control.choices,
        initial=Evaluation.Control.NOT_YET,
    )
    design = forms.ChoiceField(
        label=_("Where the comparison comes from"),
        choices=Evaluation.Design.choices,
        initial=Evaluation.Design.COMPARISON,
    )
    lottery = forms.ChoiceField(
        label=_("Which lottery"),
        required=False,
        help_text=_("Where a lottery decided: one that was drawn here, so that all can check it."),
    )
    design_words = long_text(
        _("The same in plain words"),
        _("How did it come about that these schools began and others did not, or later?"),
        2000,
    )
    anticipation = forms.TypedChoiceField(
        label=_("Years before it that may be touched already"),
        coerce=int,
        choices=[(n, str(n)) for n in range(MOST_ANTICIPATION + 1)],
        initial=1,
        help_text=_(
            "1 where schools were chosen on their latest result: weak results rise by themselves."
        ),
    )
    results_month = forms.TypedChoiceField(
        label=_("Results of a year are taken at the end of"),
        coerce=int,
        choices=list(MONTHS.items()),
        initial=11,
    )
    least_days = forms.IntegerField(
        label=_("A school counts from the first results so many days after it began"),
        min_value=0,
        max_value=730,
        initial=90,
    )
    covariates = forms.MultipleChoiceField(
        label=_("Circumstances to adjust for"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Few: each costs certainty, and schools without it are left out."),
    )
    cluster = forms.BooleanField(
        label=_("Schools of one partnership count as one piece of evidence"),
        required=False,
        initial=True,
    )
    cost_amount = forms.DecimalField(
        label=_("What it costs"), required=False, min_value=0, max_digits=14, decimal_places=2
    )
    cost_currency = forms.CharField(label=_("Currency"), required=False, max_length=10)
    cost_per = forms.ChoiceField(
        label=_("The cost of what"), required=False, choices=[NOT_NEEDED, *Evaluation.Per.choices]
    )
    cost_includes = long_text(
        _("What the cost includes"),
        _("Days of leaders, travel, books, food; and what it leaves out."),
        2000,
        required=False,
    )
    change_our_mind = long_text(
        _("What would change our mind"),
        _("Which result, seen by whom, would make you say the opposite?"),
        2000,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.priorities = {each.code: each for each in alignment.all_priorities()}
        self.practices = {each.code: each for each in begun.public_practices()}
        self.lotteries = {str(each.code): each for each in treated.drawn_lotteries()}
        for name, offered in (
            ("priority", self.priorities),
            ("practice", self.practices),
            ("lottery", self.lotteries),
        ):
            known = [(code, str(each)) for code, each in offered.items()]
            offer(self, name, [NOT_NEEDED, *known])
        offer(self, "subject", [(each, each) for each in treated.outcomes()])
        about = treated.covariates_offered()
        offer(self, "covariates", [(each, each) for each in about])
        if not about:
            del self.fields["covariates"]

    def plan(self) -> Plan:
        """What was asked for; the form is valid."""
        asked = {name: value for name, value in self.cleaned_data.items() if name != "seen"}
        return Plan(
            **asked
            | {
                "priority": self.priorities.get(asked["priority"]),
                "practice": self.practices.get(asked["practice"]),
                "lottery": self.lotteries.get(asked["lottery"]),
                "covariates": tuple(asked.get("covariates", ())),
            }
        )


def as_it_stands(found: Evaluation) -> dict[str, Any]:
    """A plan as its form shows it again."""
    plain = (
        "title", "question", "kind", "subject", "control", "design", "design_words",
        "anticipation", "results_month", "least_days", "covariates", "cluster", "cost_amount",
        "cost_currency", "cost_per", "cost_includes", "change_our_mind",
    )  # fmt: skip
    return {
        "seen": found.version,
        **{name: getattr(found, name) for name in plain},
        "priority": found.priority.code if found.priority is not None else "",
        "practice": found.practice.code if found.practice is not None else "",
        "lottery": str(found.lottery.code) if found.lottery is not None else "",
    }


class PowerForm(forms.Form):
    """What could we detect with so many schools? Read from the address."""

    schools = forms.IntegerField(
        label=_("Schools in all, with it and without"), min_value=4, max_value=100_000, initial=40
    )
    share = forms.IntegerField(
        label=_("Of a hundred schools, so many begin"), min_value=1, max_value=99, initial=50
    )
    pupils = forms.IntegerField(
        label=_("Pupils with results, a school and year"), min_value=1, max_value=10_000, initial=30
    )
    icc = forms.IntegerField(
        label=_("Of a hundred parts of pupils’ differences, so many lie between schools"),
        min_value=0,
        max_value=99,
        initial=15,
        help_text=_("As the published analysis has it, where there is one."),
    )
    pre_years = forms.IntegerField(
        label=_("Years of results before it"), min_value=0, max_value=20, initial=2
    )
    post_years = forms.IntegerField(
        label=_("Years of results with it"), min_value=1, max_value=20, initial=1
    )


class WorksFilter(forms.Form):
    """What the list is narrowed to; read from the address."""

    priority = forms.ChoiceField(label=_("Priority"), required=False)
    practice = forms.ChoiceField(label=_("Practice"), required=False)
    context = forms.ChoiceField(label=_("Kind of schools that began"), required=False)
    state = forms.ChoiceField(label=_("How it stands"), required=False)

    def __init__(self, *args: Any, evaluations: Sequence[Evaluation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        every = ("", _("all"))
        priorities = queries.priorities_of(evaluations)
        practices = {each.practice.code: each.practice for each in evaluations if each.practice}
        contexts = queries.contexts(evaluations)
        offer(self, "priority", [every, *((each.code, each.title) for each in priorities)])
        offer(self, "practice", [every, *((code, each.title) for code, each in practices.items())])
        offer(self, "context", [every, *((each, words.context_name(each)) for each in contexts)])
        offer(self, "state", [every, *Evaluation.State.choices])

    def search(self) -> queries.Search:
        """What the form asks for; what makes no sense is left out."""
        self.is_valid()
        asked = {name: self.cleaned_data.get(name, "") for name in self.fields}
        return queries.Search(**asked)


class ReasonForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    reason = forms.CharField(
        label=_("Why"),
        max_length=500,
        help_text=_("Everybody reads it beside the evaluation, which stays on the list."),
    )
