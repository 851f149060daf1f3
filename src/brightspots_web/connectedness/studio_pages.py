"""The studio's page of one proposal: where it stands, what it costs, who would work together."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.connectedness import (
    studio_actions,
    studio_consult_queries,
    studio_effects,
    studio_queries,
    studio_words,
)
from brightspots_web.connectedness.models import Proposal, ProposalChange, ProposedMember
from brightspots_web.connectedness.pages import Row, kilometres
from brightspots_web.connectedness.studio_queries import State
from brightspots_web.directory.models import Appointment, School
from brightspots_web.shared import charts
from brightspots_web.shared.components import Cell, Column, KeyFigure, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

MOST_LISTED = 60
"""So many schools in no partnership stand on the page; the file has all."""


@dataclass(frozen=True)
class Member:
    """A school of a proposed partnership."""

    school: School
    leads: bool
    way: str
    exception: str
    url: str


@dataclass(frozen=True)
class Card:
    """A proposed partnership; the label is what a drop on it moves a school to."""

    label: str
    heading: str
    area: str
    size: str
    members: Sequence[Member]


def crumbs(found: Proposal, *further: str) -> list[Link]:
    listed = Link(_("Proposals"), reverse("connectedness:proposals"))
    if not further:
        return [listed, Link(studio_words.title(found))]
    own = Link(studio_words.title(found), reverse("connectedness:proposal", args=[found.pk]))
    return [listed, own, *(Link(step) for step in further)]


def head(found: Proposal, acting: Appointment | None) -> Row:
    """What every page of a proposal starts from."""
    return {
        "proposal": found,
        "title": studio_words.title(found),
        "scope": studio_words.scope(found),
        "may_change": studio_actions.may_change(found, acting),
    }


def board(found: Proposal, page: Page[Any], acting: Appointment | None) -> Row:
    """The page of one proposal."""
    state = studio_queries.state(found)
    present = studio_queries.present_state()
    changing = studio_queries.changed_from_present(state, present)
    last = studio_queries.undoable(found)
    stale = studio_queries.stale(found)
    isolated = studio_queries.isolated_in(found)
    asked = found.consult_until is not None
    answers = studio_consult_queries.answers(found) if asked else []
    return {
        **head(found, acting),
        "breadcrumb": crumbs(found),
        "state_words": studio_words.state(found),
        "figures": _figures(found, state, len(changing)),
        "gap_words": studio_words.gap(found),
        "parts": parts_table(found),
        "map": proposal_map(found, state, key="proposal-map"),
        "cards": _cards(found, page),
        "isolated": [
            (school, reason, move_url(found, school.code))
            for school, reason in isolated[:MOST_LISTED]
        ],
        "isolated_more": max(len(isolated) - MOST_LISTED, 0),
        "stale": stale,
        "new_schools": [(school, move_url(found, school.code)) for school in stale.new],
        "across": studio_queries.across_border(found),
        "two_places": _two_places(found),
        "exceptions": len(state.exceptions),
        "undo_words": studio_words.change(last) if last else "",
        "pins": [
            (studio_effects.pin_words(pin), not studio_effects.pin_broken(pin, state))
            for pin in studio_queries.pins_of(found)
        ],
        "tally": studio_consult_queries.tally(answers) if asked else None,
        "exports": export_links("connectedness:proposal_export", found.pk),
        "facts": _facts(found),
        "to_come": studio_queries.begins_later(found),
    }


def move_url(found: Proposal, code: str) -> str:
    url = reverse("connectedness:move", args=[found.pk])
    return f"{url}?school={code}"


def _figures(found: Proposal, state: State, changing: int) -> list[KeyFigure]:
    n = len(state.of)
    ways = studio_queries.longest_way(found)
    return [
        KeyFigure(
            _("Partnerships"),
            charts.number(found.n_partnerships, 0),
            n=n,
            n_of=ngettext("school", "schools", n),
        ),
        KeyFigure(
            _("Schools in none"),
            charts.number(found.n_isolated, 0),
            sentence=_("Each is listed below with the reason."),
        ),
        KeyFigure(_("Longest way to a leader"), kilometres(ways)),
        KeyFigure(
            _("Schools that would change"),
            charts.number(changing, 0),
            sentence=_("Compared with the partnerships of today, or new to one."),
        ),
    ]


def parts_table(found: Proposal) -> Table:
    """Each part of what the proposal costs, in plain words, with what weighs it."""
    weights = found.settings.get("weights", {})
    rows: list[list[Cell]] = []
    for name, cost in found.objective.items():
        if name == "total" or not isinstance(cost, int | float) or name == "moved":
            continue
        label, counts = studio_words.part(name)
        rows.append([label, counts, _weight(weights, name), float(cost)])
    if "total" in found.objective:
        label, counts = studio_words.part("total")
        rows.append([label, counts, "", float(found.objective["total"])])
    return Table(
        _("What the proposal costs, in kilometres of travel"),
        [
            Column(_("Part")),
            Column(_("What it counts")),
            Column(_("One counts as"), numeric=True),
            Column(_("Cost"), numeric=True),
        ],
        rows,
    )


def _weight(weights: dict[str, Any], part: str) -> Cell:
    if part == "travel_km":
        return _("1 km")
    weight = weights.get(studio_words.WEIGHT_OF.get(part, ""))
    if weight is None:
        return None
    return _("{number} km").format(number=charts.number(float(weight), 0))


def proposal_map(found: Proposal, state: State, *, key: str, title: str = "") -> charts.Chart:
    """Every school, joined to the leader's school of its proposed partnership."""
    places = studio_queries.places_of(found)
    return state_map(state, places, key=key, title=title or _("Proposed partnerships"))


def state_map(
    state: State, places: Iterable[studio_queries.Place], *, key: str, title: str
) -> charts.Chart:
    of = state.of
    listed = list(places)
    names = {place.pk: place.name for place in listed}
    points = []
    for place in listed:
        label = of.get(place.pk, "")
        group = state.groups.get(label)
        lead = group.lead if group else 0
        points.append(
            charts.Point(
                label=place.name,
                latitude=place.latitude,
                longitude=place.longitude,
                group=names.get(lead, label) if group else "",
                leader=lead == place.pk,
                isolated=group is None,
            )
        )
    return charts.school_map(key=key, title=title, points=points)


def _cards(found: Proposal, page: Page[Any]) -> list[Card]:
    labels = [row["partnership"] for row in page]
    members: dict[str, list[ProposedMember]] = defaultdict(list)
    for member in studio_queries.members_in(found, labels):
        members[member.partnership].append(member)
    return [
        Card(
            label=row["partnership"],
            heading=row["lead_school__name"],
            area=row["lead_school__area__name"],
            size=ngettext("{n} school", "{n} schools", len(members[row["partnership"]])).format(
                n=len(members[row["partnership"]])
            ),
            members=[
                Member(
                    school=member.school,
                    leads=member.school_id == member.lead_school_id,
                    way=kilometres(member.distance_km),
                    exception=member.exception,
                    url=move_url(found, member.school.code),
                )
                for member in members[row["partnership"]]
            ],
        )
        for row in page
    ]


def _two_places(found: Proposal) -> list[str]:
    """Schools, and people, that would lead two partnerships."""
    sentences = [
        _("{school} leads “{partnership}”, which stays, and would lead here too.").format(
            school=school.name, partnership=partnership.name
        )
        for school, partnership in studio_queries.lead_elsewhere(found)
    ]
    return sentences + [
        _("{person} heads {schools} and would lead several partnerships.").format(
            person=person, schools=", ".join(schools)
        )
        for person, schools in studio_queries.heads_of_two(found)
    ]


def _facts(found: Proposal) -> list[tuple[str, Cell]]:
    settings = found.settings
    facts: list[tuple[str, Cell]] = [
        (_("State"), found.get_status_display()),
        (_("Made on"), formats.date_format(found.made_at, "DATETIME_FORMAT")),
        (
            _("Schools in a partnership"),
            _("{fewest} to {most}").format(
                fewest=settings.get("minimum"), most=settings.get("maximum")
            ),
        ),
        (_("Longest way allowed"), kilometres(settings.get("max_km"))),
        (
            _("Priorities it weighs"),
            "; ".join(each["title"] for each in settings.get("priorities", []))
            or _("none: figures of all outcomes together"),
        ),
        (_("Method"), f"{found.method} {found.method_version}"),
        (_("Seed"), str(found.seed)),
        (_("Input"), found.input_hash[:16]),
    ]
    if found.based_on is not None:
        url = reverse("connectedness:proposal", args=[found.based_on.pk])
        facts.insert(1, (_("Made from"), Link(studio_words.title(found.based_on), url)))
    if found.adopted_by:
        facts.append((_("Adopted by"), found.adopted_by))
    return facts


def history(changes: Iterable[ProposalChange]) -> list[tuple[str, str, str, str, list[str]]]:
    """(what, by whom, when, why, rules broken) of each change, the newest first."""
    return [
        (
            studio_words.change(made),
            made.by,
            formats.date_format(made.at, "DATETIME_FORMAT"),
            str(made.detail.get("note", "")),
            list(made.detail.get("exceptions", [])),
        )
        for made in changes
    ]


def history_columns() -> list[ExportColumn]:
    return [
        ExportColumn("version", _("Version"), "integer"),
        ExportColumn("what", _("What changed")),
        ExportColumn("by", _("By whom")),
        ExportColumn("at", _("When"), "date"),
        ExportColumn("note", _("Why")),
        ExportColumn("exceptions", _("Rules broken")),
    ]


def history_rows(changes: Iterable[ProposalChange]) -> Iterable[Row]:
    for made in changes:
        yield {
            "version": made.version,
            "what": studio_words.change(made),
            "by": made.by,
            "at": made.at,
            "note": made.detail.get("note", ""),
            "exceptions": " ".join(made.detail.get("exceptions", [])),
        }
