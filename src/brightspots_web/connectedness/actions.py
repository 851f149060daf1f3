"""All writes about partnerships."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness.models import Isolation, Proposal, ProposedMember, Variability
from brightspots_web.directory import actions as directory
from brightspots_web.directory import queries as directory_queries
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.shared import audit, jobs
from brightspots_web.shared.models import Job
from brightspots_web.shared.permissions import Capability, may

CHUNK = 2000
PROPOSE = "connectedness.propose"
MEASURE = "connectedness.measure"


class Result(Protocol):
    """What the optimiser returns, as far as it is kept."""

    @property
    def members(self) -> Any: ...
    @property
    def isolated(self) -> Any: ...
    @property
    def objective(self) -> Mapping[str, float]: ...
    @property
    def lower_bound(self) -> float | None: ...
    @property
    def gap(self) -> float | None: ...
    @property
    def seconds(self) -> Any: ...
    @property
    def provenance(self) -> Any: ...


@transaction.atomic
def ask_for_proposal(settings: Mapping[str, Any], *, by: Appointment, seed: int = 0) -> Job:
    """Queue the forming of partnerships of all open schools."""
    _check(by)
    job = jobs.enqueue(
        PROPOSE,
        by=by,
        title=_("Propose partnerships"),
        parameters={"settings": dict(settings), "seed": seed},
    )
    audit.record("connectedness.ask_for_proposal", by=by, target=job, detail=settings)
    return job


@transaction.atomic
def keep_proposal(result: Result, *, job: int) -> Proposal:
    """Keep what the optimiser proposes; running the same job again replaces it.

    What people decided upon in the meantime stays.
    """
    earlier = Proposal.objects.select_for_update().filter(job=job).first()
    if earlier is not None and earlier.status != Proposal.Status.PROPOSED:
        return earlier
    Proposal.objects.filter(job=job).delete()
    provenance = result.provenance
    proposal = Proposal.objects.create(
        job=job,
        method=provenance.method,
        method_version=provenance.method_version,
        seed=provenance.seed,
        input_hash=provenance.input_hash,
        settings=dict(provenance.settings),
        objective=dict(result.objective),
        lower_bound=result.lower_bound,
        gap=result.gap,
        seconds=result.seconds,
        n_schools=result.members.height + result.isolated.height,
        n_partnerships=result.members["partnership"].n_unique(),
        n_isolated=result.isolated.height,
    )
    ids = dict(directory_queries.all_schools().values_list("code", "pk"))
    if not ids.keys() >= {*result.members["school"], *result.isolated["school"]}:
        raise jobs.CannotError(_("Schools were taken away meanwhile. Please propose again."))
    ProposedMember.objects.bulk_create(
        [
            ProposedMember(
                proposal=proposal,
                school_id=ids[row["school"]],
                partnership=row["partnership"],
                lead_school_id=ids[row["leader_school"]],
                distance_km=row["distance_km"],
            )
            for row in result.members.iter_rows(named=True)
        ],
        batch_size=CHUNK,
    )
    Isolation.objects.bulk_create(
        [
            Isolation(proposal=proposal, school_id=ids[row["school"]], reason=row["reason"][:300])
            for row in result.isolated.iter_rows(named=True)
        ],
        batch_size=CHUNK,
    )
    return proposal


@transaction.atomic
def adopt(proposal: Proposal, *, by: Appointment) -> list[Partnership]:
    """Make a proposal's partnerships the system's own, from today.

    A partnership that stays as it is keeps its code, its history and its leader's appointment.
    """
    _check(by)
    proposal = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if proposal.status != Proposal.Status.PROPOSED:
        raise ValidationError(_("This proposal has been adopted or withdrawn already."))
    groups: dict[str, directory.Group] = {}
    members: dict[str, dict[int, float | None]] = defaultdict(dict)
    for member in proposal.members.select_related("lead_school").order_by("partnership", "pk"):
        members[member.partnership][member.school_id] = member.distance_km
        groups[member.partnership] = directory.Group(
            code=f"{proposal.pk}-{member.partnership}",
            name=_("{school} partnership").format(school=member.lead_school.name),
            lead_school=member.lead_school_id,
            members=members[member.partnership],
        )
    formed = directory.form_partnerships(list(groups.values()), by=by)
    proposal.status = Proposal.Status.ADOPTED
    proposal.adopted_at = timezone.now()
    proposal.adopted_by = by.label[:300]
    proposal.save()
    audit.record(
        "connectedness.adopt",
        by=by,
        target=proposal,
        detail={"partnerships": len(groups), "isolated": proposal.n_isolated},
    )
    jobs.enqueue(MEASURE, by=by, title=_("Measure variability in partnerships"), parameters={})
    return formed


@transaction.atomic
def keep_variability(run: UUID | None, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace what is known of differences within partnerships; nobody's decision, so no audit."""
    Variability.objects.all().delete()
    if run is not None:
        Variability.objects.bulk_create(
            [Variability(run=run, **row) for row in rows], batch_size=CHUNK
        )


@transaction.atomic
def withdraw(proposal: Proposal, *, by: Appointment) -> Proposal:
    """Set a proposal aside; it stays on record."""
    _check(by)
    proposal = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if proposal.status != Proposal.Status.PROPOSED:
        raise ValidationError(_("This proposal has been adopted or withdrawn already."))
    proposal.status = Proposal.Status.WITHDRAWN
    proposal.save()
    audit.record("connectedness.withdraw", by=by, target=proposal)
    return proposal


def _check(by: Appointment) -> None:
    if not may(by, Capability.FORM_PARTNERSHIPS):
        raise PermissionDenied
