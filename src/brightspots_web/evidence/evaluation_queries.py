"""All reads of evaluations: who may open one, and which are listed.

That something is evaluated is told to everybody from the day it is planned, so that none can be
forgotten because it did not please. What was found is open once it is published, and stays open
with its reason where it was withdrawn.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from brightspots_web.alignment.models import Priority
from brightspots_web.directory.models import Appointment
from brightspots_web.evidence.evaluation_models import Evaluation, EvaluationResult
from brightspots_web.shared.permissions import Capability, may

State = Evaluation.State


def may_evaluate(acting: Appointment | None) -> bool:
    return may(acting, Capability.EVALUATE)


def may_publish(acting: Appointment | None) -> bool:
    return may(acting, Capability.SET_EVIDENCE)


def visible_to(acting: Appointment | None) -> QuerySet[Evaluation]:
    """Evaluations this appointment may open."""
    found = _with_names(Evaluation.objects.all())
    if acting is None:
        return found.none()
    if may_evaluate(acting) or may_publish(acting):
        return found
    return found.filter(published_at__isnull=False)


def listed_to(acting: Appointment | None) -> QuerySet[Evaluation]:
    """Every evaluation there is, for the list: by priority, then as they were planned."""
    found = _with_names(Evaluation.objects.all())
    if acting is None:
        return found.none()
    return found.order_by("priority__title", "practice__title", "planned_at", "pk")


def _with_names(found: QuerySet[Evaluation]) -> QuerySet[Evaluation]:
    return found.select_related(
        "priority",
        "practice__school",
        "practice__bright_spot__school",
        "lottery",
        "published_result",
    )


@dataclass(frozen=True)
class Search:
    """What the list is narrowed to."""

    priority: str = ""
    practice: str = ""
    context: str = ""
    state: str = ""


def search(acting: Appointment | None, asked: Search) -> list[Evaluation]:
    found = listed_to(acting)
    if asked.priority:
        found = found.filter(priority__code=asked.priority)
    if asked.practice:
        found = found.filter(practice__code=asked.practice)
    if asked.state:
        found = found.filter(state=asked.state)
    return [each for each in found if not asked.context or asked.context in context_of(each)]


def context_of(evaluation: Evaluation) -> list[str]:
    """What kind of schools began, as the published finding has it."""
    result = evaluation.published_result
    return list(result.found.get("context", [])) if result is not None else []


def contexts(evaluations: Iterable[Evaluation]) -> list[str]:
    return sorted({each for found in evaluations for each in context_of(found)})


def is_open(acting: Appointment | None, evaluation: Evaluation) -> bool:
    """Whether the page of a listed evaluation may be opened."""
    if may_evaluate(acting) or may_publish(acting):
        return True
    return acting is not None and evaluation.published_at is not None


def evaluation(key: int) -> Evaluation | None:
    """For jobs, which act for whoever asked."""
    return _with_names(Evaluation.objects.filter(pk=key)).first()


def results_of(found: Evaluation) -> list[EvaluationResult]:
    """Every run, the newest first."""
    return list(found.results.order_by("-pk"))


def result_of_job(job: int) -> EvaluationResult | None:
    return EvaluationResult.objects.filter(job=job).first()


def shown_result(
    acting: Appointment | None, found: Evaluation, *, newest: bool = False
) -> EvaluationResult | None:
    """The published one for all; for those who evaluate the newest before that, or as they ask."""
    inside = may_evaluate(acting) or may_publish(acting)
    if inside and (newest or found.published_at is None):
        return found.results.order_by("-pk").first()
    return found.published_result


def of_practice(practice: int) -> list[Evaluation]:
    """What was evaluated of a practice, in the order of planning."""
    found = Evaluation.objects.filter(practice=practice)
    return list(_with_names(found).order_by("planned_at", "pk"))


def waiting_for_publication() -> list[Evaluation]:
    """Run, and nobody published or withdrew it yet."""
    return list(Evaluation.objects.filter(state=State.RUN).order_by("planned_at", "pk"))


def counted() -> dict[str, int]:
    """How many there are in each state."""
    counts: dict[str, int] = {}
    for state in Evaluation.objects.order_by().values_list("state", flat=True):
        counts[state] = counts.get(state, 0) + 1
    return counts


def priorities_of(evaluations: Iterable[Evaluation]) -> list[Priority]:
    found = {each.priority.pk: each.priority for each in evaluations if each.priority is not None}
    return sorted(found.values(), key=lambda priority: (priority.title, priority.pk))
