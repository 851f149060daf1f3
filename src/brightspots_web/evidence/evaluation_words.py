"""What a finding says, in plain words: how large, how sure, compared with whom, who is missing.

A finding is the dictionary that `analysis/evaluation.py` made and `EvaluationResult` keeps.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.dates import MONTHS
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.evidence.evaluation_models import Evaluation
from brightspots_web.evidence.evaluation_treated_queries import CHANCE
from brightspots_web.insight.disclosure import FEWEST_SCHOOLS
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge

Finding = Mapping[str, Any]
State = Evaluation.State
Kind = Evaluation.Kind
MOST_SECURE = 5


def badge(evaluation: Evaluation) -> Badge:
    published = evaluation.state == State.PUBLISHED
    return Badge(str(evaluation.get_state_display()), "plain" if published else "unsure")


def what(evaluation: Evaluation) -> str:
    """What is evaluated, in a few words."""
    if evaluation.kind == Kind.PRACTICE and evaluation.practice is not None:
        return _("The practice “{title}”").format(title=evaluation.practice.title)
    if evaluation.kind == Kind.SUPPORT and evaluation.priority is not None:
        return _("Support by another school at “{title}”").format(title=evaluation.priority.title)
    return _("Partnerships that began")


# How large


def has_effect(finding: Finding) -> bool:
    simple = finding.get("simple") or {}
    return simple.get("att") is not None and simple.get("lower") is not None


def verdict(finding: Finding | None) -> str:
    """What came of it, in a few words for a list: neither a rank nor a mark."""
    if finding is None:
        return _("not run yet")
    if not has_effect(finding):
        return _("no estimate: there was too little to compare with")
    simple = finding["simple"]
    if simple["lower"] > 0:
        return _("results were higher with it")
    if simple["upper"] < 0:
        return _("results were lower with it")
    return _("no effect could be told from none")


def effect(finding: Finding) -> str:
    """`+0.12 (+0.04 to +0.20)`; "" without an estimate."""
    if not has_effect(finding):
        return ""
    simple = finding["simple"]
    return _("{value} ({low} to {high})").format(
        value=sd(simple["att"]), low=sd(simple["lower"]), high=sd(simple["upper"])
    )


def sd(value: float | None) -> str:
    return number(value, 2, signed=True)


def sentence(finding: Finding, subject: str) -> str:
    """The effect with its interval, in words."""
    if not has_effect(finding):
        return no_estimate(finding)
    simple = finding["simple"]
    names = {
        "subject": subject,
        "value": number(abs(simple["att"]), 2),
        "low": sd(simple["lower"]),
        "high": sd(simple["upper"]),
    }
    if simple["lower"] > 0:
        return _(
            "In {subject}, pupils of the schools that began reached about {value} SD of pupils "
            "more than they would have otherwise. It is likely between {low} and {high}."
        ).format(**names)
    if simple["upper"] < 0:
        return _(
            "In {subject}, pupils of the schools that began reached about {value} SD of pupils "
            "less than they would have otherwise. It is likely between {low} and {high}."
        ).format(**names)
    return _(
        "In {subject}, no difference could be told from none. An effect between {low} and {high} "
        "SD of pupils fits what was seen; larger ones in either direction do not fit well."
    ).format(**names)


def no_estimate(finding: Finding) -> str:
    if finding.get("security", {}).get("rating") == 0 and not finding["counts"].get(
        "comparison_units"
    ):
        return _(
            "There was nobody to compare with. Results change from year to year by themselves, so "
            "a change over time is no effect, and none is given here. The raw paths stand below."
        )
    return _(
        "Too few schools or partnerships stand behind it to tell an effect from luck, so none is "
        "given here. The raw paths stand below."
    )


def percentile(finding: Finding) -> tuple[str, str] | None:
    """Percentile points of a pupil at the middle, with both ends; None as for months."""
    size = finding.get("size")
    if not size or not has_effect(finding) or not finding["security"]["months_allowed"]:
        return None
    ends = _("{low} and {high}").format(
        low=number(size["percentile_lower"], 0, signed=True),
        high=number(size["percentile_upper"], 0, signed=True),
    )
    return number(size["percentile_gain"], 0, signed=True), ends


def months(finding: Finding) -> tuple[str, str] | None:
    """Months of progress with both ends; None where the design does not allow them."""
    size = finding.get("size")
    if not size or size.get("months") is None or not finding["security"]["months_allowed"]:
        return None
    ends = _("{low} and {high}").format(
        low=number(size["months_lower"], 0, signed=True),
        high=number(size["months_upper"], 0, signed=True),
    )
    return number(size["months"], 0, signed=True), ends


# How sure


def security(finding: Finding) -> str:
    rating = finding["security"]["rating"]
    return _("{rating} of {most}").format(rating=rating, most=MOST_SECURE)


def reasons(finding: Finding) -> list[tuple[str, str, bool]]:
    """Each part of the rating: the most it allows, the reason, whether it holds the rating down."""
    rating = finding["security"]["rating"]
    return [
        (
            _("at most {most}").format(most=part["most"]),
            _reason(part["part"], part["reason"], finding),
            part["most"] == rating,
        )
        for part in finding["security"]["parts"]
    ]


def _reason(part: str, library: str, finding: Finding) -> str:
    made = {
        "design": _design_reason, "attrition": _attrition, "balance": _balance, "size": _size,
        "precision": _precision, "pre-trends": _trends, "second answer": _second,
    }.get(part)  # fmt: skip
    return made(finding.get("facts", {}), library) if made else library


def _design_reason(facts: Mapping[str, Any], library: str) -> str:
    for begins, words in (
        ("a lottery", _("A lottery decided who began first.")),
        ("compared with schools that were eligible",
         _("Compared with schools that could have had it and did not yet.")),
        ("compared with other", _("Compared with other schools, without a lottery.")),
    ):  # fmt: skip
        if library.startswith(begins):
            return words
    return _("Nothing to compare with: a change over time is not an effect.")


def _attrition(facts: Mapping[str, Any], library: str) -> str:
    words = _("{share} in a hundred schools were lost for a missing year.").format(
        share=number(100 * facts.get("attrition", 0.0), 0)
    )
    if facts.get("apart"):
        words += " " + _("That differs much between schools that began and the others.")
    return words


def _balance(facts: Mapping[str, Any], library: str) -> str:
    worst = facts.get("imbalance")
    if worst is None:
        return _("It is not known how alike the schools were before.")
    return _("Before it, the schools were {n} SD of schools apart.").format(n=number(worst, 2))


def _size(facts: Mapping[str, Any], library: str) -> str:
    return _("{a} schools or partnerships began, {b} are compared with.").format(
        a=facts.get("treated_clusters", 0), b=facts.get("comparison_clusters", 0)
    )


def _precision(facts: Mapping[str, Any], library: str) -> str:
    return _("It could find an effect of {n} SD of pupils or more.").format(
        n=number(facts.get("detectable"), 2)
    )


def _trends(facts: Mapping[str, Any], library: str) -> str:
    p = facts.get("pre_trend_p")
    if p is None:
        return _("Trends before it could not be compared.")
    if p < 0.05:
        return _("Trends differed before it began (p = {p}).").format(p=number(p, 3))
    return _("No difference of trends was seen before it began (p = {p}).").format(p=number(p, 2))


def _second(facts: Mapping[str, Any], library: str) -> str:
    return _("Adjusting for earlier results gives another answer.")


def trends(finding: Finding) -> str:
    """What is to be known of the trends before, beyond whether a test rejects."""
    found = finding.get("pretrends")
    if not found:
        return ""
    if found["p_value"] is None:
        return _("There are too few years before it to test whether trends were the same.")
    words = (
        _("Before it began, schools moved differently (p = {p}): read the effect with care.")
        if found["p_value"] < 0.05
        else _("Before it began, no difference of trends was seen (p = {p}). That is no proof.")
    ).format(p=number(found["p_value"], 2))
    if found.get("would_explain") is not None:
        words += " " + _("The drift that was seen would by itself add up to {n} SD.").format(
            n=sd(found["would_explain"])
        )
    return words


def bracket(finding: Finding) -> str:
    found = finding.get("bracket")
    if not found or found.get("low") is None:
        return ""
    names = {"low": sd(found["low"]), "high": sd(found["high"])}
    if found["agree"]:
        return _(
            "Two ways that err in opposite directions give {low} and {high}. The truth lies "
            "between them if one of the two is right; here they agree."
        ).format(**names)
    return _(
        "Two ways that err in opposite directions give {low} and {high}. They do not agree: the "
        "schools were perhaps chosen on results that would have changed by themselves."
    ).format(**names)


# Compared with whom, and who is missing


def rule(evaluation: Evaluation) -> str:
    """From when a school counts."""
    if evaluation.lottery is not None:
        began = _("A school counts as the lottery drew it, whether it went along or not.")
    else:
        began = {
            Kind.SUPPORT: _("A school counts from the day on which its support began."),
            Kind.PRACTICE: _("A school counts from the day on which it took the practice up."),
            Kind.PARTNERSHIP: _("A school counts from its first day in a partnership."),
        }[Kind(evaluation.kind)]
    results = _(
        "Results of a year are taken at the end of {month}; the first that count are those at "
        "least {n} days later. Once begun, a school counts as such ever after."
    ).format(month=MONTHS[evaluation.results_month], n=evaluation.least_days)
    return f"{began} {results}"


def anticipation(evaluation: Evaluation) -> str:
    n = evaluation.anticipation
    if not n:
        return _("The last year before it is taken as untouched by it.")
    return ngettext(
        "The last year before it is not used to compare: schools may have been chosen on it.",
        "The last %(n)s years before it are not used to compare: schools may have been chosen on "
        "them.",
        n,
    ) % {"n": n}


def comparison(evaluation: Evaluation, finding: Finding | None) -> str:
    words = {
        Evaluation.Control.NEVER: _("Compared with schools that never had it."),
        Evaluation.Control.NOT_YET: _("Compared with schools that did not have it yet, or never."),
        Evaluation.Control.NONE: _("Compared with nobody: before and after alone."),
    }[Evaluation.Control(evaluation.control)]
    if finding is None:
        return words
    n = finding["counts"]
    return f"{words} " + _("{a} schools that began, {b} others, {years}.").format(
        a=number(n["treated_units"], 0), b=number(n["comparison_units"], 0),
        years=years(finding),
    )  # fmt: skip


def years(finding: Finding) -> str:
    labels = finding["counts"]["periods"]
    return _("results of {first} to {last}").format(first=labels[0], last=labels[-1])


def left_out(finding: Finding) -> list[tuple[str, str]]:
    """Who is not in it and why: a reason, and how many, small numbers not counted out."""
    reasons = {
        "gave": _("gave it to others, so neither began nor waited"),
        "certain": _("had a place for certain, or no chance of one: no lot decided"),
        "withheld": _("too few pupils for a figure that may be shown"),
        "began_without_figures": _("began, and have no figure of this outcome"),
        "began_late": _("began after the last results: they count as not yet"),
    }
    left = finding.get("left", {})
    found: list[tuple[str, int | None]] = [
        (words, left[key]) for key, words in reasons.items() if key in left
    ]
    from_library = {
        "treated in the first period or before": _("began before the first results"),
        "no period before the anticipation of its treatment": _("no year before to compare with"),
        "not treated and not eligible": _("could not have had it, so are not compared with"),
        "no row in some periods": _("no figure in some year"),
        "no value in some periods": _("a circumstance to adjust for is not known"),
    }
    for reason, n in finding["counts"].get("left_out", {}).items():
        found.append((from_library.get(reason, reason), n))
    return [(words, counted(n)) for words, n in found]


def as_drawn(finding: Finding) -> str:
    """How many did not do as the lottery drew; "" where none decided."""
    found = finding.get("lot")
    if found is None:
        return ""
    return _(
        "Of the schools with a place, these did not begin: {stayed_out}. Of the others, these "
        "began all the same: {went_without}. All count as they were drawn, so the effect is that "
        "of being offered a place; that of taking it is larger."
    ).format(
        **{
            key: counted(found[key]) if key in found else _("none")
            for key in ("stayed_out", "went_without")
        }
    )


def adjusted(names: Sequence[str]) -> str:
    """What is adjusted for, in a line."""
    said = ", ".join(_circumstance(name) for name in names)
    return said or _("nothing but what schools reached before")


def measure(name: str) -> str:
    """In what schools were alike before: results, or a circumstance adjusted for."""
    return _("results") if name == "outcome" else _circumstance(name.removeprefix("about: "))


def _circumstance(name: str) -> str:
    return _("chance of a place") if name == CHANCE else name


def counted(n: int | None) -> str:
    if n is None or n < FEWEST_SCHOOLS:
        return _("fewer than {n}").format(n=FEWEST_SCHOOLS)
    return number(n, 0)


def cost(evaluation: Evaluation) -> str:
    if evaluation.cost_amount is None:
        return _("The cost is not known.")
    amount = number(float(evaluation.cost_amount), 2).removesuffix(number(0, 2)[1:])
    return _("{currency} {amount} {per}").format(
        currency=evaluation.cost_currency, amount=amount, per=evaluation.get_cost_per_display()
    )


def context_name(tag: str) -> str:
    """`poverty=upper` as a person says it."""
    name, _equals, band = tag.partition("=")
    bands = {
        "lower": _("{name}: lower third of schools"),
        "middle": _("{name}: middle third of schools"),
        "upper": _("{name}: upper third of schools"),
    }
    return bands[band].format(name=name) if band in bands else f"{name}: {band}"


def contexts(tags: Sequence[str]) -> str:
    return "; ".join(context_name(tag) for tag in tags) or _("schools of many kinds")


def on_day(day: date | None) -> str:
    return date_format(day, "DATE_FORMAT") if day is not None else ""


def power(found: Mapping[str, Any]) -> str:
    """What a plan could detect, in a sentence."""
    if not found:
        return ""
    return _(
        "With {n} schools, {share} in a hundred of them with it, an effect of {size} SD of pupils "
        "({months} months of progress) would be found four times out of five. A smaller one would "
        "mostly be missed."
    ).format(
        n=number(found["schools"], 0), share=round(100 * found["share"]),
        size=number(found["detectable"], 2), months=found["months"],
    )  # fmt: skip
