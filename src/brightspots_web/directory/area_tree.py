"""The tree of areas in memory: found by name whatever the capitals, made where missing."""

import uuid
from collections.abc import Iterable, Mapping, Sequence

from brightspots_web.directory.models import Area

Path = tuple[str, ...]


def plain(name: str) -> str:
    """A name as it is compared: without regard to capitals and repeated spaces."""
    return " ".join(name.split()).casefold()


class AreaTree:
    """All areas, by their names from the root down.

    Paths in files do not name the root: the whole system is one root area, called as the system
    is. A path that begins with the root's name means the same.
    """

    def __init__(self, root_name: str) -> None:
        self.by_pk = {area.pk: area for area in Area.objects.order_by("level", "pk").iterator()}
        self.children: dict[tuple[int | None, str], Area] = {
            (area.parent_id, plain(area.name)): area for area in self.by_pk.values()
        }
        self.root = next((area for area in self.by_pk.values() if area.parent_id is None), None)
        self.root_name = self.root.name if self.root else root_name

    def below_root(self, path: Sequence[str]) -> Path:
        names = tuple(" ".join(name.split()) for name in path if name.strip())
        return names[1:] if names and plain(names[0]) == plain(self.root_name) else names

    def find(self, path: Sequence[str]) -> Area | None:
        area = self.root
        for name in self.below_root(path):
            if area is None:
                return None
            area = self.children.get((area.pk, plain(name)))
        return area

    def names(self, area: Area) -> Path:
        """Names from below the root down to the area."""
        names: list[str] = []
        at: Area | None = area
        while at is not None and at.parent_id is not None:
            names.append(at.name)
            at = self.by_pk.get(at.parent_id)
        return tuple(reversed(names))

    def create_missing(self, paths: Iterable[Sequence[str]]) -> list[Area]:
        """Make the areas of these paths that are not there; call it inside a transaction."""
        created: list[Area] = []
        if self.root is None:
            created += self._create([(None, self.root_name)])
        wanted = sorted({self.below_root(path) for path in paths})
        for depth in range(max((len(path) for path in wanted), default=0)):
            missing: Mapping[tuple[int, str], tuple[Area, str]] = {
                (parent.pk, plain(path[depth])): (parent, path[depth])
                for path in reversed(wanted)
                if len(path) > depth
                and (parent := self.find(path[:depth])) is not None
                and (parent.pk, plain(path[depth])) not in self.children
            }
            created += self._create([missing[key] for key in sorted(missing)])
        return created

    def _create(self, areas: Sequence[tuple[Area | None, str]]) -> list[Area]:
        """Keys come from the database, so that the path is written once the row is there."""
        rows = Area.objects.bulk_create(
            (
                Area(
                    name=name[:200],
                    parent=parent,
                    level=parent.level + 1 if parent else 0,
                    path=f"new-{uuid.uuid4()}",
                )
                for parent, name in areas
            ),
            batch_size=500,
        )
        for area in rows:
            area.path = f"{area.parent.path if area.parent else ''}{area.pk}/"
            self.by_pk[area.pk] = area
            self.children[(area.parent_id, plain(area.name))] = area
            if area.parent_id is None:
                self.root = area
        Area.objects.bulk_update(rows, ["path"], batch_size=200)
        return rows
