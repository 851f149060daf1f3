"""The audit trail: who did what, when, in a chain that shows when a link is missing or changed."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import models, transaction
from django.utils import timezone

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
            actor=by.label[:300],
            role=by.role,
            action=action,
            target_type=target._meta.label_lower if target else "",
            target_id=str(target.pk) if target else "",
            target=str(target)[:300] if target else "",
            detail=json.loads(json.dumps(dict(detail or {}), default=str)),
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
        return None if count == 0 else "the head of the chain is missing"
    if (head.last_hash, head.entries) != (previous, count):
        return "entries are missing at the end of the chain"
    return None


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
