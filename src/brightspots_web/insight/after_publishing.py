"""What apps above do once the published figures are others: they register it when they start.

What is registered runs in the transaction that publishes or takes back; it only asks for a job.
"""

from collections.abc import Callable

from brightspots_web.shared.permissions import Actor

Follow = Callable[[Actor], object]
"""Called with who published, or took back."""

_FOLLOW: dict[str, Follow] = {}


def register(name: str) -> Callable[[Follow], Follow]:
    """Decorate what is to happen whenever the published figures change."""

    def keep(follow: Follow) -> Follow:
        _FOLLOW[name] = follow
        return follow

    return keep


def tell(by: Actor) -> None:
    """Let everybody who registered know."""
    for _name, follow in sorted(_FOLLOW.items()):
        follow(by)
