"""What the pages of moderation and answers show, and what others show of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import dialogue_pages as dialogues
from brightspots_web.accountability import dialogue_queries as promised
from brightspots_web.accountability import response_queries as queries
from brightspots_web.accountability import suggestion_queries as boxes
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import Consultation, Suggestion, VoiceComment
from brightspots_web.accountability.response_actions import standing
from brightspots_web.accountability.response_forms import JudgeForm
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import Column
from brightspots_web.shared.permissions import Capability, Role, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
PARTS = "accountability/response/parts"


def url(consultation: Consultation) -> str:
    return reverse("accountability:consultation", args=[consultation.pk])


def answer_url(consultation: Consultation) -> str:
    return reverse("accountability:answer_for", args=[consultation.pk])


def commit_url(acting: Appointment | None, consultation: Consultation) -> str:
    """Where somebody promises something in an answer; "" where they do not."""
    if consultation.closed_at is None or not promised.may_commit(acting, consultation):
        return ""
    return f"{reverse('accountability:commit')}?consultation={consultation.pk}"


def promises_of(acting: Appointment | None, consultation: Consultation) -> list[Row]:
    """What was promised in the answer, and what came of it."""
    found = promised.commitments_visible_to(acting).filter(consultation=consultation)
    return [dialogues.promise_row(each) for each in found]


def crumbs(*more: Link) -> list[Link]:
    return [Link(_("Voice"), reverse("accountability:voice")), *more]


def crumbs_of(consultation: Consultation, last: str) -> list[Link]:
    return crumbs(Link(consultation.title, url(consultation)), Link(last))


@dataclass(frozen=True)
class Sent:
    """What somebody decided of one comment or suggestion, and what is wrong with it."""

    key: int
    form: forms.Form


def to_judge(
    row: VoiceComment | Suggestion,
    address: str,
    sent: Sent | None,
    *,
    about: str = "",
    area: str = "",
) -> Row:
    """One comment or suggestion, with the form in which it is shown or withheld."""
    form: forms.Form = JudgeForm(
        initial={"reason": row.reason, "reason_words": row.reason_words}, auto_id=f"%s-{row.pk}"
    )
    mine = False
    if sent is not None and sent.key == row.pk:
        form, mine = sent.form, True
    return {
        "row": row,
        "url": address,
        "about": about,
        "area": area,
        "seen": standing(row),
        "form": form,
        "open": mine,
    }


def withheld_words(found: queries.Withheld) -> str:
    """How much is withheld, of how many, and why; "" where nothing is."""
    if not found.n:
        return ""
    labels = dict(VoiceComment.Reason.choices)
    why = "; ".join(
        _("{n} because it {reason}").format(n=n, reason=labels[key]) for key, n in found.reasons
    )
    return ngettext(
        "The moderator withheld {n} of {of}: {why}.",
        "The moderator withheld {n} of {of}: {why}.",
        found.n,
    ).format(n=found.n, of=found.of, why=why)


# What the page of a consultation shows


def parts(acting: Appointment | None, consultation: Consultation) -> list[Row]:
    """The answer, and the comments, of a counted consultation: template and context of each."""
    if consultation.closed_at is None:
        return []
    found = [{"template": f"{PARTS}/answer.html", "context": _answer(acting, consultation)}]
    if consultation.answers is not None:
        found.append(
            {"template": f"{PARTS}/comments.html", "context": _comments(acting, consultation)}
        )
    return found


def _answer(acting: Appointment | None, consultation: Consultation) -> Row:
    sent = consultation.state == Consultation.State.ANSWERED
    late = not sent and consultation.answer_due < directory.today()
    return {
        "sent": sent,
        "promises": promises_of(acting, consultation),
        "commit_url": commit_url(acting, consultation),
        "points": list(queries.points(consultation)) if sent else [],
        "words": consultation.answered_words,
        "who": consultation.stakeholder_name,
        "on": day(consultation.answered_at),
        "due": day(consultation.answer_due),
        "late": late,
        "url": answer_url(consultation) if queries.may_answer(acting, consultation) else "",
    }


def _comments(acting: Appointment | None, consultation: Consultation) -> Row:
    counted = queries.withheld(voice.comments_of(consultation))
    reads = queries.moderates(acting, consultation) or queries.looks_again(acting, consultation)
    return {
        "shown": [
            {"question": each, "words": words} for each, words in queries.shown(consultation)
        ],
        "withheld": withheld_words(counted),
        "url": reverse("accountability:moderate", args=[consultation.pk]) if reads else "",
        "asked_again": consultation.look_again,
        "ask_url": reverse("accountability:look_again", args=[consultation.pk])
        if queries.may_ask_again(acting, consultation)
        else "",
    }


def withheld_rows(acting: Appointment | None) -> list[Row]:
    """What moderators withheld, with reasons, for the ministry and for moderators of others."""
    consultations = [
        {"title": each.title, "url": url(each), "words": withheld_words(counts), "counts": counts}
        for each, counts in queries.withheld_in_sight(acting)
    ]
    suggested = [
        {
            "title": _("Suggestions of {area}").format(area=box.area.name),
            "url": reverse("accountability:suggestions"),
            "words": withheld_words(counts),
            "counts": counts,
        }
        for box, counts in boxes.withheld_in_sight(acting)
    ]
    return [*consultations, *suggested]


# What others show


def front_items(acting: Appointment | None) -> list[Row]:
    """What waits for a moderator and for whoever owes an answer, the nearest first."""
    if acting is None:
        return []
    found: list[Row] = []
    if may(acting, Capability.CONSULT):
        found += _owed(acting)
    if may(acting, Capability.MODERATE_VOICE):
        found += _unread(acting)
    return found


def _owed(acting: Appointment) -> list[Row]:
    found = [
        {
            "text": _("You owe an answer by {day}: “{title}”").format(
                day=day(each.answer_due), title=each.title
            ),
            "url": answer_url(each),
            "link": _("Answer"),
        }
        for each in queries.owed_by(acting.person_id)[:2]
    ]
    for box, n, due in boxes.owed_by(acting.person_id)[:2]:
        said = ngettext(
            "{n} suggestion of {area} waits for your answer, until {day}.",
            "{n} suggestions of {area} wait for your answer, the first until {day}.",
            n,
        ).format(n=n, area=box.area.name, day=day(due))
        found.append({"text": said, "url": reverse("accountability:suggestions"),
                      "link": _("Answer")})  # fmt: skip
    return found


def _unread(acting: Appointment) -> list[Row]:
    found = [
        {
            "text": _("Own words wait for you to read them: “{title}”").format(title=each.title),
            "url": reverse("accountability:moderate", args=[each.pk]),
            "link": _("Moderate"),
        }
        for each in queries.unread_for(acting)[:2]
    ]
    for box in boxes.unread_for(acting)[:2]:
        found.append(
            {
                "text": _("Suggestions of {area} wait for you to read them.").format(
                    area=box.area.name
                ),
                "url": reverse("accountability:suggestion_moderation", args=[box.pk]),
                "link": _("Moderate"),
            }
        )
    return found


def home_card(acting: Appointment | None) -> Row | None:
    """The card of suggestions among the directions of accountability."""
    if acting is None:
        return None
    n = boxes.visible_to(acting).count()
    text = (
        ngettext("{n} suggestion is shown.", "{n} suggestions are shown.", n).format(n=n)
        if n
        else _("None is shown yet. A suggestion is released with others, so nobody knows whose.")
    )
    return {
        "heading": _("Suggestions"),
        "text": text,
        "url": reverse("accountability:suggestions"),
        "link": _("Suggestions and their answers"),
    }


def overdue_card(acting: Appointment | None) -> Row | None:
    """Answers that the ministry's side owes too long, for its own front page; None if none is."""
    if acting is None or acting.role not in {Role.MINISTER, Role.ANALYST}:
        return None
    late = list(queries.overdue(acting)[:5])
    waiting = boxes.overdue(acting).count()
    said = [
        _("“{title}”: {who} owed an answer by {day}.").format(
            title=each.title, who=each.stakeholder_name, day=day(each.answer_due)
        )
        for each in late
    ]
    if waiting:
        said.append(
            ngettext(
                "{n} suggestion waits for its answer too long.",
                "{n} suggestions wait for their answer too long.",
                waiting,
            ).format(n=waiting)
        )
    if not said:
        return None
    alone = url(late[0]) if len(said) == 1 and late else ""
    return {
        "heading": _("Answers that are overdue"),
        "text": " ".join(said),
        "url": alone or reverse("accountability:voice" if late else "accountability:suggestions"),
        "link": _("See it") if alone else _("See them"),
    }


def withheld_card(acting: Appointment | None) -> Row | None:
    """What moderators withheld beyond a third, unseen by a second one, for the ministry."""
    if acting is None or acting.role not in {Role.MINISTER, Role.ANALYST}:
        return None
    said = [_("“{title}”").format(title=each.title) for each in queries.flagged()]
    said += [_("Suggestions of {area}").format(area=each.area.name) for each in boxes.flagged()]
    if not said:
        return None
    return {
        "heading": _("More than one in three withheld"),
        "text": _("{what}. Nobody else has looked at all of it again.").format(
            what="; ".join(said[:5])
        ),
        "url": f"{reverse('accountability:voice')}#withheld",
        "link": _("How much, and why"),
    }


# Suggestions as a file


def suggestion_columns() -> list[Column]:
    return [
        Column("words", _("You said")),
        Column("area", _("Area")),
        Column("on", _("Day"), "date"),
        Column("state", _("How it stands")),
        Column("due", _("By when"), "date"),
        Column("did", _("What was done")),
        Column("could_not", _("Why it could not be done")),
        Column("who", _("Answered by")),
        Column("answered", _("Answered"), "date"),
    ]


def suggestion_rows(found: Iterable[Suggestion]) -> Iterator[Row]:
    for each in found:
        yield {
            "words": each.words,
            "area": each.box.area.name,
            "on": each.released_on,
            "state": str(each.get_state_display()),
            "due": each.answer_due,
            "did": each.did,
            "could_not": each.could_not,
            "who": each.answered_by,
            "answered": each.answered_on,
        }
