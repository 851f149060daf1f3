"""A proposal for many schools: parts of the map as jobs of their own, joined by the job that asked.

That job does parts itself while others wait, so that one worker is enough and more are quicker.
A part that is done is kept: when a worker dies, what it had in hand is done anew and nothing else.
"""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from brightspots_web.connectedness import actions
from brightspots_web.directory import queries as directory
from brightspots_web.shared import jobs
from brightspots_web.shared.models import Job

if TYPE_CHECKING:
    from brightspots_web.connectedness.analysis import Nation

PART = "connectedness.propose_part"
LARGE = 20_000
"""Open schools above which a proposal is made in parts."""
MOST = 5_000
"""Schools in a part."""
PAUSE = 0.5
"""Seconds between two looks at parts that other workers have in hand."""


def is_large() -> bool:
    """Whether a proposal for all schools is made in parts."""
    return directory.open_schools().count() > LARGE


def propose_in_parts(
    parameters: Mapping[str, Any], progress: jobs.Progress, subjects: Sequence[str] = ()
) -> actions.Result:
    """Queue the parts, help with them, repair the borders between them.

    Raises
    ------
    CannotError
        When a part cannot be made; the message says what to do.
    """
    from brightspots_web.connectedness import analysis  # compiled code that web processes spare

    whole = progress.job
    settings = {
        "settings": dict(parameters["settings"]),
        "seed": parameters["seed"],
        "most": MOST,
        "subjects": list(subjects),
    }
    nation = analysis.nation(**settings)
    try:
        _queue(whole, settings, nation)
        while waiting := _unfinished(whole, nation):
            progress(
                0.75 * (1 - len(waiting) / len(nation.parts)), "forming partnerships part by part"
            )
            free = [part for part in waiting if part.status == Job.Status.QUEUED]
            if free:
                jobs.run(free[0].pk)
            else:
                jobs.recover()
                time.sleep(PAUSE)
    except (jobs.StoppedError, jobs.CannotError):
        for part in _mine(whole, nation).values():
            jobs.stop(part)
        raise
    results = [part.result for part in _mine(whole, nation).values()]
    return analysis.join(nation, results, lambda share, stage: progress(0.75 + 0.2 * share, stage))


@jobs.register(PART)
def propose_part(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Form the partnerships of one part, unless the schools changed since the parts were cut."""
    from brightspots_web.connectedness import analysis  # compiled code that web processes spare

    def tell(share: float, stage: str) -> None:
        if jobs.asked_to_stop(parameters["part_of"]):
            raise jobs.StoppedError
        progress(share, stage)

    tell(0.0, "reading")
    nation = analysis.nation(
        parameters["settings"], parameters["seed"], parameters["most"], parameters["subjects"]
    )
    if nation.input_hash != parameters["input_hash"]:
        raise jobs.CannotError(_("Schools were changed meanwhile. Please propose again."))
    return analysis.solve(nation, parameters["number"], tell)


def _mine(whole: Job, nation: "Nation") -> dict[int, Job]:
    """The last part of each number that was cut from the schools as they are now."""
    parts = jobs.parts_of(whole, PART).filter(parameters__input_hash=nation.input_hash)
    return {part.parameters["number"]: part for part in parts}


def _queue(whole: Job, settings: Mapping[str, Any], nation: "Nation") -> None:
    """Queue the parts that no earlier attempt has done or queued."""
    over = (Job.Status.FAILED, Job.Status.STOPPED)
    known = {number for number, part in _mine(whole, nation).items() if part.status not in over}
    count = len(nation.parts)
    for number in range(count):
        if number not in known:
            jobs.enqueue_part(
                whole,
                PART,
                title=_("Propose partnerships: part {number} of {count}").format(
                    number=number + 1, count=count
                ),
                parameters={**settings, "number": number, "input_hash": nation.input_hash},
            )


def _unfinished(whole: Job, nation: "Nation") -> list[Job]:
    """Parts still to be done, in their order.

    Raises
    ------
    CannotError
        When one failed, with its reason; the others are of no use then.
    StoppedError
        When somebody stopped one.
    """
    parts = _mine(whole, nation)
    for part in parts.values():
        if part.status == Job.Status.FAILED:
            raise jobs.CannotError(part.problem)
        if part.status == Job.Status.STOPPED:
            raise jobs.StoppedError
    return [part for __, part in sorted(parts.items()) if part.status != Job.Status.DONE]
