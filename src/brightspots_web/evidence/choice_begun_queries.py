"""What began and is not written down yet: support, practices taken up, partnerships.

The apps below know nothing of evidence, so that it looks at what they have on record.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import practice_lineage_queries as lineage
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Membership, Partnership, School
from brightspots_web.evidence.models import Choice
from brightspots_web.shared import queries as shared

Kind, Way = Choice.Kind, Choice.Way
FORMED = "directory.form_partnerships"
"""What the audit trail calls it when partnerships are formed."""
LONGEST = 200


@dataclass(frozen=True)
class Begun:
    """Something that began, and what its own record says of why."""

    kind: str
    school: School
    giving: School | None
    what: str
    priority: Priority | None
    begins: date
    chosen_at: datetime
    way: str
    by: str
    reasons: dict[str, Any]
    distance_km: float | None = None
    deployment: int | None = None
    adoption: int | None = None
    partnership: Partnership | None = None


def unwritten() -> Iterator[Begun]:
    """All of it, what was agreed first at the head of each kind."""
    yield from _support()
    yield from _practices()
    yield from _partnerships()


def still_unwritten(chunk: Sequence[Begun]) -> list[Begun]:
    """Those that nobody has written down since they were read."""
    kept = {
        field: _written(field, [key for each in chunk if (key := getattr(each, field))])
        for field in ("deployment", "adoption")
    }
    joined = [each for each in chunk if each.partnership is not None]
    memberships = set(
        Choice.objects.filter(
            kind=Kind.PARTNERSHIP, school__in=[each.school.pk for each in joined]
        ).values_list("partnership", "school", "begins")
    )
    return [
        each
        for each in chunk
        if each.deployment not in kept["deployment"]
        and each.adoption not in kept["adoption"]
        and (each.partnership is None or _key(each) not in memberships)
    ]


def _key(each: Begun) -> tuple[int | None, int, date]:
    return (each.partnership.pk if each.partnership else None, each.school.pk, each.begins)


def _written(field: str, among: Sequence[int] | None = None) -> set[int]:
    kept = Choice.objects.filter(**{f"{field}__isnull": False}).order_by()
    if among is not None:
        kept = kept.filter(**{f"{field}__in": among})
    return set(kept.values_list(field, flat=True))


def _support() -> Iterator[Begun]:
    """Support that was agreed on, read from the schools that receive it."""
    written = _written("deployment")
    pairs = directory.all_schools().filter(support_received__isnull=False).order_by()
    missing: dict[int, list[int]] = defaultdict(list)
    for key, school in pairs.values_list("support_received", "pk").iterator():
        if key not in written:
            missing[school].append(key)
    for school, keys in sorted(missing.items()):
        yield from _received(directory.all_schools().get(pk=school), keys)


def _received(school: School, keys: Sequence[int]) -> Iterator[Begun]:
    rows = school.support_received.filter(pk__in=keys).select_related(
        "match__request", "giving", "priority"
    )
    for row in rows.order_by("agreed_at", "pk"):
        match = row.match
        asked = match.request.origin == match.request.Origin.SCHOOL
        yield Begun(
            kind=Kind.DEPLOYMENT,
            school=school,
            giving=row.giving,
            what=row.priority.title,
            priority=row.priority,
            begins=row.starts,
            chosen_at=row.agreed_at,
            way=Way.ASKED if asked else Way.DESIGNATED,
            by=row.agreed_by,
            reasons={
                "rank": match.rank,
                "score": match.score,
                "distance_km": match.distance_km,
                "reasons": match.reasons,
                "suggested_on": timezone.localtime(match.suggested_at).date().isoformat(),
            },
            deployment=row.pk,
        )


def _practices() -> Iterator[Begun]:
    rows = lineage.adoptions_to_reckon().select_related(
        "practice__school", "practice__priority", "school", "source__school"
    )
    written = Choice.objects.filter(adoption=OuterRef("pk")).order_by()
    for row in rows.filter(~Exists(written)):
        yield Begun(
            kind=Kind.ADOPTION,
            school=row.school,
            giving=row.source.school if row.source else row.practice.school,
            what=row.practice.title[:LONGEST],
            priority=row.practice.priority,
            begins=row.on,
            chosen_at=min(row.at, _end_of(row.on)),
            way=Way.OWN,
            by=row.by,
            reasons={},
            adoption=row.pk,
        )


def _end_of(day: date) -> datetime:
    """What a school tells of afterwards was chosen on that day: later figures have it in them."""
    return timezone.make_aware(datetime.combine(day, time.max))


def _partnerships() -> Iterator[Begun]:
    """Schools in a partnership that has begun; one that is planned may still be called off.

    Nearly every school is in one: the database leaves out what is written, not the worker, hourly.
    """
    written = Choice.objects.filter(
        partnership=OuterRef("partnership"), school=OuterRef("school"), begins=OuterRef("starts")
    ).order_by()
    rows = directory.live_memberships().filter(~Exists(written))
    rows = rows.select_related("partnership__lead_school", "school")
    formed: dict[date, tuple[datetime, str]] = {}
    for row in rows.order_by("starts", "pk").iterator(chunk_size=2000):
        if row.starts not in formed:
            formed[row.starts] = _formed(row.starts)
        yield _joined(row, *formed[row.starts])


def _joined(row: Membership, chosen_at: datetime, by: str) -> Begun:
    lead = row.partnership.lead_school
    return Begun(
        kind=Kind.PARTNERSHIP,
        school=row.school,
        giving=lead if lead is not None and lead.pk != row.school_id else None,
        what=row.partnership.name,
        priority=None,
        begins=row.starts,
        chosen_at=chosen_at,
        way=Way.FORMED,
        by=by,
        reasons={},
        distance_km=row.distance_km,
        partnership=row.partnership,
    )


def _formed(on: date) -> tuple[datetime, str]:
    """When partnerships of a day were decided on, and by whom, as the audit trail has it."""
    entries = shared.audit_entries().filter(action=FORMED, at__date__lte=on).order_by("-pk")
    for entry in entries[:50]:
        decided = timezone.localtime(entry.at).date().isoformat()
        if entry.detail.get("starts", decided) == on.isoformat():
            return entry.at, entry.actor
    return timezone.make_aware(datetime.combine(on, time(0))), ""
