"""Template helpers: numbers as the reader writes them, cells of tables, links that sort."""

from collections.abc import Iterable, Sequence

from django import template
from django.template.context import RequestContext
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.draw import Estimate, interval_text, number
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table

register = template.Library()


@register.filter
def signed(value: float | None, digits: int = 1) -> str:
    """+3.1, −0.4 (a true minus sign), or "not known"."""
    return number(value, digits, signed=True)


@register.filter
def plain_number(value: float | None, digits: int = 0) -> str:
    return number(value, digits)


@register.filter
def percent(share: float | None, digits: int = 0) -> str:
    """A share from 0 to 1 as a percentage."""
    if share is None:
        return number(None)
    return _("%(share)s%%") % {"share": number(100 * share, digits)}


@register.filter
def interval(estimate: Estimate, digits: int = 1) -> str:
    return interval_text(estimate, digits)


@register.filter
def with_cells(columns: Sequence[Column], row: Sequence[Cell]) -> Iterable[tuple[Column, Cell]]:
    return zip(columns, row, strict=True)


@register.simple_tag
def show_cell(cell: Cell) -> str | SafeString:
    match cell:
        case None:
            return format_html('<span class="soft">{}</span>', _("not known"))
        case Link(label, url) if url:
            return format_html('<a href="{}">{}</a>', url, label)
        case Link(label):
            return label
        case Badge(label, kind):
            return format_html('<span class="badge {}">{}</span>', kind, label)
        case bool():
            return _("yes") if cell else _("no")
        case int():
            return number(cell, 0)
        case float():
            return number(cell, 1)
        case _:
            return cell


@register.simple_tag
def sort_state(table: Table, column: Column) -> SafeString:
    if column.sort and table.sort == column.sort:
        return mark_safe(' aria-sort="ascending"')
    if column.sort and table.sort == f"-{column.sort}":
        return mark_safe(' aria-sort="descending"')
    return mark_safe("")


@register.simple_tag(takes_context=True)
def sort_url(context: RequestContext, table: Table, column: Column) -> str:
    """This page in the order of a column; the second use turns the order round."""
    query = context["request"].GET.copy()
    query["sort"] = f"-{column.sort}" if table.sort == column.sort else column.sort
    query.pop("page", None)
    return f"?{query.urlencode()}"
