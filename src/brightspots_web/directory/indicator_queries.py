"""All reads of the directory of indicators. Everybody may know what is measured, and what for."""

import hashlib
from collections.abc import Iterable

from django.db.models import ManyToManyRel, ManyToOneRel, Q, QuerySet

from brightspots_web.directory.models import Appointment, Indicator


def indicators_visible_to(acting: Appointment | None) -> QuerySet[Indicator]:
    """Every indicator, for everybody with an appointment, by name."""
    found = Indicator.objects.order_by("name", "pk")
    return found if acting is not None else found.none()


def search(acting: Appointment | None, words: str = "", purpose: str = "") -> QuerySet[Indicator]:
    """Indicators whose name, code or unit has the words, for the purpose named."""
    found = indicators_visible_to(acting)
    if words:
        found = found.filter(
            Q(name__icontains=words) | Q(code__icontains=words) | Q(unit__icontains=words)
        )
    return found.filter(purpose=purpose) if purpose else found


def in_use(indicator: Indicator) -> bool:
    """Whether anything is measured by it, in whatever part of the platform."""
    return bool(uses([indicator]))


def uses(indicators: Iterable[Indicator]) -> set[int]:
    """Keys of those of a page's indicators that are in use.

    Those who point at them stand above the directory, so they are found by their foreign keys.
    """
    keys = [each.pk for each in indicators]
    found: set[int] = set()
    for relation in Indicator._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ManyToOneRel | ManyToManyRel):
            continue
        name = relation.field.name
        pointing = relation.related_model._base_manager.filter(**{f"{name}__in": keys})
        found.update(pointing.order_by().values_list(name, flat=True).distinct())
    return found


def mark_of(indicator: Indicator) -> str:
    """What tells an indicator as it is from what it was or will be; short enough for a form."""
    said = "\n".join([indicator.name, indicator.purpose, indicator.unit])
    return hashlib.sha256(said.encode()).hexdigest()[:16]
