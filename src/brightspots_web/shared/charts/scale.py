"""From numbers to places on the page, with ticks at numbers people say aloud."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from brightspots_web.shared.charts.draw import number


def nice_step(span: float, about: int = 4) -> float:
    """The 1, 2 or 5 times a power of ten that cuts span in about so many pieces."""
    raw = span / max(about, 1)
    power = 10.0 ** floor(log10(raw))
    for factor in (1, 2, 5):
        if raw <= factor * power * 1.0000001:
            return factor * power
    return 10 * power


def digits_for(step: float) -> int:
    """How many decimals tell two neighbouring ticks apart."""
    return max(0, -floor(log10(step) + 1e-9))


@dataclass(frozen=True)
class Scale:
    """A straight line from values (low to high) to places (start to end)."""

    low: float
    high: float
    start: float
    end: float
    step: float

    def place(self, value: float) -> float:
        """Where a value stands; outside the scale it stands at the edge."""
        held = min(max(value, self.low), self.high)
        return self.start + (held - self.low) / (self.high - self.low) * (self.end - self.start)

    def outside(self, value: float) -> bool:
        return not self.low <= value <= self.high

    def ticks(self) -> list[float]:
        first = ceil(round(self.low / self.step, 9))
        last = floor(round(self.high / self.step, 9))
        return [index * self.step for index in range(first, last + 1)]

    def label(self, tick: float, *, signed: bool = False) -> str:
        return number(tick, digits_for(self.step), signed=signed)


def fit(
    values: Iterable[float], start: float, end: float, *, zero: bool = True, about: int = 4
) -> Scale:
    """A scale that holds all values (and zero), with nice ends."""
    held = [*values, 0.0] if zero else list(values)
    low, high = (min(held), max(held)) if held else (0.0, 1.0)
    if high - low < 1e-9 * max(1.0, abs(low), abs(high)):
        # All equal: open the scale around them, or there is no place to stand.
        room = max(abs(high) * 0.1, 1.0)
        low, high = low - room, high + room
    step = nice_step(high - low, about)
    return Scale(floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step, start, end, step)


def mirrored(values: Sequence[float]) -> list[float]:
    """Put zero in the middle, so that both directions have their room."""
    return [*values, *(-value for value in values)]
