"""A plan is picked, its waves moved by hand, adopted on a day, taken back: all versions stay."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment, Area
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace.plan_models import PlanChange, PlanResult, PlanRollout
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.words import day

State = PlanRollout.State
Kind = PlanChange.Kind
LONGEST = {"note": 500, "comes_with": 2000, "why": 500}


@transaction.atomic
def pick(result: PlanResult, plan: str, *, by: Appointment) -> PlanRollout:
    """Take a plan of the result to work on; picked twice without a change it is one."""
    if not queries.results_visible_to(by).filter(pk=result.pk).exists():
        raise PermissionDenied
    # Held, so that the same pressed twice at once is picked once.
    held = PlanResult.objects.select_for_update(no_key=True).get(pk=result.pk)
    found = held.outcome["plans"].get(plan)
    if found is None:
        raise ValidationError(_("There is no such plan among these. Choose a point of the curve."))
    same = held.rollouts.filter(base=plan, state=State.DRAFT, version=1).first()
    if same is not None:
        return same
    now = timezone.now()
    rollout = PlanRollout.objects.create(
        result=held, base=plan, waves=found["waves"], figures=found | {"difference": []},
        by=by.label[:300], at=now,
    )  # fmt: skip
    _write(rollout, Kind.PICKED, by, detail={"plan": plan})
    audit.record("pace.pick_plan", by=by, target=rollout, detail={"plan": plan})
    return rollout


@transaction.atomic
def move(
    rollout: PlanRollout,
    areas: Sequence[Area],
    start: int,
    speed: int | None,
    *,
    note: str = "",
    by: Appointment,
    seen: int | None,
) -> PlanRollout:
    """Let areas begin in another term, with other terms of support, and say what that changes.

    Raises
    ------
    ValidationError
        The support could not end within the plan's terms; or nothing is moved.
    """
    held = hold(rollout, by=by, seen=seen)
    _check_draft(held)
    if not areas:
        raise ValidationError({"areas": _("Choose at least one area.")})
    after = dict(held.waves)
    for area in areas:
        if str(area.pk) not in after:
            raise ValidationError({"areas": _("One of these areas is not in the plan.")})
        after[str(area.pk)] = [start, speed or after[str(area.pk)][1]]
    if after == held.waves:
        raise ValidationError(_("That is how it stands already: nothing is moved."))
    before = {str(a.pk): held.waves[str(a.pk)] for a in areas}
    _set(held, after)
    _next(held)
    detail = {"before": before, "after": {key: after[key] for key in before}}
    _write(held, Kind.MOVED, by, detail=detail, note=_short(note, "note"))
    audit.record("pace.move_waves", by=by, target=held, detail=detail)
    return held


@transaction.atomic
def undo(rollout: PlanRollout, *, by: Appointment, seen: int | None) -> PlanRollout:
    """Take back the last change by hand that stands; the history keeps both."""
    held = hold(rollout, by=by, seen=seen)
    _check_draft(held)
    last = held.changes.filter(kind=Kind.MOVED, undone=False).order_by("-version").first()
    if last is None:
        raise ValidationError(_("No change by hand is left to undo."))
    last.undone = True
    last.save(update_fields=["undone"])
    _set(held, {**held.waves, **last.detail["before"]})
    _next(held)
    _write(held, Kind.UNDONE, by, detail={"of": last.version})
    audit.record("pace.undo_waves", by=by, target=held, detail={"of": last.version})
    return held


@transaction.atomic
def adopt(
    rollout: PlanRollout, on: date, comes_with: str, *, by: Appointment, seen: int | None
) -> PlanRollout:
    """Adopt the plan from a day on. The one adopted before holds until then, and is kept.

    Raises
    ------
    ValidationError
        The day lies before that of the plan adopted last.
    """
    if not queries.may_adopt(by):
        raise PermissionDenied
    before = queries.adopted_last()
    _lock(rollout.pk, *([before.pk] if before is not None else []))
    held = hold(rollout, by=by, seen=seen)
    audit.one_at_a_time()
    _check_draft(held)
    before = queries.adopted_last()  # as it is now that nobody else adopts
    if before is not None and before.holds_from is not None and on < before.holds_from:
        raise ValidationError({
            "on": _("The plan adopted last holds from {day}. Choose that day or a later one, or"
                    " take its adoption back first.").format(day=day(before.holds_from))
        })  # fmt: skip
    if before is not None:
        # First the one before, then this one: there is one adopted last at any moment.
        PlanRollout.objects.filter(pk=before.pk).update(replaced_by=held, holds_until=on)
    held.state, held.holds_from, held.comes_with = State.ADOPTED, on, _short(
        comes_with, "comes_with"
    )  # fmt: skip
    held.adopted_by, held.adopted_at = by.label[:300], timezone.now()
    _next(held)
    _write(held, Kind.ADOPTED, by, detail={"on": on.isoformat()})
    audit.record(
        "pace.adopt_plan", by=by, target=held,
        detail={"on": on, "in_place_of": before.pk if before else None},
    )  # fmt: skip
    return held


@transaction.atomic
def take_back(
    rollout: PlanRollout, why: str, *, by: Appointment, seen: int | None
) -> PlanRollout:  # fmt: skip
    """Take an adoption back, and say why: the plan before holds again, where there was one."""
    if not queries.may_adopt(by):
        raise PermissionDenied
    _lock(
        rollout.pk,
        *PlanRollout.objects.filter(replaced_by=rollout.pk).values_list("pk", flat=True),
    )
    held = hold(rollout, by=by, seen=seen)
    audit.one_at_a_time()
    if held.state != State.ADOPTED:
        raise ValidationError(_("This plan is not adopted."))
    if held.replaced_by_id is not None:
        raise ValidationError(
            _("Another plan was adopted after this one. Take that back first.")
        )  # fmt: skip
    why = _short(why, "why")
    if not why:
        raise ValidationError({"why": _("Say why: districts that read the plan will ask.")})
    held.state, held.holds_from, held.holds_until = State.DRAFT, None, None
    held.adopted_by, held.adopted_at = "", None
    _next(held)
    restored = PlanRollout.objects.filter(replaced_by=held)
    keys = list(restored.values_list("pk", flat=True))
    restored.update(replaced_by=None, holds_until=None)
    _write(held, Kind.TAKEN_BACK, by, note=why)
    audit.record("pace.take_plan_back", by=by, target=held, detail={"holds_again": keys})
    return held


@transaction.atomic
def copy(rollout: PlanRollout, *, by: Appointment) -> PlanRollout:
    """Begin a draft with the waves of another plan, such as the adopted one, which stays."""
    if not queries.rollouts_visible_to(by).filter(pk=rollout.pk).exists():
        raise PermissionDenied
    made = PlanRollout.objects.create(
        result=rollout.result, base=rollout.base, waves=rollout.waves, figures=rollout.figures,
        comes_with=rollout.comes_with, by=by.label[:300], at=timezone.now(),
    )  # fmt: skip
    _write(made, Kind.PICKED, by, detail={"plan": rollout.base, "copy_of": rollout.pk})
    audit.record("pace.copy_plan", by=by, target=made, detail={"of": rollout.pk})
    return made


# What the actions of a picked plan share


def hold(rollout: PlanRollout, *, by: Appointment, seen: int | None) -> PlanRollout:
    """The row, held until the transaction ends; `seen` None takes it as it is now."""
    if not queries.rollouts_visible_to(by).filter(pk=rollout.pk).exists():
        raise PermissionDenied
    found = PlanRollout.objects.select_for_update(of=("self",), no_key=True)
    held = found.select_related("result__study").get(pk=rollout.pk)
    if seen is not None and seen != held.version:
        last = held.changes.first()
        raise OvertakenError(
            _("{who} changed this plan in the meantime. Nothing was saved; look and send again.")
            .format(who=last.by if last else held.by)
        )  # fmt: skip
    return held


def _lock(*keys: int) -> None:
    """Hold plans in one order, before the audit trail is waited for: all others wait alike."""
    rows = PlanRollout.objects.select_for_update(no_key=True)
    list(rows.filter(pk__in=keys).order_by("pk").values_list("pk", flat=True))


def _check_draft(held: PlanRollout) -> None:
    if held.state != State.DRAFT:
        raise ValidationError(
            _("This plan is adopted and stays as it is. Copy it, and change the copy.")
        )


def _set(held: PlanRollout, waves: Mapping[str, Any]) -> None:
    """The waves, with what they come to beside the picked plan."""
    from brightspots_web.pace.analysis import plan as library  # heavy: not needed to read

    held.waves = dict(waves)
    base = held.result.outcome["plans"][held.base]["waves"]
    held.figures = library.compare(held.result.inputs, base, held.waves)


def _next(held: PlanRollout) -> None:
    held.version += 1
    held.save()


def _write(
    held: PlanRollout, kind: str, by: Appointment, *,
    detail: Mapping[str, Any] | None = None, note: str = "",
) -> None:  # fmt: skip
    PlanChange.objects.create(
        rollout=held, version=held.version, kind=kind, waves=held.waves,
        detail=dict(detail or {}), note=note, by=by.label[:300], at=timezone.now(),
    )  # fmt: skip


def _short(words: str, name: str) -> str:
    words = words.strip()
    if len(words) > LONGEST[name]:
        raise ValidationError(
            {name: _("Keep it to {n} characters.").format(n=LONGEST[name])}
        )  # fmt: skip
    return words


def moved_areas(rollout: PlanRollout) -> Iterable[str]:
    """Keys of the areas that stand elsewhere than in the picked plan."""
    base = rollout.result.outcome["plans"][rollout.base]["waves"]
    return [key for key, wave in rollout.waves.items() if list(wave) != list(base.get(key, []))]
