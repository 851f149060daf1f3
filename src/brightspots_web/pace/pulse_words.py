"""What is said about the pulse: the two questions, how it stands, what is shown and what is not."""

from datetime import timedelta

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability.voice_models import FEWEST
from brightspots_web.pace.models import PulseSettings, PulseTerm
from brightspots_web.pace.pulse_queries import FREEDOM, SUPPORT, Share, Shares
from brightspots_web.shared.charts import number
from brightspots_web.shared.words import day


def question(name: str) -> str:
    """What is asked: how much there is of it, from too little to too much, never how one feels."""
    return {
        SUPPORT: _("This term: how much help does your school get with what is asked of it?"),
        FREEDOM: _("This term: how much can your school decide for itself?"),
    }[name]


def steps(name: str) -> list[str]:
    """The five steps of a question, as voice counts them: "1" to "5"."""
    return {
        SUPPORT: [
            _("far too little"), _("too little"), _("about right"), _("more than we need"),
            _("far more than we need"),
        ],
        FREEDOM: [
            _("far too little"), _("too little"), _("about right"), _("more than we can use"),
            _("far more than we can use"),
        ],
    }[name]  # fmt: skip


def measure(name: str) -> str:
    """What the share of a question is called."""
    return {SUPPORT: _("Too little help"), FREEDOM: _("Too little to decide")}[name]


def no_answer() -> str:
    return _("no answer")


def term(found: PulseTerm) -> str:
    return _("{cycle}, term {n}").format(cycle=found.cycle.name, n=number(found.number, 0))


def title(found: PulseTerm) -> str:
    """What its round is called on record."""
    return _("Two questions: {term}").format(term=term(found))


def short(found: PulseTerm) -> str:
    """The month in which a term's answers ended, for an axis."""
    return str(formats.date_format(found.closes - timedelta(days=1), "m/y"))


def last_day(found: PulseTerm) -> str:
    return str(day(found.closes - timedelta(days=1)))


def percent(value: float | None) -> str:
    return _("not shown") if value is None else f"{number(100 * value, 0)}%"


def share(found: Share) -> str:
    """`23% (likely between 15% and 33%; 14 of 61)`"""
    bounds = found.interval()
    if found.value is None or bounds is None:
        return _("fewer than five answered this")
    return _("{share} (likely between {low} and {high}; {k} of {n} answers)").format(
        share=percent(found.value), low=percent(bounds[0]), high=percent(bounds[1]),
        k=number(found.too_little, 0), n=number(found.n, 0),
    )  # fmt: skip


def turnout(found: Shares) -> str:
    if found.asked is None:
        return ngettext(
            "{n} answered, by {day}.", "{n} answered, by {day}.", found.answered
        ).format(n=number(found.answered, 0), day=last_day(found.term))
    return ngettext(
        "{n} of {asked} who were asked answered, by {day}.",
        "{n} of {asked} who were asked answered, by {day}.",
        found.answered,
    ).format(n=number(found.answered, 0), asked=number(found.asked, 0), day=last_day(found.term))


def standing(
    settings: PulseSettings, opened: PulseTerm | None, coming: PulseTerm | None
) -> str:  # fmt: skip
    """How it stands, in one sentence or two."""
    if opened is not None:
        return _(
            "The two questions are open until the end of {day}. Until they are counted nobody "
            "can read an answer, and nobody sees how many there are."
        ).format(day=last_day(opened))
    if not settings.on:
        return _("The two questions are switched off at the moment. What was counted stays here.")
    if coming is not None:
        return _("The two questions are asked next from {day}.").format(day=day(coming.opens))
    return _("No day is set yet for asking the two questions again.")


def not_kept(found: PulseTerm) -> str:
    """Why nothing of a counted term is shown; "" where something is."""
    if found.consultation is None or found.consultation.closed_at is None:
        return ""
    if found.consultation.answers is None:
        return _(
            "Fewer than five people answered by {day}: nothing of what they said was kept."
        ).format(day=last_day(found))
    if found.too_alike:
        return _(
            "What was answered by {day} is not shown: nearly the same people answered as in a "
            "term before, and the difference could tell what one of them said."
        ).format(day=last_day(found))
    return ""


def promises() -> list[str]:
    """What holds for everybody who answers."""
    return [
        _(
            "Anonymous: your answer is sealed before it is stored, opened only together with all "
            "others, and counted. Nothing leads from it to you."
        ),
        _(
            "Nothing is shown below five answers, nor a difference of fewer than five people, "
            "also between this term and the two before."
        ),
        _(
            "For that, it is kept for two more terms that you answered, sealed with a key outside "
            "the database: never what you answered."
        ),
    ]


def limit() -> str:
    return _(
        "While it is open, somebody who can read both the database and the key on the server "
        "could open answers against all rules."
    )


def how_read() -> str:
    return _(
        "The share of those who said “far too little” or “too little”. Those who answered are no "
        "sample drawn by lot: the range says what chance alone could do to the share, and those "
        "who did not answer may think otherwise."
    )


def hidden() -> str:
    return _(
        "An area or a group is shown only where at least {n} answers stand behind it and behind "
        "every difference to others, in this term and the two before. Areas are in the order of "
        "their names. Where one is missing in a term, its line has a gap."
    ).format(n=number(FEWEST, 0))


def left_empty() -> str:
    return _("Where fewer than {n} answered a question, its answers are left empty.").format(
        n=number(FEWEST, 0)
    )


def role(key: str) -> str:
    return {"role:head": _("Heads"), "role:teacher": _("Teachers")}[key]
