"""What the lists of promises show: the sets one may read, one set, and their files."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from brightspots_web.accountability import pledge_pages as pages
from brightspots_web.accountability import pledge_queries as queries
from brightspots_web.accountability import pledge_words as words
from brightspots_web.accountability.pledge_models import Pledge, PledgeSet
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.exports import Column

Row = dict[str, Any]


def set_rows(acting: Appointment | None, sets: Sequence[PledgeSet]) -> list[Row]:
    """Each set with its promises, and whether it is complete."""
    pledges = queries.pledges_in(acting, sets)
    everything = [each for found in pledges.values() for each in found]
    seen = queries.open_to(acting, [each.other_school_id or 0 for each in everything])
    return [
        {
            "set": each,
            "url": pages.set_url(each),
            "incomplete": words.incomplete(each),
            "pledges": [pledge_row(row, seen) for row in pledges[each.pk]],
        }
        for each in sets
    ]


def pledge_row(pledge: Pledge, seen: set[int]) -> Row:
    sees = pledge.other_school_id is None or pledge.other_school_id in seen
    return {
        "pledge": pledge,
        "url": pages.url(pledge),
        "half": words.half(pledge),
        "text": pledge.promise,
        "target": words.from_to(pledge, sees=sees),
        "badge": words.badge(pledge),
    }


def set_page(acting: Appointment | None, of_set: PledgeSet) -> Row:
    (row,) = set_rows(acting, [of_set])
    for each in row["pledges"]:
        sees = queries.sees_values(acting, each["pledge"])
        each["warnings"] = words.warnings(each["pledge"], sees=sees)
    own = acting is not None and acting.school_id == of_set.school_id and queries.may_write(acting)
    still = of_set.cycle.ends > directory.today()
    halves = {each["pledge"].half for each in row["pledges"]
              if each["pledge"].state != Pledge.State.WITHDRAWN}  # fmt: skip
    return {
        **row,
        "breadcrumb": pages.crumbs(str(of_set)),
        "may_add_own": own and still and Pledge.Half.OWN not in halves,
        "may_add_other": own and still and Pledge.Half.OTHER not in halves,
        "may_add": own and still,
    }


def columns() -> list[Column]:
    return [
        Column("cycle", _("Cycle")),
        Column("school", _("School")),
        Column("partnership", _("Partnership")),
        Column("complete", _("Both halves promised")),
        Column("half", _("For whom")),
        Column("promise", _("Promise")),
        Column("priority", _("Live priority")),
        Column("indicator", _("Measure")),
        Column("baseline", _("Baseline"), "number"),
        Column("low", _("Baseline, likely from"), "number"),
        Column("high", _("Baseline, likely to"), "number"),
        Column("n", _("Baseline, results of pupils"), "integer"),
        Column("on", _("Baseline, published on")),
        Column("target", _("Target"), "number"),
        Column("due", _("By when"), "date"),
        Column("will_do", _("What we will do")),
        Column("needs", _("What help we need")),
        Column("state", _("How it stands")),
    ]


def rows(acting: Appointment | None, sets: Sequence[PledgeSet]) -> Iterator[Row]:
    """A line for each promise; the values of another school only for who may see them."""
    for each in set_rows(acting, sets):
        of_set = each["set"]
        yield from (
            {
                "cycle": of_set.cycle.name,
                "school": of_set.school.name,
                "partnership": of_set.partnership.name,
                "complete": _("no") if each["incomplete"] else _("yes"),
                **line,
            }
            for line in _lines(row["pledge"] for row in each["pledges"])
        )


def _lines(pledges: Iterable[Pledge]) -> Iterator[Row]:
    for each in pledges:
        yield {
            "half": words.half(each),
            "promise": each.promise,
            "priority": each.priority.title,
            "indicator": each.indicator.name,
            "target": each.target,
            "due": each.due,
            "will_do": each.will_do,
            "needs": each.needs,
            "state": str(each.get_state_display()),
            "pledge": each,
        }


def with_values(acting: Appointment | None, lines: Iterable[Row]) -> Iterator[Row]:
    """The lines with the baselines this person may see."""
    found = list(lines)
    seen = queries.open_to(acting, [line["pledge"].other_school_id or 0 for line in found])
    for line in found:
        pledge = line.pop("pledge")
        if pledge.other_school_id is None or pledge.other_school_id in seen:
            base = pledge.baseline
            line |= {"baseline": base.get("value"), **{k: base.get(k) for k in _BASE}}
        yield line


_BASE = ("low", "high", "n", "on")
