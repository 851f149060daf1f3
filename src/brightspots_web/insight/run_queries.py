"""Reads of analyses themselves: who sees which run, and what can be asked for."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.insight import disclosure
from brightspots_web.insight.findings import TABLES
from brightspots_web.insight.models import Run
from brightspots_web.shared.permissions import Capability, may


def runs_visible_to(acting: Appointment | None) -> QuerySet[Run]:
    """Finished runs, newest first: analysts see all, others those that were ever published.

    A run that was withdrawn stays on record with its reason, since people have seen its figures.
    """
    if acting is None:
        return Run.objects.none()
    found = Run.objects.filter(finished_at__isnull=False).order_by("-pk")
    if may(acting, Capability.ANALYSE):
        return found
    return found.filter(published_at__isnull=False).order_by("-published_at", "-pk")


def run_named(uuid: UUID | str) -> Run | None:
    """A finished run by its name; for the command line, whose operator may see all."""
    try:
        return Run.objects.filter(finished_at__isnull=False, uuid=uuid).first()
    except ValidationError:
        return None


def published_before(run: Run) -> Run | None:
    """The run that pages would show were this one withdrawn."""
    others = Run.objects.filter(
        published_at__isnull=False, withdrawn_at__isnull=True, rows_removed_at__isnull=True
    ).exclude(pk=run.pk)
    return others.order_by("-published_at", "-pk").first()


EFFECTS = (
    "school__code", "school__name", "subject", "year", "n", "years", "observed", "expected",
    "estimate", "se_comparative", "se_diagnostic", "cond_sd", "lower", "upper", "reliability",
    "label", "probability", "need_probability", "complementary",
)  # fmt: skip


def effects(run: Run) -> Iterator[dict[str, Any]]:
    """Every school's figures, those that others do not see too: for analysts."""
    rows = run.estimates.order_by("subject", "school__code", "year").values(*EFFECTS)
    for row in rows.iterator(chunk_size=5000):
        row["code"], row["name"] = row.pop("school__code"), row.pop("school__name")
        withheld = row.pop("complementary") or row["n"] < disclosure.SMALLEST_ACROSS
        row["withheld"] = _("yes") if withheld else ""
        yield row


def stored(run: Run) -> Iterator[tuple[type[models.Model], QuerySet[Any]]]:
    """Every table of a run with its rows."""
    for model in TABLES:
        yield model, model._default_manager.filter(run=run).order_by("pk")
