"""What the pages of dialogues and promises show, and what waits for somebody."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import dialogue_queries as queries
from brightspots_web.accountability import dialogue_words as words
from brightspots_web.accountability import voice_queries
from brightspots_web.accountability.dialogue_forms import (
    DrawForm,
    EndForm,
    OwnerForm,
    PointForm,
    ReportForm,
    WhyForm,
)
from brightspots_web.accountability.models import Commitment, Consultation, Dialogue
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = Dialogue.State
SOON = timedelta(days=14)


def url(dialogue: Dialogue) -> str:
    return reverse("accountability:dialogue", args=[dialogue.pk])


def commitment_url(commitment: Commitment) -> str:
    return reverse("accountability:commitment", args=[commitment.pk])


def crumbs(*further: Link | str) -> list[Link]:
    found = [Link(_("Dialogues"), reverse("accountability:dialogues"))]
    return [*found, *(each if isinstance(each, Link) else Link(each) for each in further)]


def crumbs_of(dialogue: Dialogue, step: str = "") -> list[Link]:
    if not step:
        return crumbs(dialogue.title)
    return crumbs(Link(dialogue.title, url(dialogue)), step)


def table(dialogues: Iterable[Dialogue]) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(each.title, url(each)), day(each.on), each.area.name, each.stakeholder_name,
            words.badge(each),
        ]
        for each in dialogues
    ]  # fmt: skip
    return Table(
        _("Dialogues"),
        [
            Column(_("About")), Column(_("Day")), Column(_("Area")), Column(_("Who answers")),
            Column(_("How it stands")),
        ],
        rows,
        exports=export_links("accountability:dialogues_export"),
        empty=_("None has been called in your area yet."),
    )  # fmt: skip


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("title", _("About")),
        ExportColumn("on", _("Day"), "date"),
        ExportColumn("place", _("Place")),
        ExportColumn("area", _("Area")),
        ExportColumn("who", _("Who answers")),
        ExportColumn("state", _("How it stands")),
        ExportColumn("why", _("Why")),
        ExportColumn("minutes", _("Minutes")),
    ]


def rows_of(dialogues: Iterable[Dialogue]) -> Iterator[Row]:
    """What everybody who opens them reads; who is asked and who comes stays on the page."""
    for each in dialogues:
        yield {
            "title": each.title,
            "on": each.on,
            "place": each.place,
            "area": each.area.name,
            "who": each.stakeholder_name,
            "state": words.badge(each).label,
            "why": each.called_off_why,
            "minutes": each.minutes,
        }


def page(dialogue: Dialogue, acting: Appointment | None, **sent: Any) -> Row:
    """Everything the page of a dialogue needs; `sent` are forms to be shown again."""
    runs = queries.runs(acting, dialogue)
    guests = queries.guests_of(dialogue)
    seat = next((each for each in guests if acting and each.person_id == acting.person_id), None)
    called = dialogue.state == State.CALLED
    ahead = called and dialogue.on >= directory.today()
    arrived = dialogue.on <= directory.today()
    consultation = dialogue.consultation
    if consultation and not voice_queries.consultation_with(acting, consultation.pk):
        consultation = None
    promises = list(queries.commitments_visible_to(acting).filter(dialogue=dialogue))
    seen = {"seen": dialogue.version}
    forms: Row = {}
    if runs and called:
        forms = {
            "point_form": point_form(dialogue, acting),
            "draw_form": DrawForm(auto_id="draw_%s"),
            "off_form": WhyForm(initial=seen, auto_id="off_%s"),
        }
    return {
        "dialogue": dialogue,
        "badge": words.badge(dialogue),
        "standing": words.standing(dialogue),
        "facts": _facts(dialogue),
        "consultation": consultation,
        "points": list(dialogue.items.select_related("consultation", "suggestion")),
        "guests": guests if runs or seat else [],
        "guests_said": words.guests(guests),
        "were_there": words.were_there(guests) if dialogue.state == State.HELD else "",
        "seat": seat if ahead and may(acting, Capability.SPEAK_UP) else None,
        "runs": runs,
        "may_change": runs and called,
        "may_write": runs and arrived and dialogue.state != State.CALLED_OFF,
        "may_commit": arrived
        and dialogue.state != State.CALLED_OFF
        and queries.may_commit(acting, dialogue),
        "promises": [promise_row(each) for each in promises],
        "breadcrumb": crumbs_of(dialogue),
        "open_forms": sorted(sent),
        **forms,
        **sent,
    }


def point_form(dialogue: Dialogue, acting: Appointment | None, *given: Any) -> PointForm:
    return PointForm(
        *given,
        consultations=queries.voices_for(acting, dialogue.area),
        suggestions=queries.suggestions_for(dialogue.area),
        auto_id="point_%s",
    )


def _facts(dialogue: Dialogue) -> list[tuple[str, Cell]]:
    begins = dialogue.begins.strftime("%H:%M")
    return [
        (_("Day"), day(dialogue.on)),
        (_("Begins at"), begins),
        (_("Place"), dialogue.place),
        (_("Area"), dialogue.area.name),
        (_("Who answers"), dialogue.stakeholder_name),
        (_("Called by"), dialogue.by),
    ]


# Promises


def promise_row(commitment: Commitment) -> Row:
    return {
        "commitment": commitment,
        "url": commitment_url(commitment),
        "badge": words.commitment_badge(commitment),
        "due": words.due(commitment),
        "owner": commitment.owner_name,
        "left": commitment.state == Commitment.State.OPEN and commitment.owner_id is None,
    }


def commitment_page(commitment: Commitment, acting: Appointment | None, **sent: Any) -> Row:
    """Everything the page of a promise needs; `sent` are forms to be shown again."""
    forms: Row = {}
    if commitment.state == Commitment.State.OPEN and queries.answers_for(acting, commitment):
        seen = {"seen": commitment.version}
        forms = {
            "report_form": ReportForm(initial=seen, auto_id="report_%s"),
            "end_form": EndForm(initial=seen, auto_id="end_%s"),
            "owner_form": OwnerForm(
                initial=seen,
                seniors=queries.owners(queries.area_of(commitment)),
                auto_id="owner_%s",
            ),
        }
    return {
        **promise_row(commitment),
        "told": list(commitment.told.all()),
        "given_in": given_in(commitment, acting),
        "breadcrumb": [
            Link(_("What was promised"), reverse("accountability:commitments")),
            Link(commitment.what),
        ],
        "open_forms": sorted(sent),
        "refused": [form for name, form in sent.items() if name not in forms],
        **forms,
        **{name: form for name, form in sent.items() if name in forms},
    }


def given_in(commitment: Commitment, acting: Appointment | None) -> Link | None:
    """Where it was promised, as far as the person may read it."""
    if commitment.dialogue is not None:
        found = queries.visible_to(acting).filter(pk=commitment.dialogue.pk).exists()
        title = commitment.dialogue.title
        return Link(title, url(commitment.dialogue) if found else "")
    given: Consultation | None = commitment.consultation
    return Link(given.title, consultation_url(given)) if given else None


def consultation_url(consultation: Consultation) -> str:
    return reverse("accountability:consultation", args=[consultation.pk])


def promises_table(commitments: Iterable[Commitment], query: str, *, filtered: bool) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(each.what, commitment_url(each)),
            each.owner_name
            if each.owner_id or each.state != Commitment.State.OPEN
            else Badge(_("a new owner is asked for"), "unsure"),
            words.due(each),
            words.commitment_badge(each),
            each.outcome,
        ]
        for each in commitments
    ]
    return Table(
        _("What was promised"),
        [
            Column(_("Promise")), Column(_("Who sees to it")), Column(_("By when")),
            Column(_("How it stands")), Column(_("What came of it")),
        ],
        rows,
        exports=export_links("accountability:commitments_export", query=query),
        empty=_("None fits. Clear the search to see all.")
        if filtered
        else _("Nothing has been promised in your area yet."),
    )  # fmt: skip


def promises_columns() -> list[ExportColumn]:
    return [
        ExportColumn("what", _("Promise")),
        ExportColumn("owner", _("Who sees to it")),
        ExportColumn("first_due", _("First promised for"), "date"),
        ExportColumn("due", _("By when"), "date"),
        ExportColumn("state", _("How it stands")),
        ExportColumn("ended", _("Ended on"), "date"),
        ExportColumn("outcome", _("What came of it")),
        ExportColumn("given", _("Promised in")),
    ]


def promises_rows(commitments: Iterable[Commitment]) -> Iterator[Row]:
    for each in commitments:
        given = each.dialogue or each.consultation
        yield {
            "what": each.what,
            "owner": each.owner_name,
            "first_due": each.first_due,
            "due": each.due,
            "state": words.commitment_badge(each).label,
            "ended": each.ended_on,
            "outcome": each.outcome,
            "given": given.title if given else "",
        }


# What waits for somebody


def front_items(acting: Appointment | None) -> list[Row]:
    """What waits for this person now: dialogues to answer or write up, promises that are due."""
    if acting is None:
        return []
    found: list[Row] = []
    speaks, answers = may(acting, Capability.SPEAK_UP), may(acting, Capability.CONSULT)
    if speaks or answers:
        for each in queries.waiting_for(acting):
            mine = each.stakeholder_id == acting.person_id
            text = (
                _("Write down what was said in “{title}”") if mine
                else _("You are drawn by lot for “{title}”. Can you come?")
            )  # fmt: skip
            link = _("Write it down") if mine else _("Say whether you come")
            found.append({"text": text.format(title=each.title), "url": url(each), "link": link})
    if answers:
        found += [
            {
                "text": _("You promised: “{what}”, {due}").format(
                    what=owed.what, due=words.due(owed)
                ),
                "url": commitment_url(owed),
                "link": _("Say how it stands"),
            }
            for owed in queries.owed_by(acting, directory.today() + SOON)
        ]
    return found


def home_card(acting: Appointment | None) -> Row | None:
    """The card of dialogues; None for somebody without an appointment."""
    if acting is None:
        return None
    found = queries.commitments_visible_to(acting).filter(state=Commitment.State.OPEN)
    n = found.count()
    text = _("Teachers and heads sit down with those who can decide.")
    if n:
        text = ngettext("{n} promise is open.", "{n} promises are open.", n).format(n=number(n, 0))
    return {
        "heading": _("From below: dialogues"),
        "text": text,
        "url": reverse("accountability:dialogues"),
        "link": _("Dialogues, and what was promised there"),
    }


def overdue_card(acting: Appointment | None) -> Row | None:
    """Promises whose day has passed, for the ministry's own front page; None where there is none.

    Heading, text, url and link, and the first three as `items`. Two statements.
    """
    if acting is None or acting.role != "minister":
        return None
    n = queries.overdue().count()
    if not n:
        return None
    return {
        "heading": _("Promised, and the day has passed"),
        "text": ngettext(
            "{n} promise to teachers and heads is waiting for a word: done, or needs longer?",
            "{n} promises to teachers and heads are waiting for a word: done, or need longer?",
            n,
        ).format(n=number(n, 0)),
        "url": f"{reverse('accountability:commitments')}?state=overdue",
        "link": _("See what was promised"),
        "items": [
            Link(f"{each.what}: {words.due(each)}", commitment_url(each))
            for each in queries.overdue()[:3]
        ],
    }
