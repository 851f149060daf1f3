"""Evaluations are run by the worker, or by the command line in its own process."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.evidence import evaluation_actions as actions
from brightspots_web.evidence import evaluation_queries as queries
from brightspots_web.evidence import evaluation_treated_queries as treated
from brightspots_web.evidence.evaluation_models import Evaluation
from brightspots_web.evidence.evaluation_treated_queries import Gathered
from brightspots_web.shared import jobs
from brightspots_web.shared.components import Link
from brightspots_web.shared.models import Job


def _page(job: Job) -> Link:
    url = reverse("evidence:evaluation", args=[job.result["evaluation"]])
    return Link(_("Look at what was found"), url)


@jobs.register(actions.EVALUATE, follow=_page)
def evaluate(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Run an evaluation on the newest published figures; done again after a kill it keeps one."""
    from brightspots_web.evidence.analysis import evaluation as analysis  # spares web processes

    job = progress.job.pk
    by = directory.appointment(int(progress.job.appointment))
    found = queries.evaluation(int(parameters["evaluation"]))
    if found is None:
        raise jobs.CannotError(_("This evaluation is gone."))
    kept = queries.result_of_job(job)
    if kept is not None:
        return {"evaluation": found.pk, "result": kept.pk}
    if actions.plan_of(found) != parameters["plan"]:
        raise jobs.CannotError(_("The plan was changed since this was asked for. Run it again."))
    progress(0.05, "Reading the yearly figures")
    run = treated.run_to_use()
    try:
        if run is None:
            raise analysis.CannotEvaluateError(
                _("No analysis is published, so there are no yearly figures. Publish one first.")
            )
        gathered = treated.gather(found, run)
        answer = analysis.estimate(_question(found, gathered), progress)
    except analysis.CannotEvaluateError as why:
        actions.note_problem(found, str(why), by=by)
        raise jobs.CannotError(str(why)) from why
    progress(0.95, "Keeping what was found")
    finding = {
        **answer.finding, "left": analysis.small_hidden(gathered.left),
        "lot": analysis.small_hidden(gathered.lot), "adjusted": list(gathered.covariates),
        "context": gathered.context, "years": list(gathered.years),
    }  # fmt: skip
    frozen = {
        "found": finding, "method": answer.method, "method_version": answer.method_version,
        "seed": answer.seed, "input_hash": answer.input_hash, "settings": answer.settings,
    }  # fmt: skip
    try:
        result = actions.keep_result(found, frozen, gathered.run, by=by, job=job)
    except ValidationError as why:
        raise jobs.CannotError(" ".join(why.messages)) from why
    return {"evaluation": found.pk, "result": result.pk}


def _question(found: Evaluation, gathered: Gathered) -> Any:
    from brightspots_web.evidence.analysis import evaluation as analysis

    rows = [
        analysis.Row(
            each.code, each.year, each.value, each.first, each.cluster, each.eligible, each.about
        )
        for each in gathered.rows
    ]
    return analysis.Question(
        rows,
        covariates=gathered.covariates,
        control=found.control,
        design=found.design,
        anticipation=found.anticipation,
        cluster=found.cluster,
        seed=found.seed,
    )
