"""What the worker does every day: releases suggestions, reminds of answers, forgets."""

import logging
from datetime import date, timedelta

from django.db import transaction
from django.utils.timezone import localdate

from brightspots_web.accountability import response_queries as queries
from brightspots_web.accountability import response_tell as tell
from brightspots_web.accountability import suggestion_actions as suggestions
from brightspots_web.accountability import suggestion_queries as boxes
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability import voice_seal
from brightspots_web.accountability.models import (
    Suggestion,
    SuggestionSettings,
    SuggestionUse,
    VoiceComment,
)
from brightspots_web.accountability.suggestion_queries import month
from brightspots_web.directory import actions as register
from brightspots_web.directory import queries as directory

KEPT = timedelta(days=365)
"""So long withheld words wait for a second look."""
log = logging.getLogger(__name__)


def look_after() -> None:
    """The worker's daily work."""
    operator = register.command_line_operator()
    for box in SuggestionSettings.objects.exclude(key_id=None).order_by("pk"):
        try:
            suggestions.release(box, by=operator)
        except voice_seal.SealError:
            log.error("Suggestions cannot be released: the key of their box is missing.")
    remind()
    forget()


@transaction.atomic
def remind() -> None:
    """Tell of what is late, on the day after it was due and every week from then on.

    Whoever owes an answer hears of it, and others outside the line of words that nobody reads.
    """
    today = directory.today()
    for each in voice.owed_an_answer().filter(answer_due__lt=today).select_related("stakeholder"):
        if _again(each.answer_due):
            tell.overdue(each)
    for one in queries.with_words_waiting():
        since = localdate(one.closed_at)
        if _again(since) and queries.waits_too_long(one):
            tell.unread(one)
    for box, released in boxes.with_words_waiting():
        if boxes.waits_too_long(box) and _again(released):
            tell.box_unread(box)
    for box, n, due in boxes.with_answers_overdue():
        if _again(due):
            tell.suggestions_overdue(box, n)


def _again(since: date) -> bool:
    """Whether it is the day after, or a week after that, or another week."""
    return (directory.today() - since).days % 7 == 1


@transaction.atomic
def forget() -> None:
    """Empty what was withheld a year ago, its reason stays; counts of past months go.

    With the words go what a moderator said of them, and the area a comment came from.
    """
    old = directory.today() - KEPT
    comments = VoiceComment.objects.filter(question__consultation__closed_at__date__lt=old)
    comments.exclude(area=None).update(area=None)
    for withheld in (
        comments.filter(state=VoiceComment.State.WITHHELD),
        Suggestion.objects.filter(state=Suggestion.State.WITHHELD, released_on__lt=old),
    ):
        withheld.exclude(words="", reason_words="").update(words="", reason_words="")
    SuggestionUse.objects.filter(month__lt=month()).delete()
