"""Partnerships of an area, and partnerships formed anew around what people decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
from django.utils.translation import gettext as _

from brightspots.core.errors import InputError
from brightspots_web.connectedness.analysis import schools_frame
from brightspots_web.connectedness.analysis.studio import (
    Group,
    SchoolFacts,
    Yardstick,
    library_pins,
    parameters_of,
)
from brightspots_web.shared.jobs import CannotError

if TYPE_CHECKING:
    from brightspots.connectedness.pins import Pins

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Kept:
    """A partnership that stays as it is: code of its leader's school, codes of all its schools."""

    lead: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Wishes:
    """What the optimiser starts from and must respect.

    Attributes
    ----------
    pins : sequence of (kind, school's code, other's code or "")
    kept : sequence of Kept
    existing : sequence of (school's code, partnership, code of its leader's school)
        Leaving such a partnership has a price; it is also the start of the search.
    """

    pins: Sequence[tuple[str, str, str]] = ()
    kept: Sequence[Kept] = ()
    existing: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True)
class Around:
    """A proposal made of what was kept and what was formed; see `Partnerships` of the library."""

    members: pl.DataFrame
    isolated: pl.DataFrame
    objective: Mapping[str, float]
    lower_bound: float | None
    gap: float | None
    seconds: Mapping[str, float]
    provenance: Any = field(default=None)


def propose_around(
    settings: Mapping[str, Any],
    seed: int,
    progress: Progress,
    *,
    schools: Any,
    facts: Sequence[SchoolFacts],
    wishes: Wishes,
    subjects: Sequence[str] = (),
) -> Any:
    """Form partnerships of some schools around what people decided.

    Parameters
    ----------
    schools : QuerySet of School
        Those to be placed, kept ones included.
    facts
        Of the same schools, to measure what is kept.
    subjects
        Outcomes of the priorities that are weighed.

    Raises
    ------
    CannotError
        When pins contradict each other, the settings or what is kept; the message says what to do.
    """
    from brightspots.connectedness.partnerships import form_partnerships  # compiled: jobs alone

    inside = {code for kept in wishes.kept for code in kept.members}
    pins = _pins_beside(wishes, inside)
    frame = schools_frame(schools, subjects)
    if frame.is_empty():
        raise CannotError(
            _("No school here can be placed: there are none, or all are in partnerships that "
              "reach beyond the area.")
        )  # fmt: skip
    rest = frame.filter(~pl.col("school").is_in(sorted(inside)))
    try:
        parameters = parameters_of(settings)
        if rest.is_empty():
            raise CannotError(_("Every school is kept where it is; nothing is left to propose."))
        found = form_partnerships(
            rest,
            parameters,
            seed=seed,
            progress=progress,
            existing=_existing(wishes, set(rest["school"])),
            pins=pins,
        )
    except InputError as error:
        raise CannotError(str(error)) from error
    return _merged(found, wishes.kept, settings, facts) if wishes.kept else found


def _existing(wishes: Wishes, among: set[str]) -> pl.DataFrame | None:
    rows = [row for row in wishes.existing if row[0] in among]
    if not rows:
        return None
    names = ("school", "partnership", "leader_school")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _pins_beside(wishes: Wishes, inside: set[str]) -> Pins | None:
    """Pins that are still to be kept to: those among kept schools are checked at once."""
    partners = {code: kept for kept in wishes.kept for code in kept.members}
    left = []
    for kind, school, other in wishes.pins:
        here, there = partners.get(school), partners.get(other)
        if here is None and there is None:
            left.append((kind, school, other))
            continue
        kept_to = {
            "together": here is there,
            "apart": here is not there,
            "leads": here is not None and here.lead == school,
            "led_by": here is not None and here.lead == other,
        }[kind]
        if not kept_to:
            raise CannotError(
                _("A pin on {school} contradicts a partnership that is to stay as it is. Let go of "
                  "the pin, or do not keep that partnership.").format(school=school)
            )  # fmt: skip
    return library_pins(left) if left else None


def _merged(
    found: Any, kept: Sequence[Kept], settings: Mapping[str, Any], facts: Sequence[SchoolFacts]
) -> Around:
    """What was formed and what was kept as one proposal, numbered and measured anew.

    The bound spoke of the schools that were free, not of all, and is left out.
    """
    yardstick = Yardstick(settings, facts)
    keys = {school.code: school.pk for school in facts}
    groups = [
        (lead, tuple(rows["school"]))
        for (_name, lead), rows in found.members.group_by(
            "partnership", "leader_school", maintain_order=True
        )
    ]
    groups += [(each.lead, each.members) for each in kept]
    groups.sort()
    measured = yardstick.parts(
        Group(keys[lead], tuple(keys[code] for code in members)) for lead, members in groups
    )
    rows = []
    for number, (lead, members) in enumerate(groups, start=1):
        broken = yardstick.broken(Group(keys[lead], tuple(keys[code] for code in members)))
        rows += [
            (
                code,
                f"P{number:04d}",
                lead,
                yardstick.distance(keys[code], keys[lead]),
                " ".join(broken.get(keys[code], [])),
            )
            for code in sorted(members)
        ]
    return Around(
        members=pl.DataFrame(
            rows,
            orient="row",
            schema={
                "school": pl.String,
                "partnership": pl.String,
                "leader_school": pl.String,
                "distance_km": pl.Float64,
                "exception": pl.String,
            },
        ),
        isolated=found.isolated,
        objective=measured | {"total": sum(measured.values())},
        lower_bound=None,
        gap=None,
        seconds=found.seconds,
        provenance=found.provenance,
    )
