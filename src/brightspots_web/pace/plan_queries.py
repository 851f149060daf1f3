"""All reads of rollout plans: who plans, who reads the adopted one, what a search is made from.

Studies, results and plans being worked on are read by those who plan. The adopted plan is read by
everybody with an appointment, for the areas they belong to: an officer the own area with all that
lies inside it and what it lies in, people of a school the area of the school.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet

from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.leaders import designation_queries as designations
from brightspots_web.leaders.models import Application, Grade
from brightspots_web.pace.plan_models import (
    PlanArea,
    PlanLesson,
    PlanResult,
    PlanRollout,
    PlanStart,
    PlanStudy,
)
from brightspots_web.shared.models import Job
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.queries import jobs_visible_to

ON_THE_WAY = (Application.State.SUBMITTED, Application.State.PANEL)
SEARCH = "pace.plan"
LEARN = "pace.learn"
AT_WORK = (Job.Status.QUEUED, Job.Status.RUNNING)


def may_plan(by: Appointment | None) -> bool:
    return may(by, Capability.PLAN_PACE)


def may_adopt(by: Appointment | None) -> bool:
    """Analysts prepare plans; which one holds is the ministry's decision."""
    return may(by, Capability.ADOPT_PACE)


# Studies and what was found


def studies_visible_to(by: Appointment | None) -> QuerySet[PlanStudy]:
    found = PlanStudy.objects.all()
    return found if may_plan(by) else found.none()


def areas_of(study: PlanStudy) -> list[PlanArea]:
    """The areas of a study by name."""
    return list(PlanArea.objects.filter(study=study).select_related("area__parent"))


def area_of(study: PlanStudy, key: int) -> PlanArea | None:
    return PlanArea.objects.filter(study=study, area=key).select_related("area").first()


def results_visible_to(by: Appointment | None) -> QuerySet[PlanResult]:
    found = PlanResult.objects.select_related("study")
    return found if may_plan(by) else found.none()


def results_of(study: PlanStudy) -> list[PlanResult]:
    """What was found, the newest first, without the bulk of it."""
    return list(PlanResult.objects.filter(study=study).defer("outcome", "inputs"))


def newest_of_same(study: PlanStudy, inputs: Mapping[str, Any]) -> PlanResult | None:
    """The newest result made from the very same."""
    for result in PlanResult.objects.filter(study=study).order_by("-pk")[:10]:
        if result.inputs == inputs:
            return result
    return None


def at_work(by: Appointment | None, kind: str, **parameters: Any) -> Job | None:
    """A search or a comparison that is queued or running."""
    found = jobs_visible_to(by).filter(kind=kind, status__in=AT_WORK)
    return found.filter(**{f"parameters__{k}": v for k, v in parameters.items()}).first()


def result_of_job(job: int) -> PlanResult | None:
    return PlanResult.objects.filter(job=job).first()


def lesson_of_job(job: int) -> PlanLesson | None:
    return PlanLesson.objects.filter(job=job).first()


def study_by_key(key: Any) -> PlanStudy | None:
    return PlanStudy.objects.filter(pk=key).first()


def rollout_by_key(key: Any) -> PlanRollout | None:
    return PlanRollout.objects.filter(pk=key).select_related("result__study").first()


# Plans that were picked


def rollouts_visible_to(by: Appointment | None) -> QuerySet[PlanRollout]:
    """Plans whose own page one may open: all, for those who plan."""
    found = PlanRollout.objects.select_related("result__study")
    return found if may_plan(by) else found.none()


def without_bulk(found: QuerySet[PlanRollout]) -> QuerySet[PlanRollout]:
    """With their study, and without all that was found beside the plan."""
    return found.select_related("result__study").defer("result__inputs", "result__outcome")


def adopted_last() -> PlanRollout | None:
    """The plan that was adopted last: it holds now, or will."""
    found = PlanRollout.objects.filter(state=PlanRollout.State.ADOPTED, replaced_by=None)
    return without_bulk(found).first()


def in_force(on: date | None = None) -> PlanRollout | None:
    """The adopted plan that holds on a day."""
    day = on or directory.today()
    found = PlanRollout.objects.filter(
        Q(holds_until__isnull=True) | Q(holds_until__gt=day),
        state=PlanRollout.State.ADOPTED, holds_from__lte=day,
    )  # fmt: skip
    return without_bulk(found).first()


def to_come(on: date | None = None) -> PlanRollout | None:
    """The adopted plan that will hold from a later day."""
    found = PlanRollout.objects.filter(
        state=PlanRollout.State.ADOPTED, holds_from__gt=on or directory.today()
    )
    return without_bulk(found).order_by("holds_from").first()


def areas_read_by(by: Appointment | None, rollout: PlanRollout) -> list[Area]:
    """The areas of an adopted plan that concern a person, by name."""
    areas = list(_areas_with(rollout.waves))
    if by is None:
        return []
    if may_plan(by):
        return areas
    own = by.area or (by.school.area if by.school is not None else None)
    if own is None and by.partnership is not None and by.partnership.lead_school is not None:
        own = by.partnership.lead_school.area
    if own is None:
        return []
    above = set(directory.paths_to(own))
    wide = by.area is not None
    return [a for a in areas if a.path in above or (wide and a.path.startswith(own.path))]


def _areas_with(waves: Mapping[str, Any]) -> list[Area]:
    keys = [int(key) for key in waves]
    found = record_queries.areas().filter(pk__in=keys).select_related("parent")
    return sorted(found, key=lambda each: (each.name, each.pk))


def areas_in(rollout: PlanRollout) -> list[Area]:
    """All areas of a plan by name."""
    return _areas_with(rollout.waves)


def may_write_start(by: Appointment | None, area: Area) -> bool:
    """Whoever plans, and who hands powers over there, may write down when an area began."""
    if may_plan(by):
        return True
    return may(by, Capability.HAND_OVER) and (
        directory.areas_visible_to(by).filter(pk=area.pk).exists()
    )


def starts_of(rollout: PlanRollout) -> dict[int, PlanStart]:
    """When areas really began, by key of the area."""
    return {each.area_id: each for each in PlanStart.objects.filter(rollout=rollout)}


def lessons_visible_to(by: Appointment | None) -> QuerySet[PlanLesson]:
    found = PlanLesson.objects.select_related("rollout__result__study")
    return found if may_plan(by) else found.none()


def used_up_to(result: PlanResult) -> int:
    """The last term that had narrowed the ranges of a result before it was searched; 0: none.

    What was seen until then is in them, and counts no second time.
    """
    accepted = PlanLesson.objects.filter(
        rollout__result__study=result.study_id, state=PlanLesson.State.ACCEPTED,
        decided_at__lte=result.at,
    )  # fmt: skip
    terms = (row["term"] for observed in accepted.values_list("observed", flat=True)
             for row in observed)  # fmt: skip
    return max(terms, default=0)


def lesson_waiting() -> PlanLesson | None:
    """One that nobody has decided on."""
    return PlanLesson.objects.filter(state=PlanLesson.State.PROPOSED).first()


# What the directory and the leaders' part know


@dataclass(frozen=True)
class Drawn:
    """An area as the registers have it today."""

    area: Area
    schools: int
    leaders: int
    in_training: int | None
    """None for who may not see applications."""


def levels() -> list[tuple[int, int, str]]:
    """Each level with areas that hold open schools: level, how many, some of their names."""
    with_schools = {path for path, n in _schools_at().items() if n}
    found: dict[int, list[str]] = {}
    for area in record_queries.areas():
        if any(path.startswith(area.path) for path in with_schools):
            found.setdefault(area.level, []).append(area.name)
    return [(level, len(names), ", ".join(names[:3])) for level, names in sorted(found.items())]


def drawn(by: Appointment | None, level: int) -> list[Drawn]:
    """The areas of a level that have open schools, with leaders in office and on the way."""
    schools, leaders = _schools_at(), leaders_at(directory.today())
    asked = designations.applications_visible_to(by).filter(
        state__in=ON_THE_WAY, grade=Grade.LEADER
    )
    training = _by_path(asked, "school__area__path")
    found = [
        Drawn(
            area, _below(area.path, schools), _below(area.path, leaders),
            _below(area.path, training) if sees_training(by) else None,
        )
        for area in record_queries.areas().filter(level=level).select_related("parent")
    ]  # fmt: skip
    return [each for each in found if each.schools]


def sees_training(by: Appointment | None) -> bool:
    """Whether a person sees all applications: an analyst may not, and would draw zeros."""
    return may(by, Capability.FIND_LEADERS) and may(by, Capability.SEE_SYSTEM)


def leaders_at(on: date) -> dict[str, int]:
    """Leaders in office on a day, by the path of their school's area."""
    live = designations.live_designations(on).filter(grade=Grade.LEADER)
    return _by_path(live, "school__area__path")


def _schools_at() -> dict[str, int]:
    return _by_path(directory.open_schools(), "area__path")


def _by_path(rows: QuerySet[Any], field: str) -> dict[str, int]:
    counted = rows.order_by().values_list(field).annotate(n=Count("pk", distinct=True))
    return {path: n for path, n in counted if path}


def below(area: Area, counts: Mapping[str, int]) -> int:
    return _below(area.path, counts)


def _below(path: str, counts: Mapping[str, int]) -> int:
    return sum(n for at, n in counts.items() if at.startswith(path))


# What a search is made from


def unread(areas: Sequence[PlanArea]) -> list[PlanArea]:
    """Areas whose readiness nobody has said."""
    return [each for each in areas if each.readiness is None]


def inputs_of(study: PlanStudy) -> dict[str, Any]:
    """Areas, settings and assumptions as the planner takes them, in JSON types."""
    areas = areas_of(study)
    return {
        "areas": [
            {
                "area": str(each.area_id),
                "name": each.area.name,
                "region": each.area.parent.name if each.area.parent else "",
                "schools": each.schools,
                "leaders": each.leaders,
                "in_training": each.in_training,
                "in_training_term": each.in_training_term,
                "readiness": each.readiness,
                "priority": each.priority,
                "earliest": each.earliest,
            }
            for each in areas
        ],
        "settings": {
            "support_days": study.support_days,
            "terms": study.terms,
            "speeds": list(study.speeds),
            "settle": study.settle,
            "draws": study.draws,
            "seed": study.seed,
        },
        "assumptions": list(study.assumptions),
        "fixed": {
            str(each.area_id): each.fixed_start for each in areas if each.fixed_start is not None
        },
    }
