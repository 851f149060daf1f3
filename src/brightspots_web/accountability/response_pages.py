"""What the pages of moderation and answers show, and what others show of them."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import response_queries as queries
from brightspots_web.accountability import suggestion_queries as boxes
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import Consultation, VoiceComment
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.components import Link
from brightspots_web.shared.permissions import Capability, Role, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
PARTS = "accountability/response/parts"


def url(consultation: Consultation) -> str:
    return reverse("accountability:consultation", args=[consultation.pk])


def answer_url(consultation: Consultation) -> str:
    return reverse("accountability:answer_for", args=[consultation.pk])


def crumbs(*more: Link) -> list[Link]:
    return [Link(_("Voice"), reverse("accountability:voice")), *more]


def crumbs_of(consultation: Consultation, last: str) -> list[Link]:
    return crumbs(Link(consultation.title, url(consultation)), Link(last))


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
    }


# What others show


def front_items(acting: Appointment | None) -> list[Row]:
    """What waits for a moderator and for whoever owes an answer, the nearest first."""
    if acting is None:
        return []
    found: list[Row] = []
    if may(acting, Capability.CONSULT):
        for each in queries.owed_by(acting.person_id)[:2]:
            said = _("You owe an answer by {day}: “{title}”").format(
                day=day(each.answer_due), title=each.title
            )
            found.append({"text": said, "url": answer_url(each), "link": _("Answer")})
    if may(acting, Capability.MODERATE_VOICE):
        for each in queries.unread_for(acting.person_id)[:2]:
            found.append(
                {
                    "text": _("Own words wait for you to read them: “{title}”").format(
                        title=each.title
                    ),
                    "url": reverse("accountability:moderate", args=[each.pk]),
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
    if not late and not waiting:
        return None
    items = [
        {
            "text": _("“{title}”: {who} owed an answer by {day}.").format(
                title=each.title, who=each.stakeholder_name, day=day(each.answer_due)
            ),
            "url": url(each),
            "link": _("See it"),
        }
        for each in late
    ]
    if waiting:
        said = ngettext(
            "{n} suggestion waits for its answer too long.",
            "{n} suggestions wait for their answer too long.",
            waiting,
        )
        items.append(
            {
                "text": said.format(n=waiting),
                "url": reverse("accountability:suggestions"),
                "link": _("See them"),
            }
        )
    return {
        "heading": _("Answers that are overdue"),
        "text": _("People spoke and were promised an answer. These are late."),
        "items": items,
        "url": reverse("accountability:voice"),
        "link": _("All consultations"),
    }
