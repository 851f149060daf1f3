"""Rollout plans are searched, and held against what happened, by the worker."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.pace import plan_actions as actions
from brightspots_web.pace import plan_after_actions as after
from brightspots_web.pace import plan_queries as queries
from brightspots_web.shared import jobs
from brightspots_web.shared.components import Link
from brightspots_web.shared.models import Job


def _to_result(job: Job) -> Link:
    return Link(_("See the plans"), reverse("pace:plan_result", args=[job.result["result"]]))


def _to_lesson(job: Job) -> Link:
    return Link(_("See the comparison"), reverse("pace:plan_lesson", args=[job.result["lesson"]]))


@jobs.register(queries.SEARCH, follow=_to_result)
def search(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Search for the curve and keep it. Stopped on the way, the best so far is kept.

    Asked for again, a search that was stopped goes on from there. Done again after a kill it keeps
    one result.
    """
    from brightspots_web.pace.analysis import plan as library  # compiled code, for the worker alone

    job = progress.job.pk
    known = queries.result_of_job(job)
    if known is None:
        study = queries.study_by_key(parameters["study"])
        if study is None:
            raise jobs.CannotError(_("The study that this was asked for is gone."))
        inputs = parameters["inputs"]
        earlier = queries.newest_of_same(study, inputs)
        found = _searched(library, inputs, _waves(earlier), progress)
        known = actions.keep_result(
            study, found, inputs, parameters["version"], job=job,
            by=directory.appointment(int(progress.job.appointment)),
        )  # fmt: skip
    return {"result": known.pk, "stopped_early": known.stopped_early}


def _searched(
    library: Any, inputs: Mapping[str, Any], known: list[Any], progress: jobs.Progress
) -> dict[str, Any]:
    def report(share: float, stage: str) -> None:
        try:
            progress(share, stage)
        except jobs.StoppedError as stop:
            raise library.Stop from stop

    try:
        found: dict[str, Any] = library.plan(inputs, report, known)
    except ValidationError as error:
        raise jobs.CannotError(" ".join(error.messages)) from error
    return found


def _waves(earlier: Any) -> list[Any]:
    """The curve of an earlier search of the same that was stopped."""
    if earlier is None:
        return []
    return [earlier.outcome["plans"][name]["waves"] for name in earlier.outcome["curve"]]


@jobs.register(queries.LEARN, follow=_to_lesson)
def learn(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Hold an adopted plan against what happened, and keep the narrower ranges for a decision."""
    from brightspots_web.pace.analysis import plan as library

    job = progress.job.pk
    known = queries.lesson_of_job(job)
    if known is None:
        rollout = queries.rollout_by_key(parameters["rollout"])
        if rollout is None:
            raise jobs.CannotError(_("The plan that this was asked for is gone."))
        progress(0.05, "Following the plan through what happened")
        rows = parameters["observed"]
        try:
            outcome = library.learn(rollout.result.inputs, rollout.waves, rows)
            known = after.keep_lesson(
                rollout, rows, outcome, job=job,
                by=directory.appointment(int(progress.job.appointment)),
            )  # fmt: skip
        except ValidationError as error:
            raise jobs.CannotError(" ".join(error.messages)) from error
        except PermissionDenied as error:
            raise jobs.CannotError(_("You may not plan any more.")) from error
    return {"lesson": known.pk}
