"""How far practices spread is reckoned anew when a school took one up; nothing in a request."""

from collections.abc import Mapping
from typing import Any

from brightspots_web.connectedness import practice_lineage_queries as lineage
from brightspots_web.directory import queries as directory
from brightspots_web.shared import jobs


@jobs.register(lineage.SPREAD)
def reckon_spread(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Reproduction numbers over all practices and of each; the result stands with the job."""
    from brightspots_web.connectedness.analysis import spread  # web processes spare the library

    progress(0.1, "Following practices from school to school")
    return spread.figures(
        lineage.adoptions_to_reckon().iterator(chunk_size=2000), directory.today()
    )
