from collections.abc import Mapping
from typing import Any

from brightspots_web.connectedness import actions
from brightspots_web.shared import jobs

PROPOSE = "connectedness.propose"


@jobs.register(PROPOSE)
def propose(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Form partnerships and keep them as a proposal."""
    from brightspots_web.connectedness import analysis  # compiled code that web processes spare

    result = analysis.propose(parameters["settings"], parameters["seed"], progress)
    progress(0.97, "Keeping the proposal")
    proposal = actions.keep_proposal(result, job=progress.job.pk)
    return {"proposal": proposal.pk, "isolated": proposal.n_isolated}
