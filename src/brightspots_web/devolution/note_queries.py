"""All reads of small data notes: whose they are, and who may see, share and change them.

A note is its school's: its head and teachers see it. Once the school has shared it, the schools and
the leader of the partnership it was shared with see it too, and that partnership alone. Officers,
ministry and analysts see none, and no count of any.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncMonth

from brightspots_web.alignment import living_queries as alignment
from brightspots_web.alignment import queries as priorities
from brightspots_web.alignment.models import Priority
from brightspots_web.devolution.models import DataNote, HeldPhoto, NotePhoto, NoteTag
from brightspots_web.devolution.note_search import INDEX
from brightspots_web.directory import queries as directory
from brightspots_web.directory import succession_queries as successions
from brightspots_web.directory.models import Appointment, Indicator, Partnership, Person, School
from brightspots_web.shared.permissions import Capability, may

HELD = timedelta(days=1)
"""So long a photograph waits for the words that go with it."""
MOST_TAGS_LISTED = 40


# Who may do what


def may_write(acting: Appointment | None) -> bool:
    """Whoever writes notes, for the school of the appointment while that is open."""
    return (
        may(acting, Capability.WRITE_NOTES)
        and acting is not None
        and acting.school is not None
        and is_open(acting.school)
    )


def is_open(school: School) -> bool:
    return school.closed is None or school.closed > directory.today()


def may_share(acting: Appointment | None, note: DataNote) -> bool:
    """The school's head, or a leader who is head there, while the school is open."""
    return (
        may(acting, Capability.SHARE_NOTES)
        and acting is not None
        and acting.school_id == note.school_id
        and is_open(note.school)
    )


def may_change(acting: Appointment | None, note: DataNote) -> bool:
    """Its author, as long as they are appointed at the school."""
    return may_write(acting) and _at(acting, note) and _wrote(acting, note)


def may_delete(acting: Appointment | None, note: DataNote) -> bool:
    """Its author; and the head, who answers for what stands there when the author has left.

    Of a school that closed: the head of who carries its work on.
    """
    if acting is None:
        return False
    if _at(acting, note):
        return _wrote(acting, note) or may(acting, Capability.SHARE_NOTES)
    return note.school_id in inherited_by(acting)


def _at(acting: Appointment | None, note: DataNote) -> bool:
    return acting is not None and acting.school_id == note.school_id


def _wrote(acting: Appointment | None, note: DataNote) -> bool:
    return acting is not None and acting.person_id == note.author_id


def inherited_by(acting: Appointment | None) -> list[int]:
    """Closed schools whose notes pass to this appointment: to a head of who carries on.

    Their teachers wrote for their own school: the successor's teachers do not read it.
    """
    if not may(acting, Capability.SHARE_NOTES) or acting is None or acting.school is None:
        return []
    return [
        each.pk
        for each in successions.predecessors_of(acting.school)
        if not is_open(each)
    ]  # fmt: skip


def notes_visible_to(acting: Appointment | None) -> QuerySet[DataNote]:
    """Notes of the own school, and what others shared with the own partnership."""
    notes = with_photo(
        DataNote.objects.select_related(
            "school__area", "priority", "indicator", "rubric", "shared_with"
        )
    )
    if not may(acting, Capability.WRITE_NOTES) or acting is None:
        return notes.none()
    own = [key for key in (acting.school_id, *inherited_by(acting)) if key]
    partnerships = directory.partnerships_visible_to(acting).values("pk")
    return notes.filter(Q(school__in=own) | Q(shared_with__in=partnerships))


def with_photo(notes: QuerySet[DataNote]) -> QuerySet[DataNote]:
    """With `photo_says` of each ("" none), so that a list reads no picture."""
    photo = NotePhoto.objects.filter(note=OuterRef("pk"))
    return notes.annotate(photo_says=Subquery(photo.values("says")[:1]))


def shared_with(partnership: Partnership) -> QuerySet[DataNote]:
    """What is shared with a partnership, by whichever school, the newest first.

    For pages that only people of the partnership open: ask `is_member` first.
    """
    notes = DataNote.objects.filter(shared_with=partnership)
    return with_photo(notes.select_related("school__area", "priority", "indicator", "rubric"))


def is_member(acting: Appointment | None, partnership: Partnership) -> bool:
    """Whether somebody sees what is shared with a partnership: its leader and its schools."""
    return (
        may(acting, Capability.WRITE_NOTES)
        and directory.partnerships_visible_to(acting).filter(pk=partnership.pk).exists()
    )


# One note


def photo_of(note: DataNote) -> NotePhoto | None:
    return NotePhoto.objects.filter(note=note).first()


def held_photo(client_key: Any, person: Person) -> HeldPhoto | None:
    """The photograph that waits for a note's words, if this person sent it."""
    return HeldPhoto.objects.filter(client_key=client_key, person=person).first()


def note_with_key(client_key: Any) -> DataNote | None:
    """The note that was kept from a form, whoever sent it."""
    return DataNote.objects.filter(client_key=client_key).select_related("school").first()


def partnership_now(school: School) -> Partnership | None:
    """With whom the school shares today."""
    return directory.partnership_of(school)


def waiting_to_be_shared(acting: Appointment | None) -> int:
    """How many notes their authors would like the head to share."""
    if not may(acting, Capability.SHARE_NOTES) or acting is None or acting.school_id is None:
        return 0
    waiting = DataNote.objects.filter(school=acting.school_id, shared_at=None)
    return waiting.exclude(suggested_at=None).count()


def written_since(school: School, since: date) -> int:
    return DataNote.objects.filter(school=school, on__gte=since).count()


def all_notes() -> QuerySet[DataNote]:
    """Every note, for the rebuilding of the words."""
    return with_photo(DataNote.objects.all()).order_by("pk")


# What a form offers


def priorities_to_choose(note: DataNote | None = None) -> list[Priority]:
    """The live priorities, and the one a note has already."""
    found = list(priorities.live_priorities())
    if note is not None and note.priority is not None and note.priority not in found:
        found.append(note.priority)
    return found


def indicators_to_choose(
    offered: Iterable[Priority], note: DataNote | None = None
) -> list[Indicator]:
    """By what these priorities are measured, and what a note has already."""
    found = {
        each.indicator_id: each.indicator
        for priority in offered
        for each in alignment.measures_of(priority)
    }
    if note is not None and note.indicator is not None:
        found.setdefault(note.indicator.pk, note.indicator)
    return sorted(found.values(), key=lambda each: (each.name, each.pk))


# Finding


@dataclass(frozen=True)
class Search:
    """What a list of notes is narrowed to; all of it optional."""

    whose: str = ""
    """`ours`: the own school's; `shared`: what is shared with the partnership; else both."""
    words: str = ""
    priority: str = ""
    kind: str = ""
    tag: str = ""
    school: str = ""
    since: date | None = None
    until: date | None = None


def search(acting: Appointment | None, asked: Search) -> QuerySet[DataNote]:
    """The notes that fit, the newest first."""
    notes = notes_visible_to(acting)
    if acting is not None and asked.whose == "ours":
        notes = notes.filter(school=acting.school_id or 0)
    elif asked.whose == "shared":
        notes = notes.exclude(shared_with=None)
    if (keys := INDEX.keys(asked.words)) is not None:
        notes = notes.filter(pk__in=keys)
    if asked.priority:
        notes = notes.filter(priority__code=asked.priority)
    if asked.kind:
        notes = notes.filter(kind=asked.kind)
    if asked.tag:
        notes = notes.filter(Exists(NoteTag.objects.filter(note=OuterRef("pk"), word=asked.tag)))
    if asked.school:
        notes = notes.filter(school__code=asked.school)
    if asked.since:
        notes = notes.filter(on__gte=asked.since)
    if asked.until:
        notes = notes.filter(on__lte=asked.until)
    return notes.order_by("-on", "-pk")


def own_notes(acting: Appointment, asked: Search) -> QuerySet[DataNote]:
    """As :func:`search`, of the own school alone: what may be taken away as a file."""
    return search(acting, asked).filter(school=acting.school_id or 0)


def tags_among(notes: QuerySet[DataNote]) -> list[tuple[str, int]]:
    """Tags of these notes and how many have each, by word."""
    rows = (
        NoteTag.objects.filter(note__in=notes.order_by().values("pk"))
        .values_list("word")
        .annotate(n=Count("pk"))
        .order_by("-n", "word")[:MOST_TAGS_LISTED]
    )
    return sorted(rows)


def months_of(notes: QuerySet[DataNote]) -> list[tuple[date, int]]:
    """The months of these notes and how many each has, the oldest first."""
    rows = (
        notes.order_by()
        .annotate(month=TruncMonth("on"))
        .values_list("month")
        .annotate(n=Count("pk"))
        .order_by("month")
    )
    return list(rows)


def schools_among(notes: QuerySet[DataNote]) -> list[tuple[str, str]]:
    """Code and name of the schools these notes come from, by name."""
    rows = notes.order_by("school__name").values_list("school__code", "school__name")
    return list(rows.distinct())


# The partnership's, for a conversation


def small_data(partnership: Partnership, priority: Priority, since: date) -> Sequence[DataNote]:
    """What is shared on a priority since a day, the newest first."""
    notes = shared_with(partnership).filter(priority=priority, on__gte=since)
    return list(notes.order_by(F("on").desc(), "-pk"))
