"""The note on the front page of somebody whose school is asked about a proposal."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.connectedness import studio_consult_queries as queries
from brightspots_web.connectedness import studio_words
from brightspots_web.directory.models import Appointment


def front_notice(acting: Appointment | None) -> dict[str, Any] | None:
    """The note on the front page of somebody whose school is asked; None where nothing waits."""
    found = queries.waiting_for(acting)
    if found is None or acting is None or acting.school_id is None:
        return None
    answered = queries.reply_of(found, acting.school_id)
    if answered is not None and answered.about == queries.about_school(found, acting.school_id):
        return None
    words = _("Say what your school thinks until {day}. Nothing is decided yet.")
    return {
        "heading": _("A partnership is proposed for your school"),
        "text": words.format(day=studio_words.day(found.consult_until)),
        "url": reverse("connectedness:consultation", args=[found.pk]),
        "link": _("See it and answer"),
    }
