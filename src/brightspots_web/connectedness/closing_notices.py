"""The words of notices about schools that close."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from brightspots_web.connectedness import closing_actions, closing_pages
from brightspots_web.directory import queries as directory
from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link


@kinds.register_many(closing_actions.SCHOOL_CLOSES)
def schools_close(given: Sequence[Mapping[str, Any]]) -> list[Link | None]:
    """Schools that close or have closed; nothing where that was taken back."""
    codes = [data["school"] for data in given]
    schools = {each.code: each for each in directory.all_schools().filter(code__in=codes)}
    return [
        Link(closing_pages.sentence(school), reverse("home:school", args=[school.code]))
        if (school := schools.get(code)) is not None and school.closed is not None
        else None
        for code in codes
    ]
