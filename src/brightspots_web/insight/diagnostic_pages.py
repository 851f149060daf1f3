"""What an analyst looks at before publishing: warnings, spreads, shape, influence, other ways."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.insight.models import Run, Sensitivity
from brightspots_web.shared.charts import Chart, Pair, number, scatter
from brightspots_web.shared.components import Cell, Column, Table

FAR = 0.001
"""A chance below this that effects are normal is worth a word; large systems show small bends."""
MUCH_DROPPED = 0.2
MOST_COEFFICIENTS = 60


@dataclass(frozen=True)
class Part:
    """One outcome on the page of diagnostics."""

    subject: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    components: Table
    quantiles: Chart | None
    ways: Table
    coefficients: Table
    influence: Table


def parts(run: Run, found: Mapping[str, Any]) -> list[Part]:
    """Every outcome of the run; `found` is what was kept beside it."""
    return [
        _part(subject, place, about, found.get(subject, {}))
        for place, (subject, about) in enumerate(run.summary.get("outcomes", {}).items())
    ]


def _part(subject: str, place: int, about: dict[str, Any], seen: dict[str, Any]) -> Part:
    model = about.get("model", {})
    return Part(
        subject,
        tuple(_warnings(about, model, seen)),
        tuple(_notes(about, model, seen)),
        _components(about, seen),
        _quantiles(subject, place, seen),
        _ways(about),
        _coefficients(model),
        _influence(seen),
    )


def _warnings(about: dict[str, Any], model: dict[str, Any], seen: dict[str, Any]) -> list[str]:
    """What stands in the way of publishing, in words; empty where nothing does."""
    found = [str(note) for note in model.get("notes", [])]
    if model.get("singular"):
        found.append(
            _(
                "No lasting difference between schools can be told from chance: every school's "
                "figure is 0. Publishing it tells people nothing."
            )
        )
    if "school_year" in model.get("boundary", []):
        found.append(
            _(
                "No difference between a school's years can be told from chance; intervals of "
                "what lasts may be a little narrow."
            )
        )
    # A year that fell out as a whole (no year before it) says nothing about who is left out.
    years = {str(year) for year in about.get("years", [])}
    dropped = sum(n for year, n in (model.get("dropped") or {}).items() if year in years)
    pupils = model.get("pupils") or 0
    if dropped > MUCH_DROPPED * (dropped + pupils):
        found.append(
            _(
                "{share} of the pupils are left out, since something about them is not known. If "
                "they differ from the others, so may the figures."
            ).format(share=_percent(dropped / (dropped + pupils)))
        )
    missing = model.get("not_identified") or []
    if missing:
        found.append(
            _("These say what others say already and were left out: {terms}.").format(
                terms=", ".join(map(str, missing))
            )
        )
    shape = seen.get("shape")
    if shape and shape["p_normal"] < FAR and abs(shape["excess_kurtosis"]) > 1:
        found.append(
            _(
                "A few schools lie further out than a normal spread allows. See whether the way "
                "that allows for it (below) changes the answer."
            )
        )
    return found


def _notes(about: dict[str, Any], model: dict[str, Any], seen: dict[str, Any]) -> list[str]:
    found = []
    reliability = seen.get("reliability")
    if reliability:
        found.append(
            _(
                "Half of the schools have a reliability between {low} and {high} (1: the figure "
                "is certain; 0: it says nothing)."
            ).format(low=number(reliability["0.25"], 2), high=number(reliability["0.75"], 2))
        )
    dropped = model.get("dropped") or {}
    if dropped:
        by_year = ", ".join(f"{year}: {number(n, 0)}" for year, n in dropped.items())
        found.append(
            _("Pupils left out since something is not known, by year: {years}.").format(
                years=by_year
            )
        )
    one = model.get("one_year_schools")
    if one:
        found.append(
            ngettext(
                "{n} school is seen in one year only.",
                "{n} schools are seen in one year only.",
                one,
            ).format(n=number(one, 0))
        )
    drift = model.get("drift")
    if drift:
        found.append(_drift(drift))
    for variant, why in (about.get("sensitivity") or {}).get("left_out", {}).items():
        name = dict(Sensitivity.Variant.choices).get(variant, _("other ways"))
        found.append(_("Not reckoned: {way}. {why}").format(way=name, why=why))
    return found


def _drift(drift: dict[str, Any]) -> str:
    values = {
        "rho": number(drift["autocorrelation"], 2),
        "ratio": number(drift["likelihood_ratio"], 1),
        "p": _p(drift["p_value"]),
    }
    if drift["p_value"] < 0.05:
        return _(
            "Neighbouring years of a school are more alike than distant ones (correlation {rho} "
            "from one year to the next; likelihood ratio {ratio}, p {p}). Consider the analysis "
            "that allows for it."
        ).format(**values)
    return _(
        "Nothing speaks for neighbouring years being more alike than distant ones (likelihood "
        "ratio {ratio}, p {p})."
    ).format(**values)


def _p(value: float) -> str:
    return f"< {number(0.001, 3)}" if value < 0.001 else f"= {number(value, 3)}"


def _components(about: dict[str, Any], seen: dict[str, Any]) -> Table:
    names = {
        "school": _("between schools, lasting"),
        "school_year": _("between the years of a school"),
        "pupil": _("between pupils of a school"),
    }
    sd = about.get("pupil_sd") or 1.0
    digits = about.get("digits", 2)
    rows: list[list[Cell]] = [
        [
            names.get(each["component"], each["component"]),
            number(each["sd"], max(digits, 2)),
            number(each["sd"] / sd, 3),
            _limits(each, sd),
        ]
        for each in seen.get("components", [])
    ]
    return Table(
        _("How much differs where"),
        [
            Column(_("Differences")),
            Column(_("SD, points"), numeric=True),
            Column(_("SD, pupil SD"), numeric=True),
            Column(_("95% limits, pupil SD"), numeric=True),
        ],
        rows,
        empty=_("Not kept for this analysis."),
    )


def _limits(each: dict[str, Any], sd: float) -> str:
    lower, upper = each.get("lower"), each.get("upper")
    if lower is None or upper is None:
        return ""
    return _("{lower} to {upper}").format(lower=number(lower / sd, 3), upper=number(upper / sd, 3))


def _quantiles(subject: str, place: int, seen: dict[str, Any]) -> Chart | None:
    points = seen.get("qq")
    if not points:
        return None
    shape = seen["shape"]
    description = _(
        "Where effects are spread normally, dots lie on the line. Skewness {skew}, excess kurtosis "
        "{kurtosis}; {n} schools."
    ).format(
        skew=number(shape["skewness"], 2, signed=True),
        kurtosis=number(shape["excess_kurtosis"], 2, signed=True),
        n=number(seen["schools"], 0),
    )
    return scatter(
        key=f"qq-{place}",
        title=_("{outcome}: effects of schools against a normal spread").format(outcome=subject),
        pairs=[Pair(str(code), x, y) for code, x, y in points],
        x_label=_("Expected of a normal spread"),
        y_label=_("Standardised effect"),
        description=description,
    )


def _ways(about: dict[str, Any]) -> Table:
    sensitivity = about.get("sensitivity") or {}
    labels = {str(value): str(label) for value, label in Sensitivity.Variant.choices}
    rows: list[list[Cell]] = [
        [
            labels.get(each["variant"], each["variant"]),
            each["schools"],
            number(each["correlation"], 3) if _known(each["correlation"]) else "",
            number(each["sd_change"], 3),
            each["changed"],
            each["reversed"],
        ]
        for each in sensitivity.get("ways", [])
        if each["variant"] != "base"
    ]
    return Table(
        _("Does the answer change in other ways of reckoning?"),
        [
            Column(_("Way")),
            Column(_("Schools"), numeric=True),
            Column(_("Goes together at"), numeric=True),
            Column(_("Usual change, pupil SD"), numeric=True),
            Column(_("Interval left or reached 0"), numeric=True),
            Column(_("Above became below"), numeric=True),
        ],
        rows,
        empty=_("No other way could be reckoned."),
    )


def _known(value: Any) -> bool:
    return isinstance(value, int | float) and isfinite(value)


def _coefficients(model: dict[str, Any]) -> Table:
    given = model.get("coefficients", [])
    rows: list[list[Cell]] = [
        [
            str(each["term"]) if "context_used" not in each else _of_model(each),
            number(each["estimate"], 4, signed=True),
            number(each["se"], 4),
        ]
        for each in given[:MOST_COEFFICIENTS]
    ]
    caption = _("Coefficients, points")
    if len(given) > MOST_COEFFICIENTS:
        caption = _("Coefficients, points (the first {n} of {all})").format(
            n=MOST_COEFFICIENTS, all=len(given)
        )
    return Table(
        caption,
        [
            Column(_("Term")),
            Column(_("Estimate"), numeric=True),
            Column(_("Standard error"), numeric=True),
        ],
        rows,
        empty=_("There are none."),
    )


def _of_model(each: dict[str, Any]) -> str:
    term = str(each["term"])
    used = str(each["context_used"]).replace("context:", "")
    return f"{term.replace('context:', '')} ({used})"


def _influence(seen: dict[str, Any]) -> Table:
    rows: list[list[Cell]] = [
        [
            each["school"],
            number(each["cook"], 3),
            each["term"],
            number(each["in_errors"], 2, signed=True),
        ]
        for each in seen.get("influence", {}).get("largest", [])
    ]
    return Table(
        _("Schools without which coefficients would change most"),
        [
            Column(_("School code")),
            Column(_("Cook's distance"), numeric=True),
            Column(_("Coefficient that moves most")),
            Column(_("By, in its standard errors"), numeric=True),
        ],
        rows,
        empty=_("Worked out for results by pupil only."),
    )


def _percent(share: float) -> str:
    return f"{number(100 * share, 0)}%"
