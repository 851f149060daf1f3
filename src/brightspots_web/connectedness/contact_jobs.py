"""Isolated schools are counted anew when partnerships have changed."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from brightspots_web.connectedness import actions, contact_actions
from brightspots_web.shared import jobs

COUNT = "connectedness.count_isolation"


@jobs.register(COUNT, after={actions.MEASURE: gettext_lazy("Count isolated schools")})
def count_isolation(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Take today's counts again: after an adoption, whose measuring this follows."""
    progress(0.1, "Counting")
    return {"isolated": contact_actions.count_isolation()}
