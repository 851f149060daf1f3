"""The words of the notices that the studio sends."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils import formats
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from brightspots_web.connectedness import actions, studio_actions, studio_consult_actions
from brightspots_web.connectedness import studio_consult_queries as queries
from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link


def _url(data: Mapping[str, Any]) -> str:
    return reverse("connectedness:consultation", args=[data["proposal"]])


def _day(text: str) -> str:
    day = parse_date(text)
    return formats.date_format(day, "DATE_FORMAT") if day else text


@kinds.register(studio_consult_actions.OPENED)
def opened(data: Mapping[str, Any]) -> Link | None:
    if not queries.is_asking(data["proposal"]):
        return None
    words = _("A partnership is proposed for your school. Say what you think until {day}.")
    return Link(words.format(day=_day(data["until"])), _url(data))


@kinds.register(studio_actions.CHANGED)
def changed(data: Mapping[str, Any]) -> Link | None:
    if not queries.is_asking(data["proposal"]):
        return None
    words = _("The partnership proposed for your school has changed. Have another look.")
    return Link(words, _url(data))


@kinds.register(actions.ADOPTED)
def adopted(data: Mapping[str, Any]) -> Link | None:
    if not queries.is_adopted(data["proposal"]):
        return None
    words = _("New partnerships begin on {day}. See with whom your school works from then on.")
    return Link(words.format(day=_day(data["on"])), _url(data))
