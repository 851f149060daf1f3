from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from brightspots_web.connectedness import actions, region_jobs, studio_queries
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

    origin = _origin(parameters)
    if {"area", "based_on", "close_to"} & set(parameters):
        result = _around(parameters, origin, progress)
    else:
        subjects = [each["subject"] for each in origin.priorities]
        if region_jobs.is_large():
            result = region_jobs.propose_in_parts(parameters, progress, subjects)
        else:
            result = analysis.propose(
                parameters["settings"], parameters["seed"], progress, subjects
            )
    progress(0.97, "Keeping the proposal")
    proposal = actions.keep_proposal(result, job=progress.job.pk, origin=origin)
    return {"proposal": proposal.pk, "isolated": proposal.n_isolated}


def _origin(parameters: Mapping[str, Any]) -> actions.Origin:
    """What the proposal is asked for; gone meanwhile, it cannot be made."""
    based_on = studio_queries.proposal_by_key(parameters.get("based_on"))
    if based_on is None and parameters.get("based_on"):
        raise jobs.CannotError(_("The proposal that this one was to be based on is gone."))
    return actions.Origin(
        area=studio_queries.area_by_key(parameters.get("area")),
        based_on=based_on,
        close_to=parameters.get("close_to", ""),
        name=parameters.get("name", ""),
        pins=list(studio_queries.pins_of(based_on)) if based_on else [],
        priorities=based_on.settings.get("priorities", [])
        if based_on
        else studio_queries.priorities_to_weigh(),
    )


def _around(
    parameters: Mapping[str, Any], origin: actions.Origin, progress: jobs.Progress
) -> actions.Result:
    """Partnerships of an area, or around what people decided in another proposal."""
    from brightspots_web.connectedness.analysis import around, studio

    schools = studio_queries.schools_to_form(origin.area)
    still_there = set(schools.values_list("code", flat=True))
    wishes = around.Wishes(
        pins=[
            (pin.kind, pin.school.code, pin.other.code if pin.other else "")
            for pin in origin.pins
            if {pin.school.code, pin.other.code if pin.other else pin.school.code} <= still_there
        ],
        kept=[
            around.Kept(lead, members)
            for lead, members in studio_queries.kept_partnerships(
                origin.based_on, parameters.get("keep", []), still_there
            )
        ],
        existing=studio_queries.to_stay_close_to(origin.close_to, origin.based_on),
    )
    subjects = [each["subject"] for each in origin.priorities]
    facts = studio_queries.facts_of_schools(schools, origin.close_to, origin.based_on, subjects)
    result: actions.Result = around.propose_around(
        parameters["settings"],
        parameters["seed"],
        progress,
        schools=schools,
        facts=[studio.SchoolFacts(**row) for row in facts],
        wishes=wishes,
        subjects=subjects,
    )
    return result


@jobs.register(
    actions.MEASURE, after={"insight.analyse": gettext_lazy("Measure variability in partnerships")}
)
def measure(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Measure how much the schools of each partnership differ."""
    from brightspots_web.connectedness import analysis  # compiled code that web processes spare

    run, rows = analysis.spreads(progress)
    actions.keep_variability(run, rows)
    return {"rows": len(rows)}
