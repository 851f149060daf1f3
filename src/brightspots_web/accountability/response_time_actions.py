"""What the worker does every day: releases suggestions, reminds of answers, forgets."""

import logging
from datetime import timedelta

from django.db import transaction

from brightspots_web.accountability import response_tell as tell
from brightspots_web.accountability import suggestion_actions as suggestions
from brightspots_web.accountability import voice_seal
from brightspots_web.accountability.models import (
    Consultation,
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
    """Tell whoever owes an answer, on the day after it was due and every week from then on."""
    today = directory.today()
    late = Consultation.objects.filter(state=Consultation.State.CLOSED, answer_due__lt=today)
    for each in late.select_related("stakeholder"):
        if (today - each.answer_due).days % 7 == 1:
            tell.overdue(each)


@transaction.atomic
def forget() -> None:
    """Empty what was withheld a year ago, its reason stays; counts of past months go."""
    old = directory.today() - KEPT
    VoiceComment.objects.filter(
        state=VoiceComment.State.WITHHELD, question__consultation__closed_at__date__lt=old
    ).exclude(words="").update(words="")
    Suggestion.objects.filter(state=Suggestion.State.WITHHELD, released_on__lt=old).exclude(
        words=""
    ).update(words="")
    SuggestionUse.objects.filter(month__lt=month()).delete()
