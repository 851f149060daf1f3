"""The kinds of notices: each app registers how the words of its own are made."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brightspots_web.shared.components import Link

Render = Callable[[Mapping[str, Any]], Link | None]
"""From a notice's data to its words and address, in the language active now; None: no longer so."""

_RENDER: dict[str, Render] = {}


def register(kind: str) -> Callable[[Render], Render]:
    """Decorate the function that makes the words of a kind; call it in the app's `ready`."""

    def keep(render: Render) -> Render:
        _RENDER[kind] = render
        return render

    return keep


RenderMany = Callable[[Sequence[Mapping[str, Any]]], Sequence[Link | None]]
"""As :data:`Render`, for many notices of a kind at once: as many statements for one as for all."""

_RENDER_MANY: dict[str, RenderMany] = {}


def register_many(kind: str) -> Callable[[RenderMany], RenderMany]:
    """As :func:`register`, for a kind whose words are read from the database."""

    def keep(render: RenderMany) -> RenderMany:
        _RENDER_MANY[kind] = render
        return render

    return keep


def all_words(notices: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Link | None]:
    """As :func:`words`, of each kind and data in its place."""
    found: list[Link | None] = [None] * len(notices)
    together: dict[str, list[int]] = {}
    for at, (kind, data) in enumerate(notices):
        if kind in _RENDER_MANY:
            together.setdefault(kind, []).append(at)
        else:
            found[at] = words(kind, data)
    for kind, places in together.items():
        links = _RENDER_MANY[kind]([notices[at][1] for at in places])
        for at, link in zip(places, links, strict=True):
            found[at] = link
    return found


def words(kind: str, data: Mapping[str, Any]) -> Link | None:
    """The words and the address; None for what is no longer so, or of an app taken away."""
    render = _RENDER.get(kind)
    return render(data) if render else None
