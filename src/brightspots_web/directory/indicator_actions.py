"""Adding indicators to the directory and changing them. A purpose never turns on who was measured.

Figures that people gave in order to learn must not come back as a reason to judge them, or nobody
gives honest ones again. So an indicator for improvement that is in use stays one for good.
"""

from dataclasses import asdict, dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from brightspots_web.directory import indicator_queries as queries
from brightspots_web.directory.models import Appointment, Indicator
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may

Purpose = Indicator.Purpose
LONGEST = {"name": 200, "unit": 60}


@dataclass(frozen=True)
class Measure:
    """An indicator in words."""

    name: str
    purpose: str
    unit: str = ""


@transaction.atomic
def add(measure: Measure, *, by: Appointment, code: str = "") -> Indicator:
    """Add an indicator. Pressed twice, it is added once.

    Parameters
    ----------
    code
        For files and addresses; made from the name where none is given.
    """
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    measure = _checked(measure)
    audit.one_at_a_time()
    same = Indicator.objects.filter(name__iexact=measure.name).first()
    if same is not None:
        if asdict(measure) == {name: getattr(same, name) for name in asdict(measure)}:
            return same
        raise ValidationError({"name": _("There is an indicator of this name already.")})
    indicator = Indicator(code=_code(code, measure.name), **asdict(measure))
    indicator.full_clean()
    indicator.save(force_insert=True)
    audit.record("directory.add_indicator", by=by, target=indicator, detail=_detail(indicator))
    return indicator


@transaction.atomic
def change(
    indicator: Indicator, measure: Measure, *, by: Appointment, seen: str = ""
) -> Indicator:  # fmt: skip
    """Change an indicator's name, unit or purpose; its code stays, files know it by that.

    Parameters
    ----------
    seen
        :func:`indicator_queries.mark_of` of what was on the page; "" to take it as it is.

    Raises
    ------
    OvertakenError
        Somebody else was quicker; nothing is saved.
    ValidationError
        Also where an indicator for improvement that is in use would become one for accountability.
    """
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    measure = _checked(measure)
    # Held, so that nobody begins to measure by it between the look and the change.
    found = Indicator.objects.select_for_update(no_key=True).get(pk=indicator.pk)
    before = _detail(found)
    if asdict(measure) == {name: before[name] for name in asdict(measure)}:
        return found
    if seen and seen != queries.mark_of(found):
        raise OvertakenError(
            _(
                "Somebody changed this indicator since you opened it. What you wrote is still here "
                "and was not saved: look at it, then save yours if it still holds."
            )
        )
    turned = found.purpose == Purpose.IMPROVEMENT and measure.purpose == Purpose.ACCOUNTABILITY
    if turned and queries.in_use(found):
        raise ValidationError(
            {
                "purpose": _(
                    "This indicator is in use. What was measured with it was given in order to "
                    "learn, and must not become a reason to judge anybody: it stays for "
                    "improvement. Add another indicator for accountability instead."
                )
            }
        )
    if Indicator.objects.filter(name__iexact=measure.name).exclude(pk=found.pk).exists():
        raise ValidationError({"name": _("There is an indicator of this name already.")})
    for name, value in asdict(measure).items():
        setattr(found, name, value)
    found.full_clean()
    found.save()
    detail = _detail(found) | {"before": before}
    audit.record("directory.change_indicator", by=by, target=found, detail=detail)
    return found


def _checked(measure: Measure) -> Measure:
    plain = Measure(
        " ".join(measure.name.replace("\0", "").split()),
        measure.purpose,
        " ".join(measure.unit.replace("\0", "").split()),
    )
    problems = {
        name: _("Keep it under {n} characters.").format(n=most)
        for name, most in LONGEST.items()
        if len(getattr(plain, name)) > most
    }
    if not plain.name:
        problems["name"] = _("An indicator needs a name.")
    if plain.purpose not in Purpose.values:
        problems["purpose"] = _("Say what it is for: improvement, or accountability.")
    if problems:
        raise ValidationError(problems)
    return plain


def _code(asked: str, name: str) -> str:
    asked = asked.strip()
    if asked:
        if slugify(asked) != asked or len(asked) > 100 or asked in RESERVED:
            raise ValidationError(
                {"code": _("A code has small letters, digits and hyphens alone: reading-aloud.")}
            )
        if Indicator.objects.filter(code=asked).exists():
            raise ValidationError({"code": _("Another indicator has this code.")})
        return asked
    base = slugify(name)[:90].strip("-") or "indicator"
    taken = set(Indicator.objects.filter(code__startswith=base).values_list("code", flat=True))
    return next(
        code for n in range(1, len(taken) + 3)
        if (code := base if n == 1 else f"{base}-{n}") not in taken and code not in RESERVED
    )  # fmt: skip


RESERVED = frozenset({"add"})
"""Words that addresses of indicators use for something else."""


def _detail(indicator: Indicator) -> dict[str, str]:
    return {
        "code": indicator.code,
        "name": indicator.name,
        "purpose": indicator.purpose,
        "unit": indicator.unit,
    }
