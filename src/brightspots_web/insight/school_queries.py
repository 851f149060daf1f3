"""What the school's page tells beyond where the school stands: groups, other ways, its family."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import School
from brightspots_web.insight import disclosure, queries
from brightspots_web.insight.models import Run, Sensitivity, SubgroupFigure
from brightspots_web.insight.queries import Standing


@dataclass(frozen=True)
class Depth:
    """What stands behind one outcome of a school besides the figure itself."""

    groups: tuple[tuple[str, tuple[SubgroupFigure, ...]], ...] = ()
    """Dimension and its groups of pupils, by name."""
    variants: tuple[Sensitivity, ...] = ()

    @property
    def group_rows(self) -> list[SubgroupFigure]:
        return [row for _dimension, rows in self.groups for row in rows]


def depth(school: School, standings: Sequence[Standing], run: Run | None) -> dict[str, Depth]:
    """Outcome -> its groups and other ways of reckoning, as far as the reader may see them."""
    if run is None:
        return {}
    groups: dict[str, list[SubgroupFigure]] = defaultdict(list)
    for group in SubgroupFigure.objects.filter(run=run, school=school):
        groups[group.subject].append(group)
    variants: dict[str, list[Sensitivity]] = defaultdict(list)
    for variant in Sensitivity.objects.filter(run=run, school=school):
        variants[variant.subject].append(variant)
    return {
        each.subject: Depth(
            _by_dimension(disclosure.groups_shown(groups[each.subject], each.now)),
            tuple(
                disclosure.variants_shown(
                    variants[each.subject], each.now, bool(each.years_withheld)
                )
            ),
        )
        for each in standings
    }


def _by_dimension(
    rows: Sequence[SubgroupFigure],
) -> tuple[tuple[str, tuple[SubgroupFigure, ...]], ...]:
    found: dict[str, list[SubgroupFigure]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.dimension, row.group)):
        found[row.dimension].append(row)
    return tuple((name, tuple(each)) for name, each in found.items())


@dataclass(frozen=True)
class Kin:
    """A school of the family: who and where, and its circumstances; never its results."""

    school: School
    km: float | None
    circumstances: tuple[Any, ...]


@dataclass(frozen=True)
class Likeness:
    """One circumstance: ours, the family's, and how far apart they are."""

    name: str
    ours: Any
    family: float | str | None
    """Mean of the members; of kinds, the one that most of them are of."""
    difference: float | None
    """Ours minus the family's in standard deviations; of kinds, the share at another."""
    kinds: bool


@dataclass(frozen=True)
class FamilyTable:
    """The schools most like one school, by name."""

    run: Run
    columns: tuple[str, ...]
    ours: tuple[Any, ...]
    kin: tuple[Kin, ...]
    likeness: tuple[Likeness, ...]


def family_table(school: School, run: Run | None) -> FamilyTable | None:
    """Who is in the family, alphabetically, with what makes them alike; no results of anybody."""
    found = queries.family_of(run, school) if run else None
    if run is None or found is None:
        return None
    about = run.summary.get("families", {})
    # Candidates stand in for the roll where the register has none; they are no fact of a school.
    columns = tuple(
        name
        for name in [*about.get("columns", ()), *about.get("match", ())]
        if name != "candidates"
    )
    members = directory.all_schools().filter(pk__in=found.members).select_related("area")
    kin = tuple(
        Kin(each, queries.kilometres(school, each), circumstances(each, columns))
        for each in members.order_by("name", "code")
    )
    ours = circumstances(school, columns)
    return FamilyTable(
        run,
        columns,
        ours,
        kin,
        tuple(
            _likeness(name, ours[place], [each.circumstances[place] for each in kin], found.balance)
            for place, name in enumerate(columns)
        ),
    )


def _likeness(name: str, ours: Any, theirs: Sequence[Any], balance: dict[str, float]) -> Likeness:
    known = [value for value in theirs if value is not None]
    numbers = [float(value) for value in known if isinstance(value, int | float)]
    kinds = len(numbers) < len(known)
    middle: float | str | None = None
    if kinds:
        counts = Counter(str(value) for value in known)
        middle = min(counts, key=lambda kind: (-counts[kind], kind))
    elif numbers:
        middle = sum(numbers) / len(numbers)
    return Likeness(name, ours, middle, balance.get(name), kinds)


def circumstances(school: School, columns: Sequence[str]) -> tuple[Any, ...]:
    """What the register says of a school; None where it says nothing."""
    return tuple(_value(school, name) for name in columns)


def _value(school: School, name: str) -> Any:
    if name.startswith("context:"):
        return school.context.get(name.removeprefix("context:"))
    value = getattr(school, name, None)
    return None if value == "" else value
