"""How the front pages of every tier speak of the live priorities, each in its own words.

A handful of statements whatever the tier: these pages are the most looked at of all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from brightspots_web.alignment import living_queries as queries
from brightspots_web.alignment import living_words as words
from brightspots_web.alignment.models import LocalSense, Priority
from brightspots_web.alignment.queries import live_priorities
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Partnership, School
from brightspots_web.insight import area_need_queries as needs
from brightspots_web.insight import queries as insight
from brightspots_web.insight import words as insight_words
from brightspots_web.insight.models import Run
from brightspots_web.insight.queries import Standing
from brightspots_web.shared.components import Link

SENSE_SHOWN = 280
"""Characters of a local sense on a front page; the rest is a press away."""


@dataclass(frozen=True)
class FrontPriority:
    """A live priority as one tier's front page speaks of it."""

    title: str
    url: str
    aim: str
    here: str
    """What is known here: need, or where the school stands."""
    said: str = ""
    """How many partnerships have said what it means to them."""
    sense: str = ""
    """What it means in the partnership, or its beginning."""
    sense_link: Link | None = None


@dataclass(frozen=True)
class FrontCard:
    """The live priorities on a front page."""

    priorities: tuple[FrontPriority, ...]
    as_of: str = ""
    made_url: str = ""
    ours: bool = False
    """Whether a local sense that is missing is ours to write: others are told nothing of it."""


def front_card(
    acting: Appointment | None,
    *,
    area: Area | None = None,
    partnership: Partnership | None = None,
    school: School | None = None,
    standings: Sequence[Standing] | None = None,
    priorities: Sequence[Priority] | None = None,
) -> FrontCard | None:
    """The live priorities for the page of a place, or for the person's own front page.

    The caller has checked that the place may be opened. None before the first priorities are set.

    Parameters
    ----------
    standings, priorities
        Where the school stands, and the live priorities, if the page has read them already.
    """
    priorities = live_priorities() if priorities is None else priorities
    if acting is None or not priorities:
        return None
    if area is None and partnership is None and school is None:
        area, partnership = acting.area, acting.partnership
        school = acting.school if partnership is None else None
    if school is not None:
        return _of_school(acting, school, priorities, standings)
    if partnership is not None:
        return _of_partnership(acting, partnership, priorities)
    return _of_area(area, priorities)


def in_order_of(priorities: Sequence[Priority], standings: Sequence[Standing]) -> list[Standing]:
    """What speaks of the priorities first, in their order; the others as they were."""
    place = {each.subject: at for at, each in reversed(list(enumerate(priorities)))}
    return sorted(standings, key=lambda each: place.get(each.subject, len(priorities)))


def _of_area(area: Area | None, priorities: Sequence[Priority]) -> FrontCard:
    run = insight.current_run()
    found = needs.needs_within(area, [each.subject for each in priorities], run)
    said = queries.said(priorities, area)
    return FrontCard(
        tuple(
            FrontPriority(
                each.title,
                _url(each),
                words.aim(each),
                words.need(found.get(each.subject)),
                words.said(said.get(each.pk)),
            )
            for each in priorities
        ),
        *_made(run),
    )


def _of_partnership(
    acting: Appointment, partnership: Partnership, priorities: Sequence[Priority]
) -> FrontCard:
    senses = queries.senses_in(acting, partnership, priorities)
    writes = queries.may_write_sense(acting, partnership)
    return FrontCard(
        tuple(
            FrontPriority(
                each.title,
                _url(each),
                words.aim(each),
                "",
                sense=_beginning(senses.get(each.pk)),
                sense_link=_sense_link(acting, each, partnership, senses.get(each.pk), writes),
            )
            for each in priorities
        ),
        ours=acting.role in queries.MEMBERS,
    )


def _of_school(
    acting: Appointment,
    school: School,
    priorities: Sequence[Priority],
    standings: Sequence[Standing] | None,
) -> FrontCard:
    """Where the school stands; to its own people also what their partnership says it means."""
    run = insight.current_run()
    if standings is None:
        standings = insight.standing(school, acting, run)
    by_subject = {each.subject: each for each in standings}
    partnership = directory.partnership_of(school) if acting.school_id == school.pk else None
    senses = queries.senses_in(acting, partnership, priorities) if partnership else {}
    writes = partnership is not None and queries.may_write_sense(acting, partnership)
    return FrontCard(
        tuple(
            FrontPriority(
                each.title,
                _url(each),
                words.aim(each),
                words.stands(by_subject.get(each.subject)),
                sense=_beginning(senses.get(each.pk)),
                sense_link=_sense_link(acting, each, partnership, senses.get(each.pk), writes)
                if partnership
                else None,
            )
            for each in priorities
        ),
        *_made(run),
        ours=partnership is not None,
    )


def _made(run: Run | None) -> tuple[str, str]:
    """Of which day the figures are, and where it is told how they were made."""
    if run is None:
        return "", ""
    return insight_words.as_of(run), reverse("insight:run", args=[run.uuid])


def _url(priority: Priority) -> str:
    return reverse("alignment:priority", args=[priority.code])


def _beginning(sense: LocalSense | None) -> str:
    return Truncator(sense.words).chars(SENSE_SHOWN) if sense else ""


def _sense_link(
    acting: Appointment,
    priority: Priority,
    partnership: Partnership,
    sense: LocalSense | None,
    writes: bool,
) -> Link | None:
    """Where the local sense is read, or written by those who may."""
    where = reverse("alignment:sense", args=[priority.code, partnership.code])
    if sense is None:
        return Link(_("Say what it means here"), where) if writes else None
    if acting.role not in queries.MEMBERS:
        return Link(_("Read it beside its data"), where)
    return Link(_("Beside our data"), where)
