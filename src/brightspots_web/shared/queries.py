"""Reads of the audit trail and of jobs."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from brightspots_web.shared.models import AuditEntry, Job
from brightspots_web.shared.permissions import Actor, Capability, may


def jobs_visible_to(acting: Actor | None) -> QuerySet[Job]:
    """One's own jobs; all of them for those who see the whole system."""
    if acting is None:
        return Job.objects.none()
    if may(acting, Capability.SEE_SYSTEM):
        return Job.objects.all()
    return Job.objects.filter(appointment=str(acting.pk))


def newest_result(kind: str) -> Mapping[str, Any]:
    """What the last finished job of a kind found; empty before the first."""
    done = Job.objects.filter(kind=kind, status=Job.Status.DONE).order_by("-pk").first()
    return done.result if done else {}


def is_queued(kind: str) -> bool:
    """Whether a job of a kind waits to begin."""
    return Job.objects.filter(kind=kind, status=Job.Status.QUEUED).exists()


def audit_entries(q: str = "") -> QuerySet[AuditEntry]:
    """The trail, newest first, narrowed to actors, actions or targets that contain `q`."""
    entries = AuditEntry.objects.all()
    if q:
        entries = entries.filter(
            Q(actor__icontains=q) | Q(action__icontains=q) | Q(target__icontains=q)
        )
    return entries
