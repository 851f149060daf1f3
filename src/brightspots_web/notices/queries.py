"""All reads of notices: each person's own, nobody else's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Person
from brightspots_web.notices import kinds
from brightspots_web.notices.models import Digest, Notice

GAPS = {Digest.Rhythm.DAILY: timedelta(hours=20), Digest.Rhythm.WEEKLY: timedelta(days=6.5)}
"""The least time between two messages: a little less than the rhythm, so that it does not slip."""


@dataclass(frozen=True)
class Line:
    """A notice in words."""

    text: str
    url: str
    at: datetime
    new: bool


def notices_of(person: Person) -> QuerySet[Notice]:
    """The person's own, the newest first."""
    return Notice.objects.filter(person=person).order_by("-pk")


def told_since(kind: str, since: datetime) -> set[tuple[int, str]]:
    """Person's key and notice's key of every notice of a kind since then, for not telling twice."""
    rows = Notice.objects.filter(kind=kind, at__gte=since)
    return set(rows.values_list("person_id", "key"))


def unseen_count(person: Person) -> int:
    return Notice.objects.filter(person=person, seen_at=None).count()


def lines(notices: Iterable[Notice]) -> list[Line]:
    """Notices in words, in the language active now; what is no longer so is left out."""
    found = []
    listed = list(notices)
    links = kinds.all_words([(notice.kind, notice.data) for notice in listed])
    for notice, link in zip(listed, links, strict=True):
        if link is not None:
            found.append(Line(link.label, link.url, notice.at, notice.seen_at is None))
    return found


def rhythm_of(person: Person) -> str:
    digest = Digest.objects.filter(person=person).first()
    return digest.rhythm if digest else Digest.Rhythm.DAILY


def is_due(digest: Digest, now: datetime) -> bool:
    """Whether it is time for the person's next message."""
    gap = GAPS.get(Digest.Rhythm(digest.rhythm))
    if gap is None:
        return False
    return digest.last_sent_at is None or now - digest.last_sent_at >= gap


def due(now: datetime | None = None) -> Sequence[Person]:
    """People with something unseen and unsent for whom it is time, and who can still sign in."""
    now = now or timezone.now()
    waiting = Notice.objects.filter(person=OuterRef("pk"), seen_at=None, sent_at=None)
    people = directory.people_with_appointments().filter(Exists(waiting)).select_related("digest")
    found = []
    for person in people.order_by("pk"):
        digest = getattr(person, "digest", None)
        if digest is None or is_due(digest, now):
            found.append(person)
    return found
