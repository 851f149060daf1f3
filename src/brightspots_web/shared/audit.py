"""The audit trail: who did what, when, in a chain that shows when a link is missing or changed.

Each entry carries the hash of the one before, and one row remembers the last. Whoever can write to
the database and rewrites everything from a link to the end, that row included, leaves a chain that
holds: note its last hash elsewhere from time to time to rule that out (`brightspots audit head`,
and later `brightspots audit verify --expect-hash`).
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.shared.models import AuditEntry, AuditHead
from brightspots_web.shared.permissions import Actor

GENESIS = "0" * 64


def record(
    action: str,
    *,
    by: Actor,
    target: models.Model | None = None,
    detail: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Add an entry; call it inside the transaction of the action it records."""
    with transaction.atomic():
        head, _ = AuditHead.objects.select_for_update(no_key=True).get_or_create(
            pk=1, defaults={"last_hash": GENESIS}
        )
        entry = AuditEntry(
            at=timezone.now(),
            appointment=str(by.pk),
            actor=_plain(by.label)[:300],
            role=by.role,
            action=action,
            target_type=target._meta.label_lower if target else "",
            target_id=str(target.pk) if target else "",
            target=_plain(str(target))[:300] if target else "",
            detail=_plain(json.loads(json.dumps(dict(detail or {}), default=str))),
            previous_hash=head.last_hash,
        )
        entry.entry_hash = _hash(entry)
        entry.save(force_insert=True)
        head.last_hash = entry.entry_hash
        head.entries += 1
        head.save()
    return entry


def one_at_a_time() -> None:
    """Wait for whoever is acting, and let nobody else act until this transaction ends.

    For rare actions on the system as a whole that must see what the one before them did, where
    there is no row of their own to lock yet.
    """
    AuditHead.objects.select_for_update(no_key=True).get_or_create(
        pk=1, defaults={"last_hash": GENESIS}
    )


@dataclass(frozen=True)
class Chain:
    """What a walk along the chain found."""

    entries: int
    """How many hold, from the first."""
    last_hash: str
    """Of the last that holds: to be noted elsewhere."""
    broken: AuditEntry | None = None
    """The first entry that does not hold."""
    problem: str = ""
    """What is wrong, in words; "" where all holds."""

    @property
    def holds(self) -> bool:
        return not self.problem


def verify(noted: str = "") -> Chain:
    """Walk the chain from its first link to its last, in memory that does not grow with it.

    It may run while others act: what they add meanwhile is walked as far as it is seen.

    Parameters
    ----------
    noted
        The hash of an entry, as it was noted elsewhere at some time. A chain that was written anew
        from some link on no longer has it.
    """
    before = AuditHead.objects.filter(pk=1).first()
    found = _walk(before, noted)
    if not found.holds:
        return found
    after = AuditHead.objects.filter(pk=1).first()
    problem = ""
    if after is None:
        problem = _("The head of the chain is missing.") if found.entries else ""
    elif before is not None and found.entries < before.entries:
        problem = _("Entries are missing at the end of the chain.")
    elif found.entries > after.entries:
        problem = _("There are more entries than the head of the chain counts.")
    elif found.entries == after.entries and found.last_hash != after.last_hash:
        problem = _("The head of the chain names another last entry.")
    return replace(found, problem=problem)


def _walk(head: AuditHead | None, noted: str) -> Chain:
    previous, count, noted_seen, last_there = GENESIS, 0, noted in {"", GENESIS}, True
    for entry in AuditEntry.objects.order_by("pk").iterator(chunk_size=500):
        problem = ""
        if entry.previous_hash != previous:
            problem = _(
                "It does not follow the entry before it: one was taken out, put in or moved."
            )
        elif entry.entry_hash != _hash(entry):
            problem = _("What it says was changed after it was written.")
        if problem:
            return Chain(count, previous, entry, problem)
        previous, count = entry.entry_hash, count + 1
        noted_seen = noted_seen or previous == noted
        if head is not None and count == head.entries:
            last_there = previous == head.last_hash
    problem = ""
    if not last_there:
        problem = _("The head of the chain names another last entry.")
    elif not noted_seen:
        problem = _(
            "No entry has the hash that was noted: the chain holds, but it is not the one it was "
            "then."
        )
    return Chain(count, previous, None, problem)


def head() -> Chain:
    """How many entries there are, and the hash of the last, without walking the chain."""
    found = AuditHead.objects.filter(pk=1).first()
    return Chain(found.entries, found.last_hash) if found else Chain(0, GENESIS)


def first_broken_link() -> AuditEntry | str | None:
    """Walk the chain: None when it holds, else the first wrong entry, or what is missing."""
    found = verify()
    return found.broken or found.problem or None


def _plain(value: Any) -> Any:
    """What every database gives back as it was put in, so that the hash stays the same.

    PostgreSQL knows neither NaN nor null characters in JSON, and returns 1e20 as an integer.
    """
    if isinstance(value, dict):
        return {_plain(str(key)): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() else value
    return value


def _hash(entry: AuditEntry) -> str:
    fields = [
        entry.at.isoformat(),
        entry.appointment,
        entry.actor,
        entry.role,
        entry.action,
        entry.target_type,
        entry.target_id,
        entry.target,
        json.dumps(entry.detail, sort_keys=True),
        entry.previous_hash,
    ]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()
