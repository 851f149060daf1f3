"""What people of the sample do: ceremony."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from brightspots_web.directory.models import Appointment


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Nothing yet."""
