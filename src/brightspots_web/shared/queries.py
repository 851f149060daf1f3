"""Reads of the audit trail and of jobs."""

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


def audit_entries(q: str = "") -> QuerySet[AuditEntry]:
    """The trail, newest first, narrowed to actors, actions or targets that contain `q`."""
    entries = AuditEntry.objects.all()
    if q:
        entries = entries.filter(
            Q(actor__icontains=q) | Q(action__icontains=q) | Q(target__icontains=q)
        )
    return entries
