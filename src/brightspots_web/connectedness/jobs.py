from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from brightspots_web.connectedness import actions
from brightspots_web.shared import jobs
from brightspots_web.shared.components import Link
from brightspots_web.shared.models import Job


def _to_proposal(job: Job) -> Link:
    url = reverse("connectedness:proposal", args=[job.result["proposal"]])
    return Link(_("See the proposal"), url)


@jobs.register(actions.PROPOSE, follow=_to_proposal)
def propose(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Form partnerships and keep them as a proposal."""
    from brightspots_web.connectedness import analysis  # compiled code that web processes spare

    result = analysis.propose(parameters["settings"], parameters["seed"], progress)
    progress(0.97, "Keeping the proposal")
    proposal = actions.keep_proposal(result, job=progress.job.pk)
    return {"proposal": proposal.pk, "isolated": proposal.n_isolated}


@jobs.register(
    actions.MEASURE, after={"insight.analyse": gettext_lazy("Measure variability in partnerships")}
)
def measure(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Measure how much the schools of each partnership differ."""
    from brightspots_web.connectedness import analysis  # compiled code that web processes spare

    run, rows = analysis.spreads(progress)
    actions.keep_variability(run, rows)
    return {"rows": len(rows)}
