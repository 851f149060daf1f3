"""What the lists of decisions show: a partnership's, and what a person owns."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.paginator import Page
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from brightspots_web.devolution import decision_pages as pages
from brightspots_web.devolution import decision_queries as queries
from brightspots_web.devolution import decision_words as words
from brightspots_web.devolution import pdsa_pages, pdsa_queries
from brightspots_web.devolution.models import Decision
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.shared.components import Cell, Column, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

Row = dict[str, Any]
SHOWN = 5
"""So many decisions and cycles in a section of another page."""


def table(
    page: Iterable[Decision],
    partnership: Partnership,
    query: str,
    present: Iterable[int] | None,
    *,
    filtered: bool = False,
    exports: bool = True,
) -> Table:
    """The decisions of a partnership; `present` are the keys of its people today.

    None for a reader who has left: who owns what today is not said.
    """
    people = None if present is None else set(present)
    rows: list[list[Cell]] = [
        [
            _question(each, needs_owner=people is not None and queries.needs_owner(each, people)),
            each.priority.title if each.priority else _("none of them"),
            words.badge(each),
            words.in_list(each) if each.state == Decision.State.PROPOSED else "",
            each.owner_name,
            day(each.by_when),
            _open(each),
        ]
        for each in page
    ]
    links = (
        export_links("devolution:partnership_decisions_export", partnership.code, query=query)
        if exports
        else []
    )
    return Table(
        _("Decisions"),
        [
            Column(_("Question")),
            Column(_("Priority")),
            Column(_("How it stands")),
            Column(_("Words")),
            Column(_("Owner")),
            Column(_("By when")),
            Column(_("Still to be done"), numeric=True),
        ],
        rows,
        exports=links,
        empty=_("No decision fits. Clear the filter to see all of them.")
        if filtered
        else _(
            "Nothing is decided yet. A decision is written down in a data conversation, or here, "
            "and made when every school carries it."
        ),
    )


def _question(decision: Decision, *, needs_owner: bool) -> SafeString:
    return format_html(
        '<a href="{}">{}</a>{}',
        pages.url(decision),
        decision.question,
        format_html(' <span class="badge unsure">{}</span>', _("needs a new owner"))
        if needs_owner
        else "",
    )


def _open(decision: Any) -> str:
    if not decision.n_actions:
        return ""
    return _("{open} of {all}").format(open=decision.n_open, all=decision.n_actions)


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("question", _("Question")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("state", _("How it stands")),
        ExportColumn("decision", _("What is decided")),
        ExportColumn("options", _("What was considered")),
        ExportColumn("would_change", _("What would make us change our mind")),
        ExportColumn("owner", _("Owner")),
        ExportColumn("by_when", _("By when"), "date"),
        ExportColumn("written", _("Written down"), "date"),
        ExportColumn("made", _("Made"), "date"),
        ExportColumn("carry", _("Schools that carry it"), "integer"),
        ExportColumn("object", _("Schools that do not"), "integer"),
        ExportColumn("actions", _("Things to do"), "integer"),
        ExportColumn("open", _("Still to be done"), "integer"),
    ]


def rows(found: Iterable[Any]) -> Iterator[Row]:
    for each in found:
        yield {
            "question": each.question,
            "priority": each.priority.title if each.priority else "",
            "state": str(each.get_state_display()),
            "decision": each.decision,
            "options": "\n".join(each.options),
            "would_change": each.would_change,
            "owner": each.owner_name,
            "by_when": each.by_when,
            "written": each.at,
            "made": each.made_at,
            "carry": each.n_carry,
            "object": each.n_object,
            "actions": each.n_actions,
            "open": each.n_open,
        }


def mine(acting: Appointment | None, page: Page[Any]) -> Row:
    """What a person owns: decisions, things to do, cycles, and what waits for a word."""
    partnership = queries.own_partnership(acting)
    return {
        "waiting": queries.waiting_for(acting),
        "actions": [pages.action_row(each, acting) for each in page],
        "page": page,
        "decisions": [
            {"decision": each, "url": pages.url(each), "badge": words.badge(each)}
            for each in queries.owned_by(acting)
        ],
        "cycles": [
            {"cycle": each, "url": pdsa_pages.url(each), "badge": pdsa_pages.badge(each)}
            for each in pdsa_queries.run_by(acting)
        ],
        "partnership": partnership,
    }


def section_of(partnership: Partnership, acting: Appointment | None) -> Row | None:
    """The newest decisions and cycles of a partnership, for its own people; else None."""
    if not any(each.pk == partnership.pk for each in queries.partnerships_read_by(acting)):
        return None
    decisions = queries.search(acting, partnership, queries.Search())
    cycles = pdsa_queries.search(acting, partnership, pdsa_queries.Search())
    return {
        "decisions": [
            {"decision": each, "url": pages.url(each), "badge": words.badge(each)}
            for each in decisions[:SHOWN]
        ],
        "cycles": [
            {"cycle": each, "url": pdsa_pages.url(each), "badge": pdsa_pages.badge(each)}
            for each in cycles[:SHOWN]
        ],
        "url": pages.list_url(partnership),
    }
