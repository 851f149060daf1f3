"""What the pages of how leaders grow show: the framework, views side by side, what comes next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders import development_queries as queries
from brightspots_web.leaders.development_queries import FAR_APART, Standing
from brightspots_web.leaders.development_words import level_name
from brightspots_web.leaders.models import Competence, CompetenceRating
from brightspots_web.shared import charts, words
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import Column

Row = dict[str, Any]


def hours_text(hours: Decimal | float) -> str:
    """`6`, or `2.5`: no nought where there is no half."""
    number = float(hours)
    return charts.number(number, 0 if number.is_integer() else 1)


def crumbs(*further: Link | str) -> list[Link]:
    first = Link(_("Leaders"), reverse("leaders:leaders"))
    second = Link(_("How leaders grow"), reverse("leaders:development") if further else "")
    return [first, second, *(each if isinstance(each, Link) else Link(each) for each in further)]


# The framework


def framework_page(acting: Appointment | None) -> Row:
    live = queries.framework()
    return {
        "competences": [_with_levels(each) for each in live],
        "taken_out": queries.taken_out(),
        "may_set": queries.may_set_framework(acting),
        "breadcrumb": crumbs(_("Competences of a leader")),
    }


@dataclass(frozen=True)
class LevelLine:
    """A level's name and its sentence; `chosen` where somebody stands."""

    name: str
    sentence: str


def levels_of(competence: Competence) -> list[LevelLine]:
    return [
        LevelLine(level_name(at), sentence)
        for at, sentence in enumerate(competence.levels, start=1)
    ]


def _with_levels(competence: Competence) -> Row:
    return {"competence": competence, "levels": levels_of(competence)}


# Views side by side


@dataclass(frozen=True)
class View:
    """What one person said of a competence."""

    who: str
    level: str
    sentence: str
    evidence: str
    on: str
    earlier_words: bool
    """The sentence has been changed since."""


@dataclass(frozen=True)
class Side:
    """One competence with every view of it, and what the views say together in words."""

    competence: Competence
    levels: Sequence[LevelLine]
    own: View | None
    others: Sequence[View]
    earlier: Sequence[View]
    waiting: Sequence[str]
    together: str
    may_rate: bool


def sides(person: Person, acting: Appointment | None) -> list[Side]:
    """Every competence with the views that the acting person may see."""
    own = acting is not None and acting.person_id == person.pk
    return [side(each, person, own=own) for each in queries.standings(person, acting)]


def side(standing: Standing, person: Person, *, own: bool) -> Side:
    competence = standing.competence
    return Side(
        competence,
        levels_of(competence),
        _view(standing.own, _("You") if own else str(person)) if standing.own else None,
        [_view(each, _rater(each)) for each in standing.others],
        [
            _view(each, _rater(each) if each.rater_id != person.pk else str(person))
            for each in standing.earlier
        ],
        [_rater(each) for each in standing.waiting],
        _together(standing, own=own),
        own and competence.retired_at is None,
    )


def _rater(rating: CompetenceRating) -> str:
    return str(rating.rater) if rating.rater is not None else _("A colleague who has left")


def _view(rating: CompetenceRating, who: str) -> View:
    assert rating.level is not None
    competence = rating.competence
    return View(
        who,
        level_name(rating.level),
        rating.said,
        rating.evidence,
        words.day(rating.at) or "",
        rating.said != competence.levels[rating.level - 1][:400],
    )


def _together(standing: Standing, *, own: bool) -> str:
    """How far the views lie apart, in words: nobody is averaged."""
    if standing.own is None and not standing.others:
        return ""
    if not standing.others:
        return _("No colleague has said yet how they see it.") if own else ""
    if len(standing.levels) < 2:
        return ""
    if standing.apart == 0:
        return _("All see it the same way.")
    lowest, highest = min(standing.levels), max(standing.levels)
    said = _("The views go from “{lowest}” to “{highest}”.").format(
        lowest=level_name(lowest), highest=level_name(highest)
    )
    if standing.apart >= FAR_APART:
        said += " " + _("What lies behind the difference is worth a talk.")
    return said


# One's own page, and what others share


def own_page(acting: Appointment) -> Row:
    person = acting.person
    waiting = queries.to_answer(acting)
    return {
        "sides": sides(person, acting),
        "grows": queries.may_grow(acting),
        "to_answer": _by_leader(waiting),
        "asked": _asked(person),
        "shared_with": queries.shared_with(person),
        "shares": list(queries.shares_visible_to(acting)),
        "said_of_others": [
            {"leader": row.leader, "competence": row.competence, "view": _view(row, _("You"))}
            for row in queries.said_of_others(acting)[:40]
        ],
    }


def _by_leader(rows: Iterable[CompetenceRating]) -> list[Row]:
    found: dict[int, Row] = {}
    for row in rows:
        mine = found.setdefault(row.leader_id, {"leader": row.leader, "names": []})
        mine["names"].append(row.competence.name)
    return list(found.values())


def _asked(person: Person) -> list[Row]:
    """Colleagues who have not answered, each with what they were asked."""
    found: dict[int, Row] = {}
    for row in queries.asked_by(person):
        if row.rater_id is None:
            continue
        mine = found.setdefault(row.rater_id, {"person": row.rater, "names": [], "on": None})
        mine["names"].append(row.competence.name)
        mine["on"] = words.day(row.asked_at)
    return list(found.values())


def asked_words(told: int) -> str:
    if not told:
        return _("They were asked already, and have not answered yet.")
    return ngettext("One colleague is asked.", "{n} colleagues are asked.", told).format(n=told)


# The own ratings as a table


def rating_columns() -> list[Column]:
    return [
        Column("competence", _("Competence")),
        Column("who", _("Who says it")),
        Column("level", _("Level")),
        Column("sentence", _("Sentence of the level that day")),
        Column("evidence", _("What shows it")),
        Column("on", _("Said on"), "date"),
    ]


def rating_rows(acting: Appointment) -> list[Row]:
    """Everything said of the acting person, the newest first."""
    rows = queries.ratings_visible_to(acting).filter(leader=acting.person_id)
    return [
        {
            "competence": row.competence.name,
            "who": _("Myself") if row.rater_id == acting.person_id else _rater(row),
            "level": level_name(row.level or 1),
            "sentence": row.said,
            "evidence": row.evidence,
            "on": row.at,
        }
        for row in rows.order_by("competence__place", "competence", "-at", "-pk")
    ]
