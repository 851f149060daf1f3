"""What the page of a data conversation shows: large data and small data side by side.

Both have the same room. Which of them stands first changes from priority to priority, so that
neither is above the other on a phone.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from brightspots_web.alignment import living_queries
from brightspots_web.alignment.models import LocalSense, Priority
from brightspots_web.devolution import conversation_charts as charts
from brightspots_web.devolution import conversation_queries as queries
from brightspots_web.devolution import conversation_words as words
from brightspots_web.devolution import (
    meeting_pages,
    meeting_words,
    note_pages,
    preparation_pages,
    preparation_queries,
)
from brightspots_web.devolution.conversation_queries import Said
from brightspots_web.devolution.models import Meeting
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.insight import queries as insight
from brightspots_web.insight import words as plain
from brightspots_web.shared.components import Link
from brightspots_web.shared.permissions import Capability, may

Row = dict[str, Any]


def url(partnership: Partnership, meeting: Meeting | None = None, **query: str) -> str:
    """The address of a conversation: of a meeting's, or of the partnership's at any time."""
    path = (
        reverse("devolution:meeting_conversation", args=[meeting.pk])
        if meeting is not None
        else reverse("devolution:conversation", args=[partnership.code])
    )
    return f"{path}?{urlencode(query)}" if query else path


def page(
    partnership: Partnership,
    acting: Appointment | None,
    *,
    meeting: Meeting | None = None,
    asked: str = "",
    everything: bool = False,
) -> Row:
    """One priority of the conversation (or all of them, for paper), and the way to the others.

    The caller has checked that the appointment takes part in the conversation.
    """
    run = insight.current_run()
    priorities = queries.agenda(meeting)
    said = queries.said_of(partnership, priorities, run)
    codes = [each.code for each in priorities]
    place = codes.index(asked) if asked in codes else 0
    shown = range(len(said)) if everything else range(place, min(place + 1, len(said)))
    senses = queries.senses(acting, partnership, priorities)
    may_write = living_queries.may_write_sense(acting, partnership)
    seen = set(
        directory.schools_visible_to(acting)
        .filter(pk__in=[row.school_id for row in directory.memberships_of(partnership)])
        .values_list("pk", flat=True)
    )
    return {
        "partnership": partnership,
        "meeting": meeting,
        "when": meeting_words.when(meeting) if meeting else "",
        "breadcrumb": _crumbs(partnership, meeting),
        "parts": [
            _part(said[number], number, partnership, acting, meeting)
            | {
                "sense": senses.get(priorities[number].pk),
                "sense_url": _sense_url(priorities[number], partnership) if may_write else "",
            }
            for number in shown
        ],
        "tabs": _tabs(priorities, place, partnership, meeting),
        "together": charts.together(said, seen) if run else None,
        "run": run,
        "as_of": plain.as_of(run) if run else "",
        "made_url": reverse("insight:run", args=[run.uuid]) if run else "",
        "priorities_url": reverse("alignment:priorities"),
        "preparation": preparation_pages.on_conversation_page(meeting, acting),
        "asked": preparation_queries.questions_of(meeting) if meeting is not None else [],
        **_ways(priorities, place, partnership, meeting),
    }


def _crumbs(partnership: Partnership, meeting: Meeting | None) -> list[Link]:
    if meeting is not None:
        return meeting_pages.crumbs(meeting, _("Data conversation"))
    place = Link(partnership.name, reverse("connectedness:partnership", args=[partnership.code]))
    return [place, Link(_("Data conversation"))]


def _sense_url(priority: Priority, partnership: Partnership) -> str:
    return reverse("alignment:sense", args=[priority.code, partnership.code])


def _tabs(
    priorities: Sequence[Priority], place: int, partnership: Partnership, meeting: Meeting | None
) -> list[tuple[str, str, bool]]:
    """Title, address, and whether it is the one shown."""
    return [
        (each.title, url(partnership, meeting, priority=each.code), number == place)
        for number, each in enumerate(priorities)
    ]


def _ways(
    priorities: Sequence[Priority], place: int, partnership: Partnership, meeting: Meeting | None
) -> Row:
    """From one priority to the next on a wall, back, onto the wall, onto paper."""

    def on_wall(number: int) -> str:
        if not 0 <= number < len(priorities):
            return ""
        return url(partnership, meeting, wall="1", priority=priorities[number].code)

    chosen = {"priority": priorities[place].code} if priorities else {}
    paper = (
        reverse("devolution:meeting_conversation_pdf", args=[meeting.pk])
        if meeting is not None
        else reverse("devolution:conversation_pdf", args=[partnership.code])
    )
    return {
        "number": place + 1,
        "wall_url": on_wall(place),
        "previous_url": on_wall(place - 1),
        "next_url": on_wall(place + 1),
        "page_url": url(partnership, meeting, **chosen),
        "pdf_url": paper,
    }


def _part(
    said: Said,
    number: int,
    partnership: Partnership,
    acting: Appointment | None,
    meeting: Meeting | None,
) -> Row:
    """One priority: what the figures say, what we see and hear, what to talk about."""
    figures, priority = said.figures, said.priority
    key = f"p{number + 1}"
    drawn = figures is not None and bool(figures.now)
    decide = {"priority": priority.code} | ({"meeting": str(meeting.pk)} if meeting else {})
    small = note_pages.small_data_of(partnership, priority, acting)
    return {
        "key": key,
        "priority": priority,
        "small_first": number % 2 == 1,
        "strengths": charts.strengths(figures, f"strengths-{key}") if figures and drawn else None,
        "caption": words.basis(figures) if figures and drawn else "",
        "scale": plain.scale_sentence(figures.scale) if figures and drawn else "",
        "years": charts.years(figures, f"years-{key}") if figures and drawn else None,
        "differences": words.differences(said, partnership.name),
        "nothing": words.no_figures(said),
        "questions": words.questions(said, notes=small.n_notes if small else 0),
        "small": small,
        "decide_url": f"{reverse('devolution:decide')}?{urlencode(decide)}"
        if may(acting, Capability.DECIDE_TOGETHER)
        else "",
    }


def frozen_view(
    partnership: Partnership, priorities: Iterable[Priority], acting: Appointment | None
) -> Row:
    """What a group had in front of it when it decided, in JSON types; withheld cells are absent.

    Empty for whoever has no part in the conversation.
    """
    if not queries.open_to(acting).filter(pk=partnership.pk).exists():
        return {}
    run, listed = insight.current_run(), list(priorities)
    senses = queries.senses(acting, partnership, listed)
    return {
        "partnership": partnership.code,
        "on": directory.today().isoformat(),
        "run": str(run.uuid) if run else None,
        "published": run.published_at.date().isoformat() if run and run.published_at else None,
        "unit": "points",
        "priorities": [
            _frozen(each, partnership, acting, senses.get(each.priority.pk))
            for each in queries.said_of(partnership, listed, run)
        ],
    }


def _frozen(
    said: Said, partnership: Partnership, acting: Appointment | None, sense: LocalSense | None
) -> Row:
    scale = said.figures.scale if said.figures else None
    spread = said.spread.all_years if said.spread else None
    small = note_pages.small_data_of(partnership, said.priority, acting)
    return {
        "code": said.priority.code,
        "title": said.priority.title,
        "subject": said.priority.subject,
        "digits": scale.digits if scale else 0,
        "cells": _cells(said),
        "spread": {
            "value": scale.points(spread.spread),
            "lower": scale.points(spread.spread_lower),
            "upper": scale.points(spread.spread_upper),
            "n_schools": spread.n_schools,
        }
        if scale is not None and spread is not None
        else None,
        "words": words.differences(said, partnership.name),
        "sense": sense.words if sense else "",
        "notes": [
            {"key": each.key, "school": each.school, "on": each.iso, "words": each.words}
            for each in (*small.quotes, *small.photos)
        ]
        if small
        else [],
        "notes_in_all": small.n_notes if small else 0,
    }


def _cells(said: Said) -> list[Row]:
    figures = said.figures
    if figures is None:
        return []
    points = figures.scale.points
    return [
        {
            "school": school.code,
            "name": school.name,
            "value": points(figures.now[school.pk].estimate),
            "lower": points(figures.now[school.pk].lower),
            "upper": points(figures.now[school.pk].upper),
            "n": figures.now[school.pk].n,
        }
        for school in figures.members
        if school.pk in figures.now
    ]
