"""All writes about partnerships."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness import studio_queries
from brightspots_web.connectedness.models import (
    Isolation,
    Pin,
    Proposal,
    ProposedMember,
    Variability,
)
from brightspots_web.connectedness.studio_actions import (
    ChangedProposalError,
    locked,
    next_version,
)
from brightspots_web.directory import actions as directory
from brightspots_web.directory import queries as directory_queries
from brightspots_web.directory.models import Appointment, Area, Partnership
from brightspots_web.directory.partnership_queries import ends_on_record, heads_of
from brightspots_web.notices.actions import notify
from brightspots_web.shared import audit, jobs
from brightspots_web.shared.models import Job
from brightspots_web.shared.permissions import Capability, Role, may

CHUNK = 2000
FARTHEST = timedelta(days=1096)
"""Partnerships that were to begin later than in three years are a slip of the hand."""
PROPOSE = "connectedness.propose"
MEASURE = "connectedness.measure"
ADOPTED = "connectedness.partnerships_adopted"


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


@dataclass(frozen=True)
class Origin:
    """What a proposal was asked for, and made from."""

    area: Area | None = None
    based_on: Proposal | None = None
    close_to: str = ""
    name: str = ""
    pins: Sequence[Pin] = ()
    priorities: Sequence[Mapping[str, str]] = ()
    """Title and outcome of each priority that was weighed."""


@transaction.atomic
def ask_for_proposal(
    settings: Mapping[str, Any],
    *,
    by: Appointment,
    seed: int = 0,
    area: Area | None = None,
    close_to: str = "",
    name: str = "",
) -> Job:
    """Queue the forming of partnerships of all open schools, or of an area's.

    Parameters
    ----------
    area
        None for the whole system; a district officer forms the own area, or one within it.
    close_to
        "present" where leaving the present partnership should have a price; "" from scratch.
    """
    _check(by)
    if by.role == Role.DISTRICT_OFFICER:
        area = area or by.area
    if area is not None and not directory_queries.areas_visible_to(by).filter(pk=area.pk).exists():
        raise PermissionDenied
    parameters: dict[str, Any] = {"settings": dict(settings), "seed": seed}
    if area is not None:
        parameters["area"] = area.pk
    parameters |= {key: text for key, text in (("close_to", close_to), ("name", name)) if text}
    title = _("Propose partnerships")
    if area is not None:
        title = _("Propose partnerships for {area}").format(area=area.name)
    job = jobs.enqueue(PROPOSE, by=by, title=title, parameters=parameters)
    audit.record(
        "connectedness.ask_for_proposal",
        by=by,
        target=job,
        detail={**settings, **({"area": area.name} if area else {})},
    )
    return job


@transaction.atomic
def ask_again(
    proposal: Proposal,
    *,
    by: Appointment,
    keep: Sequence[str] = (),
    stay_close: bool = True,
    seed: int = 0,
) -> Job:
    """Queue a new proposal around the pins of one, and around partnerships kept as they are.

    Parameters
    ----------
    keep
        Labels of partnerships that stay as they are.
    stay_close
        Whether each school that changes partnership has a price.
    """
    _check_visible(proposal, by)
    unknown = set(keep) - set(proposal.members.values_list("partnership", flat=True))
    if unknown:
        raise ValidationError(_("A partnership to be kept is no longer there. Choose again."))
    job = jobs.enqueue(
        PROPOSE,
        by=by,
        title=_("Propose again around what people decided"),
        parameters={
            "settings": dict(proposal.settings),
            "seed": seed,
            "based_on": proposal.pk,
            "keep": sorted(keep),
            **({"close_to": "proposal"} if stay_close else {}),
            **({"area": proposal.area_id} if proposal.area_id else {}),
        },
    )  # fmt: skip
    audit.record(
        "connectedness.ask_again", by=by, target=proposal, detail={"job": job.pk, "keep": len(keep)}
    )
    return job


@transaction.atomic
def keep_proposal(result: Result, *, job: int, origin: Origin | None = None) -> Proposal:
    """Keep what the optimiser proposes; running the same job again replaces it.

    What people decided upon or changed in the meantime stays.
    """
    origin = origin or Origin()
    earlier = Proposal.objects.select_for_update(no_key=True).filter(job=job).first()
    if earlier is not None and (earlier.status != Proposal.Status.PROPOSED or earlier.version > 1):
        return earlier
    Proposal.objects.filter(job=job).delete()
    provenance = result.provenance
    proposal = Proposal.objects.create(
        job=job,
        name=origin.name[:200],
        area=origin.area,
        based_on=origin.based_on,
        method=provenance.method,
        method_version=provenance.method_version,
        seed=provenance.seed,
        input_hash=provenance.input_hash,
        settings={
            **provenance.settings,
            **({"close_to": origin.close_to} if origin.close_to else {}),
            **({"priorities": [dict(e) for e in origin.priorities]} if origin.priorities else {}),
        },
        objective=dict(result.objective),
        lower_bound=result.lower_bound,
        gap=result.gap,
        seconds=result.seconds,
        n_schools=result.members.height + result.isolated.height,
        n_partnerships=result.members["partnership"].n_unique(),
        n_isolated=result.isolated.height,
    )
    Pin.objects.bulk_create(
        [
            Pin(
                proposal=proposal, kind=pin.kind, school_id=pin.school_id, other_id=pin.other_id,
                by=pin.by, at=pin.at,
            )
            for pin in origin.pins
        ]
    )  # fmt: skip
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
                exception=(row.get("exception") or "")[:300],
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
def adopt(
    proposal: Proposal,
    *,
    by: Appointment,
    on: date | None = None,
    version: int | None = None,
) -> list[Partnership]:
    """Make a proposal's partnerships the real ones from a day on, today when None.

    Until that day the old ones hold. A partnership that stays as it is keeps its code, its history
    and its leader's appointment. A proposal for an area ends nothing outside it, and nothing that
    reaches across its border.
    """
    _check(by)
    held = locked(proposal, by=by, version=version)
    day = on or directory_queries.today()
    _check_can_begin(held, day)
    groups: dict[str, directory.Group] = {}
    members: dict[str, dict[int, float | None]] = defaultdict(dict)
    for member in held.members.select_related("lead_school").order_by("partnership", "pk"):
        members[member.partnership][member.school_id] = member.distance_km
        groups[member.partnership] = directory.Group(
            code=f"{held.pk}-{member.partnership}",
            name=_("{school} partnership").format(school=member.lead_school.name),
            lead_school=member.lead_school_id,
            members=members[member.partnership],
        )
    ends = ends_on_record(day)  # so that it can be called off
    formed = directory.form_partnerships(list(groups.values()), by=by, starts=day, area=held.area)
    held.status = Proposal.Status.ADOPTED
    held.adopted_at = timezone.now()
    held.adopted_by = by.label[:300]
    held.adopt_on = day
    detail = {"on": day.isoformat(), "formed": len(formed), "ends": ends}
    next_version(held, "adopt", detail, by=by)
    audit.record(
        "connectedness.adopt",
        by=by,
        target=held,
        detail={"partnerships": len(groups), "isolated": held.n_isolated},
    )
    people = [each.person for each in heads_of(
        held.members.values_list("school", flat=True))]  # fmt: skip
    notify(people, ADOPTED, {"proposal": held.pk, "on": day.isoformat()}, key=f"adopted-{held.pk}")
    if day <= directory_queries.today():
        jobs.enqueue(MEASURE, by=by, title=_("Measure variability in partnerships"), parameters={})
    return formed


def _check_can_begin(held: Proposal, day: date) -> None:
    """Refuse what makes no sense on that day: closed schools, and a school that leads twice."""
    if day > directory_queries.today() + FARTHEST:
        raise ValidationError(_("This is more than three years away. Check the year."))
    if not held.members.exists():
        raise ValidationError(_("There is no partnership in this proposal."))
    closed = held.members.filter(school__closed__lte=day).select_related("school")
    names = sorted(member.school.name for member in closed[:5])
    if names:
        raise ValidationError(
            _("Schools of this proposal are closed by then: {names}. Take them out first.").format(
                names="; ".join(names)
            )
        )
    twice = [str(school) for school, _partnership in studio_queries.lead_elsewhere(held)]
    if twice:
        raise ValidationError(
            _("These schools lead a partnership that stays: {names}. Choose other leaders.").format(
                names="; ".join(twice)
            )
        )


@transaction.atomic
def call_off(proposal: Proposal, *, by: Appointment, version: int | None = None) -> Proposal:
    """Take back an adoption whose day has not come; the old partnerships go on."""
    _check_visible(proposal, by)
    held = Proposal.objects.select_for_update(no_key=True).get(pk=proposal.pk)
    if version is not None and version != held.version:
        raise ChangedProposalError(list(studio_queries.changes_of(held, since=version)))
    if held.status != Proposal.Status.ADOPTED or held.adopt_on is None:
        raise ValidationError(_("This proposal has not been adopted for a later day."))
    labels = held.members.order_by().values_list("partnership", flat=True).distinct()
    adopted = studio_queries.changes_of(held).filter(kind="adopt").first()
    directory.call_off(
        [f"{held.pk}-{label}" for label in labels],
        by=by,
        starts=held.adopt_on,
        area=held.area,
        ends=adopted.detail.get("ends") if adopted else None,
    )
    asked = held.consult_until is not None
    held.status = Proposal.Status.CONSULTING if asked else Proposal.Status.PROPOSED
    detail = {"was": held.adopt_on.isoformat()}
    held.adopt_on, held.adopted_at, held.adopted_by = None, None, ""
    next_version(held, "call_off", detail, by=by)
    audit.record("connectedness.call_off", by=by, target=held, detail=detail)
    return held


@transaction.atomic
def keep_variability(run: UUID | None, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace what is known of differences within partnerships; nobody's decision, so no audit."""
    Variability.objects.all().delete()
    if run is not None:
        Variability.objects.bulk_create(
            [Variability(run=run, **row) for row in rows], batch_size=CHUNK
        )


@transaction.atomic
def withdraw(proposal: Proposal, *, by: Appointment, version: int | None = None) -> Proposal:
    """Set a proposal aside; it stays on record, with all that was changed and said."""
    _check(by)
    held = locked(proposal, by=by, version=version)
    held.status = Proposal.Status.WITHDRAWN
    next_version(held, "withdraw", {}, by=by)
    audit.record("connectedness.withdraw", by=by, target=held)
    return held


def _check(by: Appointment) -> None:
    if not may(by, Capability.FORM_PARTNERSHIPS):
        raise PermissionDenied


def _check_visible(proposal: Proposal, by: Appointment) -> None:
    if not studio_queries.proposals_visible_to(by).filter(pk=proposal.pk).exists():
        raise PermissionDenied
