"""Two proposals beside each other, or a proposal beside the partnerships of today."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.connectedness import studio_effects as effects
from brightspots_web.connectedness import studio_pages, studio_words
from brightspots_web.connectedness import studio_queries as queries
from brightspots_web.connectedness.models import Proposal
from brightspots_web.connectedness.pages import Row, kilometres
from brightspots_web.connectedness.studio_queries import State
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import charts
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn

PRESENT = "present"
"""Compare with the partnerships of today."""
SHOWN = 200
"""So many schools are listed on the page; the export has all."""


@dataclass(frozen=True)
class Side:
    """One of the two: a proposal, or the partnerships of today (None)."""

    title: str
    state: State
    proposal: Proposal | None = None


def side(value: str, found: Proposal, acting: Appointment | None) -> Side | None:
    """What a choice of the form stands for; None where it may not be seen."""
    if value == PRESENT:
        state = queries.present_state()
        scope = set(queries.schools_of(found).values_list("pk", flat=True))
        groups = {
            label: group
            for label, group in state.groups.items()
            if scope.intersection(group.members)
        }
        return Side(_("Partnerships of today"), State(groups))
    other = queries.proposals_visible_to(acting).filter(pk=int(value or 0)).first()
    if other is None:
        return None
    return Side(studio_words.title(other), queries.state(other), other)


def choices(found: Proposal, acting: Appointment | None) -> list[tuple[str, str]]:
    others = queries.proposals_visible_to(acting).exclude(pk=found.pk)[:50]
    return [
        (PRESENT, _("the partnerships of today")),
        *(
            (str(each.pk), _("{title}, {scope}").format(
                title=studio_words.title(each), scope=studio_words.scope(each)))
            for each in others
        ),
    ]  # fmt: skip


def page(found: Proposal, other: Side) -> Row:
    """Figures, maps, and the schools that differ."""
    own = Side(studio_words.title(found), queries.state(found), found)
    rows = list(difference_rows(found, other))
    places = queries.places_of(found)
    url = reverse("connectedness:differences_export", args=[found.pk, "csv"])
    value = str(other.proposal.pk) if other.proposal else PRESENT
    shown: list[list[Cell]] = [
        [row["school"], row["area"], row["here"] or _("nobody"), row["there"] or _("nobody")]
        for row in rows[:SHOWN]
    ]
    return {
        "own": own,
        "other": other,
        "figures": _figures(own, other),
        "differ": len(rows),
        "shown": min(len(rows), SHOWN),
        "maps": [
            side_map(own, places, "own-map"),
            side_map(other, places, "other-map"),
        ],
        "table": Table(
            _("Schools with other partners"),
            [
                Column(_("School")),
                Column(_("Area")),
                Column(_("{title}: led by").format(title=own.title)),
                Column(_("{title}: led by").format(title=other.title)),
            ],
            shown,
            exports=[
                Link("CSV", f"{url}?other={value}"),
                Link("XLSX", f"{url[:-3]}xlsx?other={value}"),
            ],
            empty=_("No school differs."),
        ),
    }


def side_map(one: Side, places: list[queries.Place], key: str) -> charts.Chart:
    return studio_pages.state_map(one.state, places, key=key, title=one.title)


def _figures(own: Side, other: Side) -> Table:
    present = queries.present_state()
    assert own.proposal is not None
    columns = [_numbers(own, present, own.proposal), _numbers(other, present, own.proposal)]
    rows: list[list[Cell]] = [
        [label, *(column.get(label) for column in columns)] for label in columns[0]
    ]
    return Table(
        _("Figures"),
        [Column(_("What")), Column(own.title, numeric=True), Column(other.title, numeric=True)],
        rows,
    )


def _numbers(one: Side, present: State, measured_by: Proposal) -> dict[str, Cell]:
    sizes = [len(group.members) for group in one.state.groups.values()]
    found: dict[str, Cell] = {
        _("Partnerships"): len(sizes),
        _("Schools in a partnership"): sum(sizes),
        _("Smallest and largest partnership"): _("{small} and {large}").format(
            small=min(sizes, default=0), large=max(sizes, default=0)
        ),
        _("Schools that change from today"): len(queries.changed_from_present(one.state, present)),
    }
    proposal = one.proposal
    if proposal is None:
        return found | _today(one.state, measured_by)
    found[_("Schools in none")] = proposal.n_isolated
    found[_("Longest way to a leader")] = kilometres(queries.longest_way(proposal))
    found |= _cost(proposal.objective)
    found[_("Within so much of the best possible")] = (
        _("not known")
        if proposal.gap is None
        else _("{number}%").format(number=charts.number(100 * proposal.gap, 1))
    )
    return found


def _today(state: State, measured_by: Proposal) -> dict[str, Cell]:
    """The partnerships of today measured as the proposal is; where they reach further, only in
    part.
    """
    measured = effects.measure(measured_by, state)
    return {
        _("Schools in none"): measured.in_none,
        _("Longest way to a leader"): kilometres(measured.longest),
        **(_cost(measured.objective) if measured.objective else {}),
    }


def _cost(objective: Mapping[str, Any]) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for name, cost in objective.items():
        if isinstance(cost, int | float) and name not in {"moved", "total"}:
            found[studio_words.part(name)[0]] = charts.number(float(cost), 1)
    if "total" in objective:
        found[studio_words.part("total")[0]] = charts.number(float(objective["total"]), 1)
    return found


def difference_columns(found: Proposal, other: Side) -> list[ExportColumn]:
    own = studio_words.title(found)
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("area", _("Area")),
        ExportColumn("here", _("{title}: led by").format(title=own)),
        ExportColumn("there", _("{title}: led by").format(title=other.title)),
        ExportColumn("today", _("Today led by")),
    ]


def difference_rows(found: Proposal, other: Side) -> Iterable[dict[str, Any]]:
    """The schools that are with other partners here than there, by name."""
    own, present = queries.state(found), queries.present_state()
    scope = set(queries.schools_of(found).values_list("pk", flat=True))
    differ = queries.differing(other.state, own, within=scope)
    leads = {group.lead for state in (own, other.state, present) for group in state.groups.values()}
    schools = queries.schools_by_key(differ | leads)
    of_own, of_other, of_present = own.of, other.state.of, present.of

    def led_by(state: State, of: dict[int, str], pk: int) -> str:
        return schools[state.groups[of[pk]].lead].name if pk in of else ""

    for school in sorted((schools[pk] for pk in differ), key=lambda s: (s.name, s.code)):
        yield {
            "code": school.code,
            "school": school.name,
            "area": school.area.name,
            "here": led_by(own, of_own, school.pk),
            "there": led_by(other.state, of_other, school.pk),
            "today": led_by(present, of_present, school.pk),
        }
