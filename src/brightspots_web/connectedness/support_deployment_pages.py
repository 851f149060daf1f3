"""Support under way, for the two schools and those who look after it; and a leader's days."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness import support_words as words
from brightspots_web.connectedness.models import Deployment, DeploymentLog, DeploymentView
from brightspots_web.connectedness.support_extension_pages import extension_part
from brightspots_web.connectedness.support_ledger_queries import Ledger
from brightspots_web.connectedness.support_pages import days_of
from brightspots_web.connectedness.support_running_queries import ENDS_SOON
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.components import Cell, Column, KeyFigure, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]


def deployment_page(found: Deployment, acting: Appointment | None) -> Row:
    """One deployment, as far as whoever looks may know. Forms are added by the view."""
    side = queries.side_of(found, acting)
    logs = queries.logs_of(found)
    used = sum(float(each.days) for each in logs)
    running = found.state == Deployment.State.RUNNING
    views = queries.views_of(found, acting)
    officer = queries.brokers_for(acting, found.receiving)
    sees_request = queries.requests_visible_to(acting).filter(pk=found.match.request_id).exists()
    return {
        "found": found,
        "side": side,
        "badge": words.deployment_badge(found),
        "facts": _facts(found, used),
        "late": _late(found) if running else "",
        "over": used > float(found.days),
        "logs": _log_table(found, logs, bool(side)),
        "views": [_view(found, each) for each in views] if not running else [],
        "may_log": running and side == DeploymentView.Side.GIVING,
        "may_end": running and (bool(side) or officer),
        "may_view": not running and any(each.side == side and not each.given for each in views),
        **extension_part(found, side),
        "request_url": reverse("connectedness:support_request", args=[found.match.request_id])
        if sees_request
        else "",
    }


def _facts(found: Deployment, used: float) -> list[tuple[str, Cell]]:
    facts: list[tuple[str, Cell]] = [
        (_("Gives"), found.giving.name),
        (_("Receives"), found.receiving.name),
        (_("Priority"), found.priority.title),
        (_("Who comes"), found.giver_name),
        (_("Days"), days_of(used, found)),
        (_("From"), words.day(found.starts)),
        (_("Ends on"), words.day(found.exit_on)),
    ]
    if found.ended_on is not None:
        facts.append((_("Ended on"), words.day(found.ended_on)))
    if found.ended_why:
        facts.append((_("Why it ended early"), found.ended_why))
    return facts


def _late(found: Deployment) -> str:
    left = (found.exit_on - directory.today()).days
    if left < 0:
        return _(
            "The agreed end has passed. Write the report, agree on a later end, or end it here and "
            "say why."
        )
    if left <= ENDS_SOON:
        return _("It ends soon, on {day}. What does the school go on with by itself?").format(
            day=words.day(found.exit_on)
        )
    return ""


def _log_table(found: Deployment, logs: list[DeploymentLog], of_the_pair: bool) -> Table:
    """What was done and when; the notes for the two schools alone."""
    columns = [Column(_("Day")), Column(_("What")), Column(_("Days"), numeric=True)]
    if of_the_pair:
        columns.append(Column(_("Note, for the two schools")))
    rows: list[list[Cell]] = [
        [
            words.day(each.on),
            each.get_kind_display(),
            words.in_days(each.days),
            *([each.note] if of_the_pair else []),
        ]
        for each in logs
    ]
    return Table(
        _("What was done"),
        columns,
        rows,
        exports=export_links("connectedness:support_logs_export", found.pk),
        empty=_("Nothing is written down yet."),
    )


def log_columns(of_the_pair: bool) -> list[ExportColumn]:
    columns = [
        ExportColumn("on", _("Day"), "date"),
        ExportColumn("kind", _("What")),
        ExportColumn("days", _("Days"), "number"),
    ]
    return [*columns, ExportColumn("note", _("Note"))] if of_the_pair else columns


def log_rows(found: Deployment, of_the_pair: bool) -> Iterator[Row]:
    for each in queries.logs_of(found):
        row: Row = {"on": each.on, "kind": each.get_kind_display(), "days": float(each.days)}
        yield row | ({"note": each.note} if of_the_pair else {})


def _view(found: Deployment, shown: queries.Shown) -> Row:
    """One side's view, or why it is not open yet."""
    giving = shown.side == DeploymentView.Side.GIVING
    school = found.giving if giving else found.receiving
    if shown.view is not None:
        says = str(shown.view.get_worth_display())
    elif shown.given:
        says = _("Said, and open once both have said it, or after 14 days.")
    else:
        says = _("Not said yet.")
    return {
        "school": school.name,
        "label": _("The school that gave") if giving else _("The school that asked"),
        "says": says,
        "words": shown.words,
    }


def days_page(ledger: Ledger, found: Iterable[Deployment]) -> Row:
    """A leader's own days: agreed, used, left, and the schools they go to."""
    listed = list(found)
    used = queries.days_logged(listed)
    rows: list[list[Cell]] = [
        [
            Link(each.receiving.name, reverse("connectedness:support_deployment", args=[each.pk])),
            each.priority.title,
            words.day(each.starts),
            words.day(each.ended_on or each.exit_on),
            days_of(used.get(each.pk, 0.0), each),
            words.deployment_badge(each),
        ]
        for each in listed
    ]
    year = str(directory.today().year)
    limit = _("of {days} a year").format(days=words.number_of_days(ledger.limit))
    return {
        "figures": [
            KeyFigure(_("Days agreed"), words.in_days(ledger.agreed), as_of=year, sentence=limit),
            KeyFigure(_("Days used"), words.in_days(ledger.used), as_of=year),
            KeyFigure(_("Days left"), words.in_days(ledger.left), as_of=year),
            KeyFigure(
                _("Schools now"),
                words.in_days(ledger.schools),
                sentence=_("{n} at most").format(n=ledger.cap),
            ),
        ],
        "table": Table(
            _("Support I give"),
            [
                Column(_("School")),
                Column(_("Priority")),
                Column(_("From")),
                Column(_("Until")),
                Column(_("Days")),
                Column(_("State")),
            ],
            rows,
            exports=export_links("connectedness:support_days_export"),
            empty=_("None yet."),
        ),
    }


def days_columns() -> list[ExportColumn]:
    return [
        ExportColumn("school", _("School")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("from", _("From"), "date"),
        ExportColumn("until", _("Until"), "date"),
        ExportColumn("days", _("Days agreed"), "number"),
        ExportColumn("used", _("Days used"), "number"),
        ExportColumn("state", _("State")),
    ]


def days_rows(found: Iterable[Deployment]) -> Iterator[Row]:
    listed = list(found)
    used = queries.days_logged(listed)
    for each in listed:
        yield {
            "school": each.receiving.name,
            "priority": each.priority.title,
            "from": each.starts,
            "until": each.ended_on or each.exit_on,
            "days": float(each.days),
            "used": used.get(each.pk, 0.0),
            "state": each.get_state_display(),
        }
