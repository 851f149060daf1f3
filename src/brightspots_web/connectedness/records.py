"""What earlier support by a leader lets one expect: told by an app above, asked for by brokering.

Brokering stands here, and what projects brought is reckoned higher up, where this app may not look.
An app registers one source when it starts (docs/decisions/0024); without one nobody has a record.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from brightspots_web.alignment.models import Priority

Key = tuple[int, int]
"""A leader's and a priority's key."""


@dataclass(frozen=True)
class Record:
    """What is expected of a leader's next project at a priority; pupil SD."""

    gain: float
    se: float
    projects: int
    """Projects of the leader at this priority whose effect is known; 0 where there is none."""
    given: int
    """Projects that are over, whether their effect is known or not."""
    shown: bool
    """Whether the figure may be told: it rests on so many schools that it names none of them."""


@dataclass(frozen=True)
class Outlook:
    """Records of some leaders, and how brokering goes by them."""

    records: Mapping[Key, Record] = field(default_factory=dict)
    exploration: float | None = None
    """Share of requests that go by a draw, so that those without a record get their chance."""
    seed: int = 0
    """Of the draws; another one with each reckoning, so that chance does not favour the same."""


Source = Callable[[Collection[int], Collection[Priority]], Outlook]
"""From the keys of leaders, and priorities, to what is known."""

_SOURCES: list[Source] = []


def register(source: Source) -> Source:
    """Let a higher layer say what the records are; there is one such source at most."""
    _SOURCES[:] = [source]
    return source


def outlook(leaders: Collection[int], priorities: Collection[Priority]) -> Outlook:
    """What is known of these leaders at these priorities."""
    return _SOURCES[0](leaders, priorities) if _SOURCES else Outlook()
