"""The words of what happens to practices: which school and which practice, nobody's words."""

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse

from brightspots_web.connectedness import practice_words
from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link

EVENTS = (
    "adopted", "adapted", "stopped", "resumed", "commented", "changed", "published", "retired",
    "drafted",
)  # fmt: skip


def kind_of(event: str) -> str:
    return f"connectedness.practice_{event}"


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        words = practice_words.changes({**data, "event": event})
        return Link(words, reverse("connectedness:practice", args=[data["code"]]))

    return render


for _event in EVENTS:
    kinds.register(kind_of(_event))(_render(_event))
