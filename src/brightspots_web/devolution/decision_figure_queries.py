"""How much schools decide and try out, counted by area: never which partnership, never a word.

A count stands for at least three partnerships and ten items. What is withheld cannot be had from a
total: beside it so many further areas are withheld that what is missing stands for as many. Which
further ones follows from their names, not from how much they did, and what is true of an area is
decided once for everybody: nobody sees below an area that is withheld.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, F, Q

from brightspots_web.devolution.models import Decision, Pdsa
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries
from brightspots_web.directory.models import Appointment, Area

FEWEST_PARTNERSHIPS = 3
FEWEST_ITEMS = 10


@dataclass(frozen=True)
class Counts:
    """What was counted, and in how many partnerships."""

    decisions: int = 0
    deciding: int = 0
    """Partnerships that made a decision."""
    finished: int = 0
    trying: int = 0
    """Partnerships that finished a cycle."""
    adopted: int = 0
    adapted: int = 0
    abandoned: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return self._with(other, 1)

    def __sub__(self, other: "Counts") -> "Counts":
        return self._with(other, -1)

    def _with(self, other: "Counts", sign: int) -> "Counts":
        return Counts(
            **{
                name: getattr(self, name) + sign * getattr(other, name)
                for name in self.__dataclass_fields__
            }
        )


@dataclass(frozen=True)
class Kind:
    """One of the two things that are counted, and the partnerships behind it."""

    items: str
    partnerships: str

    def none(self, counts: Counts) -> bool:
        return not getattr(counts, self.items)

    def enough(self, counts: Counts) -> bool:
        """Whether a count may be shown."""
        items, behind = getattr(counts, self.items), getattr(counts, self.partnerships)
        return bool(items >= FEWEST_ITEMS and behind >= FEWEST_PARTNERSHIPS)


DECISIONS = Kind("decisions", "deciding")
CYCLES = Kind("finished", "trying")


@dataclass(frozen=True)
class Node:
    """An area with what was counted in it and below it."""

    area: Area
    counts: Counts
    children: list["Node"] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """What is shown of an area: a count of either kind, or None where it is withheld."""

    area: Area
    decisions: Counts | None
    cycles: Counts | None


def period(on: date | None = None) -> tuple[date, date]:
    """The twelve full months before this one: what is counted changes once a month only."""
    today = on or directory.today()
    end = today.replace(day=1)
    return end.replace(year=end.year - 1), end


def rows_for(acting: Appointment | None, area: int = 0, on: date | None = None) -> list[Row]:
    """An area and those right below it, as far as they may be shown; empty for who sees none.

    Without a choice: the highest area that the person sees.
    """
    seen = {each.pk: each for each in directory.areas_visible_to(acting)}
    if not seen:
        return []
    chosen = seen.get(area) or min(seen.values(), key=lambda each: (each.level, each.path))
    roots = tree(record_queries.areas(), _by_area(*period(on)))
    by_decisions = set().union(*(shown(root, DECISIONS) for root in roots))
    by_cycles = set().union(*(shown(root, CYCLES) for root in roots))
    node = next(each for root in roots for each in _walk(root) if each.area.pk == chosen.pk)
    return [
        Row(
            each.area,
            each.counts if each.area.pk in by_decisions else None,
            each.counts if each.area.pk in by_cycles else None,
        )
        for each in [node, *node.children]
    ]


def shown(root: Node, kind: Kind) -> set[int]:
    """Keys of the areas whose count may be shown, from the root down."""
    if not kind.enough(root.counts):
        return set()
    open_ones = [each for each in root.children if kind.enough(each.counts)]
    all_open = len(open_ones) == len(root.children)
    # What is counted at the area itself, in none of those below, is missing from them as well.
    while open_ones:
        missing = _missing(root, open_ones)
        if kind.enough(missing) or (all_open and kind.none(missing)):
            break
        open_ones.pop()
        all_open = False
    return {root.area.pk}.union(*(shown(each, kind) for each in open_ones))


def _missing(root: Node, open_ones: Iterable[Node]) -> Counts:
    return root.counts - sum((each.counts for each in open_ones), Counts())


def tree(areas: Iterable[Area], counted: dict[int, Counts]) -> list[Node]:
    """The areas as trees, children by name, each with what was counted in it and below."""
    below: dict[int | None, list[Area]] = {}
    for area in areas:
        below.setdefault(area.parent_id, []).append(area)

    def node(area: Area) -> Node:
        children = [node(each) for each in sorted(below.get(area.pk, []), key=lambda a: a.name)]
        own = counted.get(area.pk, Counts())
        return Node(area, sum((each.counts for each in children), own), children)

    return [node(each) for each in below.get(None, [])]


def _walk(root: Node) -> Iterable[Node]:
    yield root
    for each in root.children:
        yield from _walk(each)


def _by_area(since: date, until: date) -> dict[int, Counts]:
    """Counts by the area of the school that leads the partnership."""
    made = (
        Decision.objects.filter(made_at__date__gte=since, made_at__date__lt=until)
        .values(where=F("partnership__lead_school__area"), who=F("partnership"))
        .annotate(n=Count("pk"))
    )
    finished = (
        Pdsa.objects.filter(finished_on__gte=since, finished_on__lt=until, shared=True)
        .values(where=F("partnership__lead_school__area"), who=F("partnership"))
        .annotate(
            n=Count("pk"),
            adopted=Count("pk", filter=Q(act=Pdsa.Act.ADOPT)),
            adapted=Count("pk", filter=Q(act=Pdsa.Act.ADAPT)),
            abandoned=Count("pk", filter=Q(act=Pdsa.Act.ABANDON)),
        )
    )
    found: dict[int, Counts] = {}
    for row in made.order_by():
        if row["where"] is not None:
            add = Counts(decisions=row["n"], deciding=1)
            found[row["where"]] = found.get(row["where"], Counts()) + add
    for row in finished.order_by():
        if row["where"] is not None:
            acts = {name: row[name] for name in ("adopted", "adapted", "abandoned")}
            add = Counts(finished=row["n"], trying=1, **acts)
            found[row["where"]] = found.get(row["where"], Counts()) + add
    return found
