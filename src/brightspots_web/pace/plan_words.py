"""What rollout plans are called in plain words: measures, plans, assumptions, differences."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from brightspots_web.pace import plan_calendar as calendar
from brightspots_web.pace.plan_models import PlanStudy
from brightspots_web.shared.charts import number
from brightspots_web.shared.words import day

Words = str | Promise

MEASURES: Mapping[str, tuple[Words, Words]] = {
    "abandoned": (gettext_lazy("Left alone too early"), gettext_lazy("school-terms")),
    "held_back": (gettext_lazy("Held back though ready"), gettext_lazy("school-terms")),
    "gain": (gettext_lazy("Gain in learning"), gettext_lazy("pupil SD, added over school-terms")),
    "cost": (gettext_lazy("Cost"), gettext_lazy("working days")),
    "full_coverage": (
        gettext_lazy("First term with 9 in 10 schools ready and responsible"),
        gettext_lazy("term"),
    ),
    "covered_at_end": (
        gettext_lazy("Ready and responsible in the end"),
        gettext_lazy("% of schools"),
    ),
}
"""Measure -> what it is called, its unit."""

PARTS: Mapping[str, Words] = {
    "responsibility_early": gettext_lazy("had to carry more than it was ready for"),
    "support_missing": gettext_lazy("promised support did not come"),
    "support_ended_early": gettext_lazy("support ended before it was ready"),
    "waiting_to_begin": gettext_lazy("ready, and waiting for its wave"),
    "held_back_in_steps": gettext_lazy("ready, and responsibility came step by step"),
    "support": gettext_lazy("support"),
    "leaders_time": gettext_lazy("leaders away from their own school"),
    "training": gettext_lazy("training"),
}

ASSUMPTIONS: Mapping[str, tuple[Words, Words]] = {
    "schools_per_leader": (
        gettext_lazy("Schools that one leader can lead"), gettext_lazy("schools")),
    "leader_leaving": (
        gettext_lazy("Leaders who leave in a term"), gettext_lazy("share of those available")),
    "training_terms": (
        gettext_lazy("How long it takes to train a leader"), gettext_lazy("terms")),
    "training_finished": (
        gettext_lazy("Trainees who become leaders"), gettext_lazy("share of those in training")),
    "training_places": (
        gettext_lazy("Places for new trainees in a term"),
        gettext_lazy("share of the leaders an area needs")),
    "support_days_per_school": (
        gettext_lazy("Days of full support for a school"), gettext_lazy("days a term")),
    "support_arrives": (
        gettext_lazy("Planned support that really arrives"), gettext_lazy("share of the days")),
    "growth_supported": (
        gettext_lazy("Schools that become ready with full support"),
        gettext_lazy("share a term of those not ready")),
    "growth_unaided": (
        gettext_lazy("Schools that become ready without support"),
        gettext_lazy("share a term of those not ready")),
    "fade": (
        gettext_lazy("Ready schools that slip back once no leader stays"),
        gettext_lazy("share a term of those ready")),
    "readiness_bias": (
        gettext_lazy("True readiness less the reading given"), gettext_lazy("share of schools")),
    "readiness_error": (
        gettext_lazy("How far readings of single areas are off"),
        gettext_lazy("share of schools (SD)")),
    "growth_spread": (
        gettext_lazy("How much areas differ in how fast schools become ready"),
        gettext_lazy("SD of the logarithm")),
    "gain_ready": (
        gettext_lazy("Gain where a school is ready and responsible"),
        gettext_lazy("pupil SD a term")),
    "loss_abandoned": (
        gettext_lazy("Loss where a school is left alone"), gettext_lazy("pupil SD a term")),
    "leader_days": (
        gettext_lazy("Days a leader at work is away from the own school"),
        gettext_lazy("days a term")),
    "training_days": (
        gettext_lazy("Days that training a leader takes"), gettext_lazy("days a term")),
}  # fmt: skip
"""Assumption -> what it is, its unit."""

USUAL: Mapping[str, Words] = {
    "all-at-once": gettext_lazy("All areas at once"),
    "one-per-term": gettext_lazy("One area after the other"),
    "by-readiness": gettext_lazy("The readiest first"),
    "region-by-region": gettext_lazy("Region by region"),
}
HALF = 0.5
SURE, LIKELY = 0.95, 0.8


def plan_name(name: str) -> str:
    """A plan as people call it: "Plan 3", "All areas at once, 6 terms of support"."""
    kind, _dash, tail = name.rpartition("-")
    if kind == "curve":
        return _("Plan {n}").format(n=tail)
    if kind in USUAL and tail.isdecimal():
        return _("{plan}, {support}").format(plan=USUAL[kind], support=support(int(tail)))
    return name


def support(terms: int) -> str:
    return ngettext("{n} term of support", "{n} terms of support", terms).format(n=terms)


def areas(n: int) -> str:
    return ngettext("{n} area", "{n} areas", n).format(n=n)


def term(study: PlanStudy, at: int) -> str:
    """A term with its first day."""
    return _("term {n}, from {day}").format(n=at, day=day(calendar.first_day(study, at)))


def assumption(name: str) -> str:
    return str(ASSUMPTIONS[name][0]) if name in ASSUMPTIONS else name


def unit_of(name: str) -> str:
    return str(ASSUMPTIONS[name][1]) if name in ASSUMPTIONS else ""


def source(words: str) -> str:
    """Where a range comes from; "assumed" in the reader's language."""
    return _("assumed") if words == "assumed" else words


def digits_of(name: str) -> int:
    """Decimals in which a measure is told."""
    return 1 if name == "gain" else 0


def total(rows: Any, name: str) -> Mapping[str, Any]:
    """The total of a measure among the rows of a plan."""
    found: Mapping[str, Any] = next(
        row for row in rows if row["measure"] == name and row["part"] == "total"
    )
    return found


def spread(row: Mapping[str, Any]) -> str:
    """The middle with the range of 8 in 10 futures."""
    digits = digits_of(row["measure"])
    return _("{middle} ({low} to {high})").format(
        middle=number(row["median"], digits),
        low=number(row["low80"], digits),
        high=number(row["high80"], digits),
    )


def measured(row: Mapping[str, Any], terms: int = 0) -> str:
    """A measure in one sentence. `terms`: how many are followed, for what is not reached."""
    name = row["measure"]
    digits = digits_of(name)
    values = {
        "middle": number(row["median"], digits),
        "low": number(row["low80"], digits),
        "high": number(row["high80"], digits),
    }
    if name == "abandoned":
        return _(
            "About {middle} school-terms in which a school is left alone too early. In 8 of 10 "
            "futures between {low} and {high}."
        ).format(**values)
    if name == "held_back":
        return _(
            "About {middle} school-terms in which a school is ready and not let. In 8 of 10 "
            "futures between {low} and {high}."
        ).format(**values)
    if name == "cost":
        return _(
            "About {middle} working days: support, leaders' time and training. In 8 of 10 futures "
            "between {low} and {high}."
        ).format(**values)
    if name == "gain":
        return _(
            "About {middle} pupil SD, added over all school-terms. In 8 of 10 futures between "
            "{low} and {high}. This rests on the two assumptions about gain and loss alone."
        ).format(**values)
    if name == "covered_at_end":
        return _(
            "About {middle} % of the schools in term {terms}, the last that is followed. In 8 of "
            "10 futures between {low} and {high} %."
        ).format(**values, terms=terms)
    not_reached = row.get("not_reached") or 0.0
    if not_reached > HALF:
        return _(
            "In {share} % of the futures 9 in 10 schools are not ready and responsible within "
            "{terms} terms."
        ).format(share=number(100 * not_reached, 0), terms=terms)
    words = _(
        "About term {middle}. In 8 of 10 futures between term {low} and term {high}."
    ).format(**values)  # fmt: skip
    if not_reached:
        words += " " + _("In {share} % it is not reached within {terms} terms.").format(
            share=number(100 * not_reached, 0), terms=terms
        )
    return words


def covered(row: Mapping[str, Any], terms: int) -> str:
    """Full coverage in a cell."""
    if (row.get("not_reached") or 0.0) > HALF:
        return _("not within {terms} terms").format(terms=terms)
    return _("term {middle} ({low} to {high})").format(
        middle=number(row["median"], 0), low=number(row["low80"], 0), high=number(row["high80"], 0)
    )


def coverage_difference(before: Mapping[str, Any], after: Mapping[str, Any], terms: int) -> str:
    """What a change does to full coverage where it is often not reached: no term to compare."""
    return _(
        "Not reached within {terms} terms in {after} % of the futures; in {before} % with the plan "
        "that was picked."
    ).format(
        terms=terms, after=number(100 * (after["not_reached"] or 0.0), 0),
        before=number(100 * (before["not_reached"] or 0.0), 0),
    )  # fmt: skip


def difference(row: Mapping[str, Any]) -> str:
    """What a change by hand does to a measure, paired future by future, and how sure that is."""
    name = row["measure"]
    digits = digits_of(name)
    low, high = row["low80"], row["high80"]
    if max(abs(low), abs(high), abs(row["median"])) < 0.5 * 10.0**-digits:
        return _("No difference that could be told.")
    values = {
        "middle": number(row["median"], digits, signed=True),
        "low": number(low, digits, signed=True),
        "high": number(high, digits, signed=True),
    }
    words = _("{middle}; in 8 of 10 futures between {low} and {high}.").format(**values)
    for share, more in ((row["higher"], True), (row["lower"], False)):
        if share >= LIKELY:
            told = number(100 * share, 0)
            return words + " " + (
                _("More in {share} % of the futures.") if more
                else _("Less in {share} % of the futures.")
            ).format(share=told)  # fmt: skip
    return words + " " + _("Whether it is more or less cannot be told.")


def promises_not() -> list[str]:
    """What the planner does not promise; on every page of it."""
    return [
        _("It is no forecast. It says what follows if the assumptions hold, and most are assumed."),
        _("It knows shares of schools, not schools. It cannot say which school will feel alone."),
        _("It knows nothing of elections, strikes, floods, or budgets cut in mid-year."),
        _("It moves no power by itself. When an area's term comes, people look whether it is "
          "ready. A plan is a reason to look, not to go on regardless."),
        _("It does not compare areas. An early term is no praise, a late one no blame."),
    ]  # fmt: skip
