"""All writes of the studio: people change a proposal, and every change is kept and can be undone.

Each takes the version the person saw. When somebody else has changed the proposal since, nothing
is written and :class:`ChangedProposalError` says who did what.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness import studio_effects as effects
from brightspots_web.connectedness import studio_queries as queries
from brightspots_web.connectedness.models import (
    Isolation,
    Pin,
    Proposal,
    ProposalChange,
    ProposedMember,
)
from brightspots_web.connectedness.studio_effects import Effect
from brightspots_web.directory.models import Appointment, School
from brightspots_web.directory.partnership_queries import heads_of
from brightspots_web.notices.actions import notify
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may

CHANGED = "connectedness.proposal_changed"
MOST_PINS = 500


class ChangedProposalError(OvertakenError):
    """Somebody else changed the proposal since the person opened the page. Nothing was saved."""

    def __init__(self, changes: Sequence[ProposalChange]) -> None:
        super().__init__(_("Somebody else changed this proposal in the meantime."))
        self.changes = changes


def locked(proposal: Proposal, *, by: Appointment, version: int | None) -> Proposal:
    """The proposal, held until the transaction ends, if `by` may change it and saw it as it is.

    `version` None takes it as it is now.
    """
    if not queries.proposals_visible_to(by).filter(pk=proposal.pk).exists():
        raise PermissionDenied
    held = Proposal.objects.select_for_update(no_key=True).get(pk=proposal.pk)
    if held.status not in queries.OPEN:
        raise ValidationError(_("This proposal has been adopted or withdrawn already."))
    if version is not None and version != held.version:
        raise ChangedProposalError(list(queries.changes_of(held, since=version)))
    return held


def next_version(
    held: Proposal, kind: str, detail: dict[str, Any], *, by: Appointment
) -> ProposalChange:
    """Write down a change that makes the next version; the proposal's other fields are saved too.

    The condition on the version also holds where the database knows no row locks.
    """
    ours = Proposal.objects.filter(pk=held.pk, version=held.version)
    if not ours.update(version=held.version + 1):
        raise ChangedProposalError(list(queries.changes_of(held, since=held.version)))
    held.version += 1
    held.save()
    return ProposalChange.objects.create(
        proposal=held,
        version=held.version,
        kind=kind,
        detail=detail,
        by=by.label[:300],
        at=timezone.now(),
    )


@transaction.atomic
def move(
    proposal: Proposal,
    school: School,
    to: str,
    *,
    by: Appointment,
    version: int | None,
    note: str = "",
) -> ProposalChange:
    """Move a school to another partnership ("" for none, "new" for one that it starts and leads).

    A broken rule is allowed to people, and marked as an exception.
    """
    held = locked(proposal, by=by, version=version)
    if not queries.schools_of(held).filter(pk=school.pk).exists():
        raise ValidationError(
            _("{school} is not among the schools of this proposal.").format(school=school.name)
        )
    effect = effects.of_move(held, school, to)
    detail = {
        "school": school.name,
        "from": _leads(effect.before, school.pk),
        "to": _leads(effect.after, school.pk),
        "note": note,
        "exceptions": list(effect.warnings),
    }
    return _apply(held, effect, "move", detail, by=by)


@transaction.atomic
def choose_leader(
    proposal: Proposal,
    label: str,
    school: School,
    *,
    by: Appointment,
    version: int | None,
    note: str = "",
) -> ProposalChange:
    """Let another school of a proposed partnership lead it."""
    held = locked(proposal, by=by, version=version)
    effect = effects.of_leader(held, label, school)
    before = queries.schools_by_key([effect.before[0].lead])[effect.before[0].lead]
    detail = {
        "from": before.name,
        "to": school.name,
        "note": note,
        "exceptions": list(effect.warnings),
    }
    return _apply(held, effect, "leader", detail, by=by)


@transaction.atomic
def take_out_closed(proposal: Proposal, *, by: Appointment, version: int | None) -> ProposalChange:
    """Take out all schools that have closed since the proposal was made."""
    held = locked(proposal, by=by, version=version)
    names = [member.school.name for member in queries.stale(held).closed]
    effect = effects.of_tidying(held)
    return _apply(held, effect, "tidy", {"schools": names}, by=by)


@transaction.atomic
def undo(proposal: Proposal, *, by: Appointment, version: int | None) -> ProposalChange:
    """Take back the last change that stands; the history keeps both."""
    held = locked(proposal, by=by, version=version)
    last = queries.undoable(held)
    if last is None:
        raise ValidationError(_("There is no change to undo."))
    kept = last.detail["before"]
    if "pins" in kept:
        _restore_pin(held, last.kind, kept["pins"], by=by)
    else:
        schools = kept["schools"]
        _forget(held, schools)
        ProposedMember.objects.bulk_create(
            [
                ProposedMember(
                    proposal=held, school_id=pk, partnership=label, lead_school_id=lead,
                    distance_km=km, exception=exception,
                )
                for pk, label, lead, km, exception in kept["members"]
            ]
        )  # fmt: skip
        Isolation.objects.bulk_create(
            [Isolation(proposal=held, school_id=pk, reason=why) for pk, why in kept["isolated"]]
        )
        held.objective, held.lower_bound, held.gap = (
            kept["objective"], kept["lower_bound"], kept["gap"],
        )  # fmt: skip
        _count(held)
        _tell_schools(held, schools)
    detail = {"of": last.version, "kind": last.kind, "what": _without_before(last.detail)}
    change = next_version(held, "undo", detail, by=by)
    audit.record("connectedness.undo_change", by=by, target=held, detail={"of": last.version})
    return change


@transaction.atomic
def add_pin(
    proposal: Proposal,
    kind: str,
    school: School,
    other: School | None = None,
    *,
    by: Appointment,
    version: int | None,
) -> ProposalChange:
    """Fix something that a new run must keep to; refused in plain words where pins contradict."""
    held = locked(proposal, by=by, version=version)
    pin = Pin(
        proposal=held, kind=kind, school=school, other=other, by=by.label[:300], at=timezone.now()
    )
    if kind == Pin.Kind.LEADS:
        pin.other = other = None
    elif other is None or other.pk == school.pk:
        raise ValidationError({"other": _("Name another school.")})
    elif kind in {Pin.Kind.TOGETHER, Pin.Kind.APART} and other.pk < school.pk:
        pin.school, pin.other = other, school
    spoken_of = {school.pk} | ({other.pk} if other else set())
    if queries.schools_of(held).filter(pk__in=spoken_of).count() < len(spoken_of):
        raise ValidationError(_("A school is not among the schools of this proposal."))
    pins = list(queries.pins_of(held))
    if len(pins) >= MOST_PINS:
        raise ValidationError(_("There are too many pins; decide these by hand."))
    same = (pin.kind, pin.school_id, pin.other_id)
    if any((each.kind, each.school_id, each.other_id) == same for each in pins):
        raise ValidationError(_("This pin is there already."))
    problem = effects.why_pins_contradict(held, [*pins, pin])
    if problem:
        raise ValidationError(problem)
    pin.save()
    detail = {"pin": effects.pin_words(pin), "before": {"pins": _pin_row(pin)}}
    return _noted(held, "pin", detail, by=by)


@transaction.atomic
def remove_pin(
    proposal: Proposal, pin: int, *, by: Appointment, version: int | None
) -> ProposalChange:
    """Let go of a pin."""
    held = locked(proposal, by=by, version=version)
    found = queries.pins_of(held).filter(pk=pin).first()
    if found is None:
        raise ValidationError(_("This pin is gone already."))
    detail = {"pin": effects.pin_words(found), "before": {"pins": _pin_row(found)}}
    found.delete()
    return _noted(held, "unpin", detail, by=by)


@transaction.atomic
def rename(
    proposal: Proposal, name: str, *, by: Appointment, version: int | None
) -> ProposalChange:
    """Call a proposal something that people can tell apart."""
    held = locked(proposal, by=by, version=version)
    detail = {"from": held.name, "to": name}
    held.name = name[:200]
    return _noted(held, "rename", detail, by=by)


def _noted(held: Proposal, kind: str, detail: dict[str, Any], *, by: Appointment) -> ProposalChange:
    change = next_version(held, kind, detail, by=by)
    audit.record(
        f"connectedness.{kind}_proposal", by=by, target=held, detail=_without_before(detail)
    )
    return change


def _without_before(detail: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in detail.items() if name != "before"}


def _leads(groups: Iterable[queries.Group], school: int) -> str:
    """The name of the school that leads the partnership a school is in; "" for none."""
    lead = next((group.lead for group in groups if school in group.members), None)
    return queries.schools_by_key([lead])[lead].name if lead is not None else ""


def _apply(
    held: Proposal, effect: Effect, kind: str, detail: dict[str, Any], *, by: Appointment
) -> ProposalChange:
    """Write what a change does, with what was there before, so that it can be undone."""
    schools = sorted(effect.schools)
    members = held.members.filter(school__in=schools).order_by("pk")
    rows = members.values_list("school", "partnership", "lead_school", "distance_km", "exception")
    isolated = held.isolations.filter(school__in=schools).values_list("school", "reason")
    detail["before"] = {
        "schools": schools,
        "members": [list(row) for row in rows],
        "isolated": [list(row) for row in isolated],
        "objective": dict(held.objective),
        "lower_bound": held.lower_bound,
        "gap": held.gap,
    }
    _forget(held, schools)
    ProposedMember.objects.bulk_create(
        [
            ProposedMember(
                proposal=held,
                school_id=pk,
                partnership=group.label,
                lead_school_id=group.lead,
                distance_km=effect.distances.get(pk),
                exception=effect.exceptions.get(pk, ""),
            )
            for group in effect.after
            for pk in group.members
        ]
    )
    why = _("Taken out of the proposal by {who}.").format(who=by.get_role_display())
    Isolation.objects.bulk_create(
        [Isolation(proposal=held, school_id=pk, reason=why[:300]) for pk in effect.out]
    )
    held.objective = dict(effect.objective)
    if effect.served_changes:
        held.lower_bound = None
    held.gap = _gap(held)
    _count(held)
    _tell_schools(held, schools)
    return _noted(held, kind, detail, by=by)


def _gap(held: Proposal) -> float | None:
    """How far above the bound; none where people broke a rule and went below it."""
    total = held.objective.get("total")
    if not held.lower_bound or total is None or held.members.exclude(exception="").exists():
        return None
    return max(float(total) / held.lower_bound - 1, 0.0)


def _forget(held: Proposal, schools: Sequence[int]) -> None:
    held.members.filter(school__in=schools).delete()
    held.isolations.filter(school__in=schools).delete()


def _count(held: Proposal) -> None:
    held.n_isolated = held.isolations.count()
    held.n_partnerships = held.members.order_by().values("partnership").distinct().count()
    held.n_schools = held.members.count() + held.n_isolated


def _tell_schools(held: Proposal, schools: Sequence[int]) -> None:
    """While schools are asked, those whose partnership changed are told."""
    if held.status != Proposal.Status.CONSULTING:
        return
    people = [each.person for each in heads_of(schools)]
    notify(people, CHANGED, {"proposal": held.pk}, key=f"proposal-{held.pk}")


def _pin_row(pin: Pin) -> list[Any]:
    return [pin.kind, pin.school_id, pin.other_id]


def _restore_pin(held: Proposal, kind: str, row: Sequence[Any], *, by: Appointment) -> None:
    same = {"kind": row[0], "school_id": row[1], "other_id": row[2]}
    if kind == "pin":
        held.pins.filter(**same).delete()
    elif not held.pins.filter(**same).exists():
        Pin.objects.create(proposal=held, by=by.label[:300], at=timezone.now(), **same)


def may_change(proposal: Proposal, by: Appointment | None) -> bool:
    """Whether this person may change the proposal as it is now."""
    return may(by, Capability.FORM_PARTNERSHIPS) and proposal.status in queries.OPEN
