"""What challenge visits are called and how they stand, in words that judge nobody."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability.models import ChallengeStep, ChallengeVisit
from brightspots_web.directory import queries as directory
from brightspots_web.insight import words as plain
from brightspots_web.insight.models import Estimate
from brightspots_web.insight.progress_queries import Movement
from brightspots_web.insight.queries import Scale
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge
from brightspots_web.shared.words import day

State = ChallengeVisit.State


def rule() -> str:
    """What a challenge visit is, for everybody who takes part."""
    return _(
        "Somebody who works elsewhere comes for a day, asks what a friend would not, and sees what "
        "people on the spot no longer notice. Both write down what they saw; the school’s own "
        "words stand beside the record. Strengths come first. What is agreed is owed by both "
        "sides, the school and the system, and is looked at again on a day. It is no inspection: "
        "there is no grade, nothing is ranked and nothing is published."
    )


def evidence(row: Estimate, scale: Scale) -> str:
    """A published figure as a reason for a look from outside."""
    said = {
        "subject": row.subject,
        "points": plain.points(scale, row.estimate),
        "low": plain.points(scale, row.upper),
        "high": plain.points(scale, row.lower),
        "n": number(row.n, 0),
    }
    if row.upper < 0:
        return _(
            "In {subject}, pupils here reach about {points} less than pupils of schools in similar "
            "circumstances (likely between {low} and {high} less; {n} pupils). Somebody from "
            "outside may see what would help."
        ).format(**said)
    return _(
        "In {subject}, pupils here may reach less than pupils of schools in similar circumstances: "
        "anything between {high} less and {low} more is possible ({n} pupils). A look from "
        "outside may tell more than the figure."
    ).format(**said)


def rotation(last: date | None) -> str:
    if last is None:
        return _("No challenge visit here is on record. Every school has its turn.")
    return _("The last challenge visit was on {day}. Every school has its turn.").format(
        day=day(last)
    )


def badge(visit: ChallengeVisit) -> Badge:
    kinds = {State.HELD: "unsure", State.AGREED: "visit", State.CLOSED: "bright"}
    return Badge(str(State(visit.state).label), kinds.get(State(visit.state), "plain"))  # type: ignore[arg-type] # kinds of badges


def standing(visit: ChallengeVisit) -> str:
    """What comes next, in a sentence."""
    today = directory.today()
    if visit.state == State.CALLED_OFF:
        return _("Called off: {why}").format(why=visit.called_off_why)
    if visit.state == State.CLOSED:
        return _("Followed up on {day}.").format(day=day(visit.followed_on))
    if visit.state == State.AGREED:
        if visit.follow_up_on is not None and visit.follow_up_on < today:
            return _("The day to look again was {day}. It is still to be done.").format(
                day=day(visit.follow_up_on)
            )
        return _("Both look again on {day}.").format(day=day(visit.follow_up_on))
    if visit.state == State.HELD:
        return _(
            "The visit took place and its record is here. The school adds its own words; both "
            "sides agree what each does, and the day on which they look again."
        )
    return _before(visit, today)


def _before(visit: ChallengeVisit, today: date) -> str:
    waits = []
    if visit.challenger_id is None:
        waits.append(_("nobody goes yet"))
    elif visit.brief_at is None:
        words = _("{who} has not said yet whether they come")
        waits.append(words.format(who=visit.challenger_name))
    if visit.self_view_at is None:
        waits.append(_("the school has not written its own view yet"))
    when = (
        _("The day of the visit was {day}.") if visit.on < today else _("The visit is on {day}.")
    ).format(day=day(visit.on))
    if not waits:
        if visit.on <= today:
            return when + " " + _("Its record is still to be written.")
        return when + " " + _("Both are prepared.")
    return when + " " + _("Before it: {what}.").format(what="; ".join(waits))


def due(step: ChallengeStep) -> str:
    if step.done_on is not None:
        return _("looked at on {day}").format(day=day(step.done_on))
    late = (directory.today() - step.due).days
    if late > 0:
        words = ngettext("was due {n} day ago", "was due {n} days ago", late)
        return words.format(n=late)
    return _("by {day}").format(day=day(step.due))


def movement(found: Movement) -> str:
    """How a partnership moved, in words."""
    return {
        "up": _("more than at the beginning"),
        "down": _("less than at the beginning"),
        "unclear": _("nobody can tell: no change is possible too"),
        "none": _("not known: no figure of both years may be shown"),
    }[found.verdict]


def progress_basis(found: Movement) -> str:
    return _(
        "In points beyond what is expected of pupils in similar circumstances, in {subject}, "
        "{first} to {last}. A partnership moves up here when its schools gained more than schools "
        "like them elsewhere."
    ).format(subject=found.scale.subject, first=found.first_year, last=found.last_year)
