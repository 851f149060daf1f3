"""All writes of notices."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Person
from brightspots_web.notices import queries
from brightspots_web.notices.models import Digest, Notice

KEPT = timedelta(days=365)
"""Notices are kept so long."""


@transaction.atomic
def notify(
    people: Iterable[Person], kind: str, data: Mapping[str, Any] | None = None, *, key: str = ""
) -> int:
    """Tell people of something, once each; call it inside the transaction of what happened.

    Parameters
    ----------
    people : iterable of Person
        Duplicates count once.
    kind : str
        Registered with :func:`brightspots_web.notices.kinds.register`, which makes the words.
    data : mapping, optional
        In JSON types; what the words are made of. No personal data of others.
    key : str, optional
        A later notice with the same kind and key takes the place of one not yet seen or sent.

    Returns
    -------
    int
        How many were told.
    """
    chosen = {person.pk: person for person in people}
    if key:
        Notice.objects.filter(
            person__in=chosen, kind=kind, key=key, seen_at=None, sent_at=None
        ).delete()
    now = timezone.now()
    Notice.objects.bulk_create(
        [
            Notice(person=person, kind=kind, data=dict(data or {}), key=key, at=now)
            for person in chosen.values()
        ],
        batch_size=2000,
    )
    return len(chosen)


def see(person: Person, *, up_to: int) -> int:
    """Mark as seen what the person had on the page, and nothing that came since."""
    unseen = Notice.objects.filter(person=person, seen_at=None, pk__lte=up_to)
    return unseen.update(seen_at=timezone.now())


def settle(keys: Iterable[str], *, person: Person | None = None) -> int:
    """Mark notices as seen whose matter is settled: nobody is asked for what somebody did.

    Parameters
    ----------
    keys
        As they were given to :func:`notify`.
    person
        For this person alone; for everybody when None.
    """
    waiting = Notice.objects.filter(key__in=list(keys), seen_at=None)
    if person is not None:
        waiting = waiting.filter(person=person)
    return waiting.update(seen_at=timezone.now())


@transaction.atomic
def choose_rhythm(person: Person, rhythm: str) -> Digest:
    """Set how often the person wants the notices by email."""
    digest, _made = Digest.objects.get_or_create(person=person)
    digest.rhythm = rhythm
    digest.full_clean()
    digest.save(update_fields=["rhythm"])
    return digest


def send_digests(*, address: str = "", now: datetime | None = None) -> int:
    """Send everybody whose time it is one message with what they have not seen; return how many.

    A message is marked as sent in the transaction that sends it: a mail server that refuses one
    person's leaves that person's for the next time, and the others go out. Safe to run twice.

    Parameters
    ----------
    address : str, optional
        Where the installation is reached, such as ``https://schools.example``, for links; the
        setting PUBLIC_ADDRESS when it is not said. Without either the messages have no links.
    now : datetime, optional
        For whom it is time is judged by this.

    Raises
    ------
    OSError
        When the mail server cannot be reached at all.
    """
    now = now or timezone.now()
    address = (address or settings.PUBLIC_ADDRESS).rstrip("/")
    Notice.objects.filter(at__lt=now - KEPT).delete()
    if not settings.EMAIL_HOST:
        return 0
    sent = 0
    with get_connection() as mail:
        for person in queries.due(now):
            sent += _send(person, address, now, mail)
    return sent


@transaction.atomic
def _send(person: Person, address: str, now: datetime, mail: Any) -> bool:
    Digest.objects.get_or_create(person=person)
    digest = Digest.objects.select_for_update(no_key=True).get(person=person)
    if not queries.is_due(digest, now):  # another worker was quicker
        return False
    waiting = list(Notice.objects.filter(person=person, seen_at=None, sent_at=None))
    lines = queries.lines(waiting)
    Notice.objects.filter(pk__in=[each.pk for each in waiting]).update(sent_at=now)
    digest.last_sent_at = now
    digest.save(update_fields=["last_sent_at"])
    if not lines:  # none of it is so any longer
        return False
    system = directory.system()
    subject = ngettext(
        "{system}: one thing since the last message",
        "{system}: {n} things since the last message",
        len(lines),
    ).format(system=system.name if system else _("School system"), n=len(lines))
    words = {"lines": lines, "address": address, "person": person}
    text = render_to_string("notices/digest.txt", words)
    message = EmailMessage(subject.replace("\n", " "), text, to=[person.email], connection=mail)
    return bool(message.send())
