"""What a proposal costs when people change it, which rules it then breaks, and a new one around
what they decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from django.utils.translation import gettext as _

from brightspots.connectedness.pins import Pins
from brightspots.connectedness.problem import Parameters, ranks
from brightspots.connectedness.schools import ANY, MISSING
from brightspots.core.errors import InputError
from brightspots.core.geography import great_circle_km

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = (
    "travel_km", "balance", "complement", "need", "leader_strength", "partnerships", "disruption",
)  # fmt: skip


@dataclass(frozen=True)
class Group:
    """A proposed partnership: its leader's school and all its schools, by key."""

    lead: int
    members: tuple[int, ...]


@dataclass(frozen=True)
class SchoolFacts:
    """What the cost and the rules of a partnership need to know of a school."""

    pk: int
    code: str
    name: str
    latitude: float | None
    longitude: float | None
    phase: str
    language: str
    strength: float | None
    need: float | None
    closed: bool = False
    present: str = ""
    """The partnership it would change from; "" where changing costs nothing."""
    by_priority: tuple[tuple[float | None, float | None], ...] = ()
    """Strength and need in each priority that the proposal weighs; as many for every school."""

    @property
    def placed(self) -> bool:
        """Whether it is known where the school is; (0, 0) stands for an unknown place."""
        known = self.latitude is not None and self.longitude is not None
        return known and (self.latitude, self.longitude) != (0, 0)


def parameters_of(settings: Mapping[str, Any]) -> Parameters:
    """The optimiser's settings among what a proposal keeps of how it was made."""
    known = {field.name for field in fields(Parameters)}
    return Parameters(**{name: value for name, value in settings.items() if name in known})


class Yardstick:
    """Measures partnerships as the optimiser does, with the figures of today.

    Formulas: `docs/methods/partnerships.md`. A test holds it against the library's own total.

    Parameters
    ----------
    settings
        Of the proposal.
    schools
        All schools that the proposal speaks of: ranks are taken among those with coordinates.
    """

    def __init__(self, settings: Mapping[str, Any], schools: Iterable[SchoolFacts]) -> None:
        self.parameters = parameters_of(settings)
        self.schools = {school.pk: school for school in schools}
        listed = list(self.schools.values())
        weights = self.parameters.weights
        placed = np.array([school.placed for school in listed], dtype=bool)
        strength = np.where(placed, _floats([school.strength for school in listed]), np.nan)
        need = np.where(placed, _floats([school.need for school in listed]), np.nan)
        columns = [(strength, need)]
        several = max((len(school.by_priority) for school in listed), default=0)
        if several:
            columns = [_column(listed, number, placed) for number in range(several)]
        strong: list[NDArray[np.bool_]] = []
        needs: list[NDArray[np.float64]] = []
        preferences: list[NDArray[np.float64]] = []
        for one, wanting in columns:
            known = one[np.isfinite(one)]
            if not len(known):
                continue  # there is nothing to complement and no leader to prefer
            edge = np.quantile(known, 1 - self.parameters.strong_share, method="lower")
            strong.append(np.nan_to_num(one, nan=-np.inf) >= edge)
            preferences.append(weights.leader_strength * (1 - ranks(one)))
            has_need = np.isfinite(wanting).any()
            needs.append(weights.need * ranks(wanting) if has_need else np.zeros(len(listed)))
        if several and np.isfinite(strength).any():
            preferences = [weights.leader_strength * (1 - ranks(strength))]
        at = {pk: number for number, pk in enumerate(self.schools)}
        self._at, self._strong, self._needs = at, strong, needs
        total: NDArray[np.float64] = np.zeros(len(listed))
        for preference in preferences:
            total = total + preference / len(preferences)
        self._preference = total
        self._several = bool(several)
        self._latitude = _floats([each.latitude if each.placed else None for each in listed])
        self._longitude = _floats([each.longitude if each.placed else None for each in listed])

    def _wanted(self, lead: int, number: int) -> bool:
        """Whether a priority counts for who leads from here: some school in reach is strong in it.

        With priorities a lack that nobody around could fill is not held against a partnership.
        """
        if not self._several:
            return True
        at = self._at[lead]
        strong = np.flatnonzero(self._strong[number])
        km = great_circle_km(
            self._latitude[at], self._longitude[at], self._latitude[strong], self._longitude[strong]
        )
        here, listed = self.schools[lead], list(self.schools.values())
        near = (listed[each] for each in strong[km <= self.parameters.max_km + 1e-9])
        return bool(self._strong[number][at]) or any(
            _share(each.phase, here.phase) and _share(each.language, here.language) for each in near
        )

    def distance(self, one: int, other: int) -> float | None:
        """As the crow flies, km; None where a place is not known."""
        if one == other:
            return 0.0
        a, b = self.schools[one], self.schools[other]
        if not a.placed or not b.placed:
            return None
        assert a.latitude is not None
        assert a.longitude is not None
        assert b.latitude is not None
        assert b.longitude is not None
        return float(great_circle_km(a.latitude, a.longitude, b.latitude, b.longitude))

    def parts(self, groups: Iterable[Group]) -> dict[str, float]:
        """What these partnerships cost by part, km; an unknown way counts as the longest."""
        found = dict.fromkeys(PARTS, 0.0)
        if len(self._strong) > 1:
            found["all_weak"] = 0.0
        weights = self.parameters.weights
        for group in groups:
            rows = [self._at[pk] for pk in group.members]
            without = [number for number, each in enumerate(self._strong) if not each[rows].any()]
            missed = [number for number in without if self._wanted(group.lead, number)]
            home = self.schools[group.lead].present
            moved = sum(self.schools[pk].present != home for pk in group.members)
            for pk in group.members:
                km = self.distance(pk, group.lead)
                found["travel_km"] += self.parameters.max_km if km is None else km
            size = len(group.members)
            found["balance"] += weights.balance * (size - self.parameters.target_size) ** 2
            found["complement"] += weights.complement * len(missed)
            found["need"] += sum(float(self._needs[number][rows].sum()) for number in missed)
            if len(self._strong) > 1 and len(without) == len(self._strong):
                found["all_weak"] += weights.all_weak
            found["leader_strength"] += float(self._preference[self._at[group.lead]])
            found["partnerships"] += weights.partnership
            found["disruption"] += weights.disruption * moved
        return found

    def broken(self, group: Group) -> dict[int, list[str]]:
        """School key -> the rules broken by its being here; what is wrong with all stands with
        the leader's school.
        """
        found: dict[int, list[str]] = {}
        size, low, high = len(group.members), self.parameters.minimum, self.parameters.maximum
        if size < low:
            words = _("{n} schools are together; at least {fewest} should be.")
            found.setdefault(group.lead, []).append(words.format(n=size, fewest=low))
        if size > high:
            words = _("{n} schools are together; {most} should be the most.")
            found.setdefault(group.lead, []).append(words.format(n=size, most=high))
        for name, words in (
            ("phase", _("The schools have no phase in common.")),
            ("language", _("The schools have no language in common.")),
        ):
            if not _in_common([getattr(self.schools[pk], name) for pk in group.members]):
                found.setdefault(group.lead, []).append(words)
        for pk in group.members:
            for rule in self._broken_by(pk, group):
                found.setdefault(pk, []).append(rule)
        return found

    def _broken_by(self, pk: int, group: Group) -> list[str]:
        school, lead = self.schools[pk], self.schools[group.lead]
        rules = []
        km = self.distance(pk, group.lead)
        if km is None:
            rules.append(_("The way to {lead} is not known.").format(lead=lead.name))
        elif km > self.parameters.max_km + 1e-9:
            rules.append(
                _("{km:.1f} km to {lead}, further than the {most:g} km allowed.").format(
                    km=km, lead=lead.name, most=self.parameters.max_km
                )
            )
        if not _share(school.phase, lead.phase):
            rules.append(_("Another phase than {lead}.").format(lead=lead.name))
        if not _share(school.language, lead.language):
            rules.append(_("Another language than {lead}.").format(lead=lead.name))
        if school.closed:
            rules.append(_("The school is closed."))
        return rules


def _column(
    schools: Sequence[SchoolFacts], number: int, placed: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Strength and need in one priority; NaN where nothing is known."""
    strength = _floats([school.by_priority[number][0] for school in schools])
    need = _floats([school.by_priority[number][1] for school in schools])
    return np.where(placed, strength, np.nan), np.where(placed, need, np.nan)


def _floats(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _share(one: str, other: str) -> bool:
    """Whether two schools have a phase (or language) in common; an unknown one fits all."""
    return _in_common([one, other])


def _in_common(texts: Sequence[str]) -> bool:
    """Whether there is a phase (or language) that all of these have."""
    common: set[str] | None = None
    for text in texts:
        values = {part.strip().casefold() for part in _split(text)} - MISSING
        if values and not values & ANY:
            common = values if common is None else common & values
    return common is None or bool(common)


def _split(text: str) -> list[str]:
    for mark in ",/|+&":
        text = text.replace(mark, ";")
    return text.split(";")


def library_pins(pins: Iterable[tuple[str, str, str]]) -> Pins:
    """Pins of people (kind, school's code, other's code or "") as the library takes them."""
    together, apart, leads, led_by = [], [], set(), {}
    for kind, school, other in pins:
        if kind == "together":
            together.append(frozenset((school, other)))
        elif kind == "apart":
            apart.append(frozenset((school, other)))
        elif kind == "leads":
            leads.add(school)
        else:
            led_by[school] = other
    return Pins(tuple(together), tuple(apart), frozenset(leads), led_by)


def why_not(
    pins: Sequence[tuple[str, str, str]],
    schools: Iterable[SchoolFacts],
    settings: Mapping[str, Any],
) -> str:
    """Why these pins cannot all be kept to, in plain words; "" where they can."""
    from brightspots.connectedness.pins import check_pins

    led: dict[str, str] = {}
    for kind, school, other in pins:
        if kind == "led_by" and led.setdefault(school, other) != other:
            return _("{school} cannot be led by both {one} and {two}.").format(
                school=school, one=led[school], two=other
            )
    try:
        check_pins(library_pins(pins), frame_of(schools), parameters_of(settings))
    except InputError as error:
        return str(error)
    return ""


def frame_of(schools: Iterable[SchoolFacts]) -> pl.DataFrame:
    """The schools as the library takes them."""
    names = ("code", "latitude", "longitude", "phase", "language", "strength", "need")
    schema = {
        name: pl.String if name in {"code", "phase", "language"} else pl.Float64 for name in names
    }
    rows = [tuple(getattr(school, name) for name in names) for school in schools]
    return pl.DataFrame(rows, schema=schema, orient="row").rename({"code": "school"})
