"""What is said about consultations: how they stand, what is promised to whoever answers."""

from collections.abc import Mapping
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability.models import Consultation
from brightspots_web.accountability.voice_models import FEWEST
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge
from brightspots_web.shared.words import day

State = Consultation.State
Mode = Consultation.Mode


def badge(consultation: Consultation) -> Badge:
    label = str(consultation.get_state_display())
    if consultation.state in {State.DRAFT, State.WITHDRAWN}:
        return Badge(label, "unsure" if consultation.state == State.DRAFT else "plain")
    return Badge(label, "bright" if consultation.state == State.OPEN else "visit")


def scale() -> list[str]:
    """The five steps, from the one end to the other."""
    return [
        _("disagree strongly"), _("disagree"), _("neither"), _("agree"), _("agree strongly"),
    ]  # fmt: skip


def slice_label(name: str, areas: Mapping[int, str]) -> str:
    if name == "all":
        return _("All who answered")
    if name.startswith("role:"):
        return {"head": _("Heads"), "teacher": _("Teachers")}.get(name[5:], name[5:])
    return areas.get(int(name[5:]), _("an area that is gone"))


def slices(consultation: Consultation) -> str:
    """By what answers are shown beside the whole."""
    named = {"role": _("by teachers and heads"), "area": _("by area")}
    chosen = [str(named[each]) for each in ("role", "area") if each in consultation.slices]
    return _(" and ").join(chosen) or _("the whole alone")


def last_day(consultation: Consultation) -> str:
    return str(day(consultation.closes - timedelta(days=1)))


def standing(consultation: Consultation, today: date) -> str:
    """How it stands, in one sentence."""
    who = consultation.stakeholder_name
    if consultation.state == State.DRAFT:
        return _("It is being written. Nobody is asked until it is opened.")
    if consultation.state == State.WITHDRAWN:
        return _(
            "It was withdrawn: {why} All answers were destroyed unread, with their key."
        ).format(why=consultation.withdrawn_why)
    if consultation.state == State.OPEN:
        if today >= consultation.closes:
            return _("Its time is over. The answers are about to be opened together and counted.")
        return _(
            "Answers are taken until the end of {day}. Until then nobody can read one, and nobody "
            "sees how many there are."
        ).format(day=last_day(consultation))
    if consultation.state == State.ANSWERED:
        return _("{who} has answered.").format(who=who)
    if today > consultation.answer_due:
        return _("{who} owed an answer by {day}. It is overdue.").format(
            who=who, day=day(consultation.answer_due)
        )
    return _("{who} owes an answer by {day}.").format(who=who, day=day(consultation.answer_due))


def turnout(consultation: Consultation) -> str:
    """How many answered of how many, as far as it may be said."""
    asked = number(consultation.asked, 0)
    if consultation.closed_at is None:
        return ngettext("{n} person is asked.", "{n} people are asked.", consultation.asked).format(
            n=asked
        )
    if consultation.answers is None:
        return _(
            "{asked} people were asked, and fewer than five answered: nothing of what they said "
            "was kept."
        ).format(asked=asked)
    return ngettext(
        "{n} answer, of {asked} people who were asked. Counted on {day}.",
        "{n} answers, of {asked} people who were asked. Counted on {day}.",
        consultation.answers,
    ).format(n=number(consultation.answers, 0), asked=asked, day=day(consultation.closed_at))


def in_list(consultation: Consultation) -> str:
    """The same in two words, for a cell of a table."""
    if consultation.closed_at is None:
        return ""
    if consultation.answers is None:
        return _("fewer than five")
    return _("{n} of {asked}").format(
        n=number(consultation.answers, 0), asked=number(consultation.asked, 0)
    )


def promise(consultation: Consultation) -> list[str]:
    """What holds for everybody who answers: the mode, and what is shown."""
    said = [
        _(
            "It is kept that you answered, and nothing that leads from you to your answer: no "
            "name, no time, no order, no address."
        ),
        _(
            "Your answer is sealed before it is stored. The key lies outside the database; when "
            "the consultation closes, all answers are opened together, shuffled and counted, and "
            "the key and the sealed answers are destroyed."
        ),
        _(
            "Nothing is shown below five answers. If fewer than five people answer, or fewer than "
            "five write to a question, what they said is destroyed."
        ),
        comments(consultation),
    ]
    return said


def comments(consultation: Consultation) -> str:
    """Who reads own words, in the mode of the consultation."""
    if consultation.mode == Mode.CONFIDENTIAL:
        return _(
            "This consultation is only confidential: beside your own words the moderator, {who}, "
            "sees the area they come from, where at least five people answer there. Nobody else "
            "does. What you write to one question is not tied to your other answers."
        ).format(who=consultation.moderator_name)
    return _(
        "This consultation is anonymous: what you write to one question is not tied to your other "
        "answers. {who} reads all own words before they are shown, and does not know whose they "
        "are."
    ).format(who=consultation.moderator_name)


def limit() -> str:
    """What it does not hold against, said plainly."""
    return _(
        "While the consultation is open, somebody who can read both the database and the key on "
        "the server could open answers against all rules. And words can tell who wrote them: do "
        "not name your school, yourself or a pupil."
    )


def mode(consultation: Consultation) -> str:
    if consultation.mode == Mode.CONFIDENTIAL:
        return _("Confidential, not anonymous: the moderator sees own words with their area")
    return _("Anonymous: nobody can tell whose an answer is")


def hidden() -> str:
    """Why some slices are not there."""
    return _(
        "Teachers, heads and areas are shown apart only as far as at least five answers stand "
        "behind each, and behind every difference between two of them. Options that few chose are "
        "shown, as those who chose them cannot be told from the others."
    )


def not_a_sample() -> str:
    return _(
        "These are the people who answered, not a sample drawn by lot: no interval is given, and "
        "those who did not answer may think otherwise."
    )


def closed(consultation: Consultation) -> str:
    if consultation.state == State.WITHDRAWN:
        return _("It was withdrawn. No answer is taken any more.")
    return _("It closed at the end of {day}: no answer can be taken any more.").format(
        day=last_day(consultation)
    )


def answered_already() -> str:
    return _(
        "You have answered this consultation already, here or on another device. One answer "
        "counts: the first. This one was not kept."
    )


def too_few_asked(n: int) -> str:
    return ngettext(
        "{n} person would be asked.", "{n} people would be asked.", n
    ).format(n=number(n, 0)) + " " + _(
        "With fewer than {few} answers nothing could be shown: choose a larger area, or ask "
        "teachers and heads."
    ).format(few=FEWEST)  # fmt: skip
