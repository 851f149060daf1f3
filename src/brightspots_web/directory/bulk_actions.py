"""Many schools and areas at once, as files bring them, with what it takes to undo it.

Part of `directory.actions`, which gives these out; in a module of its own for its length.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from brightspots_web.directory import queries
from brightspots_web.directory.area_tree import AreaTree
from brightspots_web.directory.models import Appointment, Area, School
from brightspots_web.shared import audit

T = TypeVar("T")

FIELDS = (
    "name",
    "latitude",
    "longitude",
    "phase",
    "sector",
    "language",
    "roll",
    "opened",
    "closed",
)
"""What a file can say about a school beside its code, its area and its context."""

LONGEST = {"code": 60, "name": 200, "phase": 60, "sector": 60, "language": 60, "area": 200}
"""Characters that fit, as the models say."""


@dataclass(frozen=True)
class SchoolRow:
    """What one row of a file says about a school; whatever it does not name stays as it is."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    """Some of `FIELDS`."""
    context: Mapping[str, float | str | None] = field(default_factory=dict)
    """None takes the entry away."""
    area_path: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Change:
    """One record as it was (None: it was not there) and as it became, in JSON types."""

    record: Literal["school", "area", "link"]
    key: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Codes of the rows that would add a school, change one, or change nothing."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Not registered, and the row lacks the name or the area that a new school needs."""


def compare_schools(rows: Iterable[SchoolRow]) -> Comparison:
    """What importing these rows would do; nothing is written."""
    tree = _tree()
    comparison = Comparison()
    for row, school in _with_schools(rows):
        if school is None:
            complete = row.values.get("name") and row.area_path
            (comparison.new if complete else comparison.unknown).append(row.code)
            continue
        area = tree.find(row.area_path) if row.area_path else school.area
        moved = area is None or area.pk != school.area_id
        found = _wanted(row, school)
        (comparison.changed if moved or found else comparison.same).append(row.code)
    return comparison


@transaction.atomic
def import_schools(rows: Sequence[SchoolRow], *, by: Appointment) -> list[Change]:
    """Add or change schools, and add their areas; give back every change, so it can be undone."""
    tree = _tree()
    areas = tree.create_missing({row.area_path for row in rows if row.area_path})
    changes = [Change("area", area.pk, None, _image(area, _AREA_IMAGE)) for area in areas]
    new: list[School] = []
    changed: list[School] = []
    columns: set[str] = set()
    for row, school in _with_schools(rows):
        area = tree.find(row.area_path) if row.area_path else None
        if school is None:
            if area is None or not row.values.get("name"):
                raise ValidationError(
                    _("School %(code)s is not registered, and the file lacks its name or area."),
                    params={"code": row.code},
                )
            new.append(_new(row, area))
            continue
        wanted = _wanted(row, school)
        if area is not None and area.pk != school.area_id:
            wanted["area_id"] = area.pk
        if wanted:
            before = _image(school, wanted)
            for name, value in wanted.items():
                setattr(school, name, value)
            changes.append(Change("school", school.pk, before, _image(school, wanted)))
            changed.append(school)
            columns |= set(wanted)
    for school in School.objects.bulk_create(new, batch_size=1000):
        changes.append(Change("school", school.pk, None, _image(school, _SCHOOL_IMAGE)))
    _update(changed, columns)
    detail = {"new": len(new), "changed": len(changed), "areas": len(areas)}
    audit.record("directory.import_schools", by=by, detail=detail)
    return changes


@transaction.atomic
def draw_outlines(outlines: Mapping[int, Mapping[str, Any]], *, by: Appointment) -> list[Change]:
    """Set the outlines (GeoJSON geometry) of areas, by key; give back the changes."""
    changes: list[Change] = []
    areas: list[Area] = []
    for keys in _chunks(sorted(outlines), 500):
        for area in Area.objects.filter(pk__in=keys).order_by("pk"):
            if area.outline == outlines[area.pk]:
                continue
            before, area.outline = {"outline": area.outline}, dict(outlines[area.pk])
            changes.append(Change("area", area.pk, before, {"outline": area.outline}))
            areas.append(area)
    Area.objects.bulk_update(areas, ["outline"], batch_size=100)
    if areas:
        audit.record("directory.draw_outlines", by=by, detail={"areas": len(areas)})
    return changes


@transaction.atomic
def restore_schools(changes: Sequence[Change], *, by: Appointment) -> None:
    """Take changes back, newest first: every record is again exactly as it was.

    Refused, with the reason, when a record was changed since or something refers to it.
    """
    ordered = list(reversed(changes))
    schools, areas = (_restore(kind, ordered) for kind in (School, Area))
    _delete(School, schools)
    # Deepest first; an area is made after the one it lies in.
    _delete(Area, sorted(areas, reverse=True))
    detail = {"changes": len(ordered), "schools removed": len(schools)}
    audit.record("directory.restore_schools", by=by, detail=detail)


_SCHOOL_IMAGE = ("code", "area_id", "context", *FIELDS)
_AREA_IMAGE = ("name", "parent_id", "path", "level", "outline")


def _tree() -> AreaTree:
    system = queries.system()
    return AreaTree(system.name if system else _("School system"))


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _with_schools(rows: Iterable[SchoolRow]) -> Iterator[tuple[SchoolRow, School | None]]:
    for chunk in _chunks(list(rows), 500):
        codes = [row.code for row in chunk]
        found = {
            school.code: school
            for school in School.objects.filter(code__in=codes).select_related("area")
        }
        yield from ((row, found.get(row.code)) for row in chunk)


def _wanted(row: SchoolRow, school: School) -> dict[str, Any]:
    """Fields that the row gives another value than the school has, the area apart."""
    wanted = {name: value for name, value in row.values.items() if getattr(school, name) != value}
    if row.context:
        context = _context(school.context, row.context)
        if context != school.context:
            wanted["context"] = context
    return wanted


def _context(
    old: Mapping[str, Any], given: Mapping[str, float | str | None]
) -> dict[str, float | str]:
    merged = {**old, **given}
    return {name: value for name, value in merged.items() if value is not None}


def _new(row: SchoolRow, area: Area) -> School:
    return School(code=row.code, area=area, context=_context({}, row.context), **dict(row.values))


def _image(record: models.Model, names: Iterable[str]) -> dict[str, Any]:
    return {name: _json(getattr(record, name)) for name in names}


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _update(schools: Sequence[School], columns: set[str]) -> None:
    """Write changed schools by one upsert a chunk: ten times quicker than `bulk_update`."""
    if not schools:
        return
    names = [name for name in _SCHOOL_IMAGE if name != "code"]
    copies = [
        School(code=school.code, **{name: getattr(school, name) for name in names})
        for school in schools
    ]
    School.objects.bulk_create(
        copies,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=[name.removesuffix("_id") for name in columns],
    )


def _restore(model: type[School] | type[Area], changes: Sequence[Change]) -> list[int]:
    """Put records of one model back; give the keys of those that were not there before."""
    kind = "school" if model is School else "area"
    mine = [change for change in changes if change.record == kind]
    records: dict[int, Any] = {}
    for keys in _chunks(sorted({change.key for change in mine}), 500):
        records |= model._default_manager.in_bulk(keys)
    gone: list[int] = []
    touched: dict[int, set[str]] = {}
    for change in mine:
        record = records.get(change.key)
        if record is None or _image(record, change.after) != dict(change.after):
            raise ValidationError(
                _("%(record)s was changed after this import; undo the later change first."),
                params={"record": record or _("A record")},
            )
        if change.before is None:
            gone.append(change.key)
            continue
        for name, value in change.before.items():
            column = model._meta.get_field(name)
            setattr(
                record, name, column.to_python(value) if isinstance(column, models.Field) else value
            )
        touched.setdefault(change.key, set()).update(change.before)
    back = [records[key] for key in touched if key not in set(gone)]
    columns = set().union(*touched.values()) if touched else set()
    if model is School:
        _update(back, columns)
    elif back:
        Area.objects.bulk_update(back, sorted(columns), batch_size=100)
    return gone


def _delete(model: type[School] | type[Area], keys: Sequence[int]) -> None:
    """Delete records that nothing else refers to; what would be deleted with them counts too."""
    going = set(keys)
    for relation in model._meta.related_objects:
        other: Any = relation.related_model
        for chunk in _chunks(keys, 500):
            held = other._default_manager.filter(**{f"{relation.field.name}__in": chunk})
            # Areas below are deleted in the same go, the deepest first.
            first = next((one for one in held.iterator() if not _goes(one, model, going)), None)
            if first is not None:
                raise ValidationError(
                    _("%(name)s cannot be taken back: “%(what)s” refers to it."),
                    params={
                        "name": str(getattr(first, relation.field.name)),
                        "what": f"{other._meta.verbose_name}: {first}",
                    },
                )
    for chunk in _chunks(keys, 500 if model is School else 1):
        model._default_manager.filter(pk__in=chunk).delete()


def _goes(record: models.Model, model: type[models.Model], going: set[int]) -> bool:
    return isinstance(record, model) and record.pk in going
