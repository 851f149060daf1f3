"""What a school sees that is asked, and what whoever asks sees of the answers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.paginator import Paginator
from django.utils import formats
from django.utils.translation import gettext as _

from brightspots_web.connectedness import studio_consult_queries as queries
from brightspots_web.connectedness import studio_pages, studio_words
from brightspots_web.connectedness.models import ConsultationReply, Proposal
from brightspots_web.connectedness.pages import Row, kilometres
from brightspots_web.connectedness.studio_consult_actions import seen_mark
from brightspots_web.connectedness.studio_consult_queries import Answer
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import School
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Column, KeyFigure, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links


def consultation(found: Proposal, school: School) -> Row:
    """What is proposed for one school: partners, leader, way; and what it said."""
    members = queries.partners_of(found, school.pk)
    own = next((member for member in members if member.school_id == school.pk), None)
    reply = queries.reply_of(found, school.pk)
    now_about = queries.about_school(found, school.pk)
    asking = queries.is_asking(found.pk)
    return {
        "proposal": found,
        "school": school,
        "asking": asking,
        "until": studio_words.day(found.consult_until) if found.consult_until else "",
        "state_words": _state(found, asking),
        "lead": own.lead_school if own else None,
        "leads": own is not None and own.lead_school_id == school.pk,
        "why_alone": "" if own else queries.why_alone(found, school.pk),
        "facts": _facts(own),
        "table": _partners(members, school),
        "map": _map(members),
        "present": _present(school),
        "reply": reply,
        "reply_words": _said(reply),
        "out_of_date": reply is not None and reply.about != now_about,
        "about": ",".join(now_about),
        "seen": seen_mark(reply),
    }


def _state(found: Proposal, asking: bool) -> str:
    if asking:
        return _("You are asked for your school. Nothing is decided yet.")
    if found.status == Proposal.Status.ADOPTED and found.adopt_on:
        return _("This was adopted and holds from {day} on.").format(
            day=studio_words.day(found.adopt_on)
        )
    if found.status == Proposal.Status.WITHDRAWN:
        return _("This proposal was withdrawn; your partnership stays as it is.")
    return _("The time to answer is over. Nothing is decided yet.")


def _facts(own: Any) -> list[tuple[str, Cell]]:
    if own is None:
        return []
    return [
        (_("Leader's school"), own.lead_school.name),
        (_("Way to the leader's school"), kilometres(own.distance_km)),
    ]


def _partners(members: list[Any], school: School) -> Table:
    rows: list[list[Cell]] = [
        [
            _("{school} (your school)").format(school=member.school.name)
            if member.school_id == school.pk
            else member.school.name,
            member.school.area.name,
            member.school.roll,
            _("would lead")
            if member.school_id == member.lead_school_id
            else kilometres(member.distance_km),
        ]
        for member in members
    ]
    return Table(
        _("Schools that would work together"),
        [
            Column(_("School")),
            Column(_("Area")),
            Column(_("Pupils on roll"), numeric=True),
            Column(_("Way to the leader"), numeric=True),
        ],
        rows,
    )


def _map(members: list[Any]) -> charts.Chart | None:
    points = [
        charts.Point(
            label=member.school.name,
            latitude=member.school.latitude,
            longitude=member.school.longitude,
            group=member.lead_school.name,
            leader=member.school_id == member.lead_school_id,
        )
        for member in members
        if member.school.latitude is not None and member.school.longitude is not None
    ]
    if not points:
        return None
    return charts.school_map(
        key="consultation-map", title=_("Where the schools are"), points=points
    )


def _present(school: School) -> str:
    """With whom the school works today, as a sentence."""
    partnership = directory.partnership_of(school)
    if partnership is None:
        return _("Today your school is in no partnership.")
    return _("Today your school is in “{partnership}”.").format(partnership=partnership.name)


def _said(reply: ConsultationReply | None) -> str:
    if reply is None:
        return ""
    words = (
        _("{who} answered on {day}: your school agrees.")
        if reply.answer == ConsultationReply.Answer.AGREES
        else _("{who} answered on {day}: something speaks against it.")
    )
    return words.format(who=reply.by, day=formats.date_format(reply.at, "DATETIME_FORMAT"))


SHOW: Mapping[str, Callable[[Answer], bool]] = {
    "": lambda row: True,
    "concern": lambda row: row.reply is not None and row.reply.answer == "concern",
    "agrees": lambda row: row.reply is not None and row.reply.answer == "agrees",
    "silent": lambda row: row.reply is None,
    "old": lambda row: row.out_of_date,
}
"""Which answers are shown."""


def tabs(show: str) -> list[tuple[str, str, bool]]:
    """(words, address, whether it is the one shown) of each choice."""
    labels = {
        "": _("all"),
        "concern": _("with a concern"),
        "agrees": _("agree"),
        "silent": _("no answer yet"),
        "old": _("out of date"),
    }
    return [(label, f"?show={key}", key == show) for key, label in labels.items()]


def replies(found: Proposal, show: str, number: str | None) -> Row:
    """The answers of one kind, and how many there are of each."""
    rows = queries.answers(found)
    page = Paginator([row for row in rows if SHOW[show](row)], 50).get_page(number)
    return {
        "page": page,
        "tabs": tabs(show),
        "figures": _figures(queries.tally(rows), len(rows)),
        "table": Table(
            _("What the schools say, by name"),
            [
                Column(_("School")),
                Column(_("Proposed with")),
                Column(_("Answer")),
                Column(_("In their words")),
                Column(_("By whom")),
            ],
            [_reply_row(found, row) for row in page],
            exports=export_links("connectedness:replies_export", found.pk),
            empty=_("No school has answered so."),
        ),
    }


def _figures(counts: queries.Tally, asked: int) -> list[KeyFigure]:
    return [
        KeyFigure(_("Agree"), str(counts.agree), n=asked, n_of=_("schools asked")),
        KeyFigure(_("Have a concern"), str(counts.concern), n=asked, n_of=_("schools asked")),
        KeyFigure(_("Have not answered"), str(counts.silent), n=asked, n_of=_("schools asked")),
        KeyFigure(
            _("Answers out of date"),
            str(counts.out_of_date),
            sentence=_("Their partnership changed after they answered. Ask them again."),
        ),
    ]


def _reply_row(found: Proposal, row: Answer) -> list[Cell]:
    reply = row.reply
    return [
        Link(row.school.name, studio_pages.move_url(found, row.school.code)),
        row.lead or _("nobody"),
        _answer(row),
        reply.reason if reply else "",
        f"{reply.by}, {formats.date_format(reply.at, 'SHORT_DATE_FORMAT')}" if reply else "",
    ]


def _answer(row: Answer) -> Cell:
    if row.reply is None:
        return Badge(_("no answer yet"), "unsure")
    if row.out_of_date:
        words = _("{answer}; the partnership changed since")
        return Badge(words.format(answer=row.reply.get_answer_display()), "unsure")
    return Badge(str(row.reply.get_answer_display()), "plain")


def reply_columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("lead", _("Leader's school")),
        ExportColumn("answer", _("Answer")),
        ExportColumn("out_of_date", _("Changed since")),
        ExportColumn("reason", _("In their words")),
        ExportColumn("by", _("By whom")),
        ExportColumn("at", _("When"), "date"),
    ]


def reply_rows(found: Proposal) -> Iterable[Row]:
    for row in queries.answers(found):
        yield {
            "code": row.school.code,
            "school": row.school.name,
            "lead": row.lead,
            "answer": str(row.reply.get_answer_display()) if row.reply else "",
            "out_of_date": _("yes") if row.out_of_date else "",
            "reason": row.reply.reason if row.reply else "",
            "by": row.reply.by if row.reply else "",
            "at": row.reply.at if row.reply else None,
        }
