"""The words of notices about priorities at work: that a local sense was written, never what."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link


@kinds.register("alignment.local_sense")
def local_sense(data: Mapping[str, Any]) -> Link | None:
    words = _("{partnership}: what “{priority}” means to us is written anew.").format(
        partnership=data["name"], priority=data["title"]
    )
    return Link(words, reverse("alignment:sense", args=[data["priority"], data["partnership"]]))
