"""What people of the sample do once there are schools, figures and partnerships.

Each part has a function `fill(rng, cast)` that goes through the same actions as the pages do, with
invented words that say so. `cast` has the appointments of the sign-in page by role: minister,
analyst, officer, leader, head, teacher.
"""

from __future__ import annotations

import importlib
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brightspots_web.directory.models import Appointment

PARTS = (
    "proposal", "ballot", "living",
    "practice", "support", "contact", "studio",
    "designation", "development", "meeting", "note", "decision",
    "pledge", "ceremony", "review", "visit", "challenge", "voice", "response", "dialogue",
    "choice", "evaluation", "record", "stage", "power", "pulse", "plan",
)  # fmt: skip
"""In this order: later ones build on what earlier ones left."""
HEADS_DOMAIN = "heads.sample.invalid"


def fill(seed: int, cast: Mapping[str, Appointment]) -> None:
    """Fill the sample with what happens in a few months of a school system."""
    appoint_heads()
    for part in PARTS:
        # A generator for each: what one part draws does not change the others.
        rng = random.Random(f"{seed}, {part}")  # noqa: S311 - invented lives, no secrets
        importlib.import_module(f"{__name__}.{part}").fill(rng, cast)


def appoint_heads() -> None:
    """Give every school without a leader or head of its own one who can answer for it."""
    from brightspots_web.directory import actions, queries

    by = actions.command_line_operator()
    headed = queries.schools_with_a_head()
    for school in queries.open_schools().exclude(pk__in=headed).order_by("code"):
        person = actions.register_person(
            f"{school.code}@{HEADS_DOMAIN}".lower(), f"The head of {school.name}"
        )
        actions.appoint(person, "head", by=by, school=school)
