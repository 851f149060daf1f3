"""Partnerships of the imported system: what `brightspots partnerships` does without a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brightspots_cli import platform


def propose(settings: Mapping[str, Any], *, seed: int, adopt: bool, home: Path | None) -> None:
    """Propose partnerships of all open schools, by the same job as the web application.

    With a price of moving a school among the settings' weights, close to the present partnerships.
    """
    platform.start(home)
    from brightspots_cli.import_ import run_job
    from brightspots_web.connectedness import actions, queries
    from brightspots_web.directory.actions import command_line_operator

    by = command_line_operator()
    close_to = "present" if "disruption" in settings.get("weights", {}) else ""
    job = actions.ask_for_proposal(settings, by=by, seed=seed, close_to=close_to)
    run_job(job)
    job.refresh_from_db()
    proposal = queries.proposals_visible_to(by).get(pk=job.result["proposal"])
    gap = "unknown" if proposal.gap is None else f"{100 * proposal.gap:.1f} %"
    print(
        f"{proposal.n_partnerships:,} partnerships for"
        f" {proposal.n_schools - proposal.n_isolated:,} of {proposal.n_schools:,} schools,"
        f" {proposal.n_isolated:,} isolated; within {gap} of the lower bound."
    )
    if adopt:
        actions.adopt(proposal, by=by)
        print("Adopted: these are the system's partnerships now.")
