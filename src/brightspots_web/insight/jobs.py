"""Analyses are done by the worker, or by the command line in its own process."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.insight import actions
from brightspots_web.insight.models import Run
from brightspots_web.shared import jobs
from brightspots_web.shared.components import Link
from brightspots_web.shared.models import Job

ANALYSE = "insight.analyse"


def _page(job: Job) -> Link:
    return Link(_("Look at this analysis"), reverse("insight:run", args=[job.result["run"]]))


@jobs.register(ANALYSE, follow=_page)
def analyse(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Analyse what is imported: a draft, or published where the person asked for that.

    Done again after a kill it makes one run and publishes it once.
    """
    from brightspots_web.insight import analysis  # heavy: not needed to register the job

    job = progress.job.pk
    by = directory.appointment(int(progress.job.appointment))
    run = Run.objects.filter(job=job, finished_at__isnull=False).first()
    if run is None:
        actions.discard_leftovers(job=job)
        started = timezone.now()
        progress(0.01, "Gathering what is imported")
        inputs = analysis.gather()
        findings = analysis.compute(inputs, analysis.Settings.of(parameters), progress)
        computed = timezone.now()
        note = str(parameters.get("note") or "")
        run = actions.open_run(findings, by=by, job=job, started_at=started, note=note)
        try:
            for share in actions.write_rows(run, findings):
                progress(0.9 + 0.09 * share, "Writing the figures")
            analysis.keep(inputs, run)
            analysis.keep_diagnostics(run, findings.diagnostics)
            seconds = {
                "analysis": (computed - started).total_seconds(),
                "writing": (timezone.now() - computed).total_seconds(),
            }
            analysis.write_stored_tables(run)
            actions.finish(run, by=by, seconds=seconds)
        except BaseException:
            # Stopped or failed on the way: what was written so far was never seen, and goes.
            actions.discard(run)
            raise
    if parameters.get("publish") and run.published_at is None:
        try:
            actions.publish(run, by=by)
        except PermissionDenied as error:  # the appointment ended in the meantime
            raise jobs.CannotError(
                _("The analysis is done, and stays a draft: you may not publish any more.")
            ) from error
    actions.prune()
    return _result(run)


def _result(run: Run) -> dict[str, Any]:
    return {"run": str(run.uuid), "outcomes": list(run.summary.get("outcomes", {}))}
