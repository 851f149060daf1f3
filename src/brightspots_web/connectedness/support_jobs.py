from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from brightspots_web.connectedness import support_closing_actions as closing
from brightspots_web.connectedness import support_match_actions as matching
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.directory import queries as directory
from brightspots_web.shared import jobs
from brightspots_web.shared.components import Link
from brightspots_web.shared.models import Job

CLOSE = "connectedness.close_support"


def _to_queue(job: Job) -> Link:
    return Link(_("See the suggestions in the queue"), reverse("connectedness:support_queue"))


@jobs.register(matching.MATCH, follow=_to_queue)
def match(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Suggest offers for every request in sight that is ready; officers confirm each."""
    from brightspots_web.connectedness.analysis import brokering  # web processes spare the library

    by = directory.appointment(int(progress.job.appointment))
    progress(0.02, "Schools that closed")
    closing.close_for_closed_schools(by=by)
    waiting = list(queries.waiting_for_match(by))
    progress(0.1, "Matching requests and offers")
    found = brokering.match(waiting, lambda done, stage: progress(0.1 + 0.8 * done, stage))
    progress(0.95, "Keeping the suggestions")
    kept = matching.keep_matching(found, by=by)
    return {"requests": len(waiting), "suggested": kept, "unmatched": len(waiting) - kept}


@jobs.register(CLOSE, after={"imports.confirm": gettext_lazy("Support where schools closed")})
def close(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """After a list of schools was read: nothing waits for a school that is gone."""
    by = directory.appointment(int(progress.job.appointment))
    return {"changed": closing.close_for_closed_schools(by=by)}
