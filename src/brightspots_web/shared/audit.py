"""The audit trail: who did what, when, in a chain that shows when a link is missing or changed.

Each entry carries the hash of the one before, and one row remembers the last. Whoever can write to
the database and rewrites everything from a link to the end, that row included, leaves a chain that
holds: note its last hash elsewhere from time to time to rule that out.
"""

import hashlib
import json
import math
from collections.abc import Mapping
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
        head, _ = AuditHead.objects.select_for_update().get_or_create(
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


def first_broken_link() -> AuditEntry | str | None:
    """Walk the chain: None when it holds, else the first wrong entry, or what is missing."""
    previous, count = GENESIS, 0
    for entry in AuditEntry.objects.order_by("pk").iterator(chunk_size=2000):
        if entry.previous_hash != previous or entry.entry_hash != _hash(entry):
            return entry
        previous, count = entry.entry_hash, count + 1
    head = AuditHead.objects.filter(pk=1).first()
    if head is None:
        return None if count == 0 else _("The head of the chain is missing.")
    if (head.last_hash, head.entries) != (previous, count):
        return _("Entries are missing at the end of the chain.")
    return None


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
