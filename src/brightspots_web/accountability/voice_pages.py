"""What the pages of consultations show."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import voice_drawing as drawings
from brightspots_web.accountability import voice_queries as queries
from brightspots_web.accountability import voice_words as words
from brightspots_web.accountability.models import Consultation, VoiceQuestion
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.charts import Chart
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = Consultation.State
Kind = VoiceQuestion.Kind


def url(consultation: Consultation) -> str:
    return reverse("accountability:consultation", args=[consultation.pk])


def crumbs(*more: Link) -> list[Link]:
    return [Link(_("Voice"), reverse("accountability:voice")), *more]


def crumbs_of(consultation: Consultation, last: str = "") -> list[Link]:
    if not last:
        return crumbs(Link(consultation.title))
    return crumbs(Link(consultation.title, url(consultation)), Link(last))


# The list


def table(found: Iterable[Consultation], query: str, *, filtered: bool) -> Table:
    today = directory.today()
    rows: list[list[Cell]] = [
        [
            Link(each.title, url(each)),
            each.area.name,
            words.badge(each),
            words.in_list(each),
            _answer_cell(each, overdue=is_overdue(each, today)),
        ]
        for each in found
    ]
    return Table(
        _("Consultations"),
        [
            Column(_("What is asked about")),
            Column(_("Who is asked")),
            Column(_("How it stands")),
            Column(_("Answers")),
            Column(_("Who owes the answer")),
        ],
        rows,
        exports=export_links("accountability:voice_export", query=query),
        empty=_("None fits. Clear the filter to see all of them.")
        if filtered
        else _("Nobody has been asked yet."),
    )


def list_columns() -> list[ExportColumn]:
    return [
        ExportColumn("title", _("What is asked about")),
        ExportColumn("about", _("About")),
        ExportColumn("area", _("Area")),
        ExportColumn("audience", _("Who is asked")),
        ExportColumn("closes", _("Last day"), "date"),
        ExportColumn("state", _("How it stands")),
        ExportColumn("answers", _("Answers")),
        ExportColumn("who", _("Who owes the answer")),
        ExportColumn("due", _("By when"), "date"),
        ExportColumn("answered", _("Answered"), "date"),
        ExportColumn("said", _("You said")),
        ExportColumn("did", _("What was done")),
        ExportColumn("could_not", _("Why it could not be done")),
    ]


def list_rows(found: Iterable[Consultation]) -> Iterator[Row]:
    """A line for each; where it is answered, one for each point of its answer."""
    for each in found:
        base = {
            "title": each.title,
            "about": str(each.get_about_display()),
            "area": each.area.name,
            "audience": str(each.get_audience_display()),
            "closes": each.closes,
            "state": str(each.get_state_display()),
            "answers": words.in_list(each),
            "who": each.stakeholder_name,
            "due": each.answer_due,
            "answered": timezone.localdate(each.answered_at) if each.answered_at else None,
        }
        points = list(each.points.all()) if each.state == State.ANSWERED else []
        for point in points:
            yield base | {"said": point.said, "did": point.did, "could_not": point.could_not}
        if not points:
            yield base


def is_overdue(consultation: Consultation, today: Any) -> bool:
    return bool(consultation.state == State.CLOSED and today > consultation.answer_due)


def _answer_cell(consultation: Consultation, *, overdue: bool) -> str:
    who = consultation.stakeholder_name
    if consultation.state in {State.DRAFT, State.WITHDRAWN}:
        return who
    if consultation.state == State.ANSWERED:
        return _("{who} has answered").format(who=who)
    said = _("{who}, overdue since {day}") if overdue else _("{who}, by {day}")
    return said.format(who=who, day=day(consultation.answer_due))


# One of them


def page(consultation: Consultation, acting: Appointment | None) -> Row:
    """Everything on the page of a consultation."""
    today = directory.today()
    mine = queries.eligible_row(acting, consultation)
    runs = queries.is_open(consultation)
    manages = queries.manages(acting, consultation)
    counted = consultation.closed_at is not None
    return {
        "consultation": consultation,
        "badge": words.badge(consultation),
        "standing": words.standing(consultation, today),
        "overdue": is_overdue(consultation, today),
        "turnout": words.turnout(consultation) if consultation.opened_at else "",
        "may_answer": runs and mine is not None and not mine.answered and _speaks(acting),
        "has_answered": runs and mine is not None and mine.answered,
        "not_asked": runs and mine is None and _speaks(acting),
        "manages": manages,
        "is_draft": consultation.state == State.DRAFT,
        "may_count": manages and queries.is_over(consultation),
        "may_withdraw": manages and consultation.state == State.OPEN,
        "may_follow": manages and counted and _next_round(consultation) is None,
        "facts": facts(consultation),
        "promise": words.promise(consultation),
        "limit": words.limit(),
        "few": queries.too_few(consultation),
        "questions": [] if counted else questions(consultation),
        "results": result_parts(consultation) if counted else [],
        "hidden": words.hidden() if consultation.slices else "",
        "not_a_sample": words.not_a_sample(),
        "exports": export_links("accountability:consultation_results_export", consultation.pk)
        if counted and consultation.answers is not None
        else [],
        "parts": parts(acting, consultation),
        "breadcrumb": crumbs_of(consultation),
    }


def parts(acting: Appointment | None, consultation: Consultation) -> list[Row]:
    """What the answer to a consultation adds to its page: template and context of each."""
    from brightspots_web.accountability import response_pages

    return list(response_pages.parts(acting, consultation))


def _speaks(acting: Appointment | None) -> bool:
    return may(acting, Capability.SPEAK_UP)


def _next_round(consultation: Consultation) -> Consultation | None:
    later: Consultation | None = getattr(consultation, "followed_by", None)
    return later if later is not None and later.state != State.DRAFT else None


def facts(consultation: Consultation) -> list[tuple[str, Cell]]:
    found: list[tuple[str, Cell]] = [
        (_("It is about"), str(consultation.get_about_display())),
        (
            _("Asked are"),
            _("{who}, {area}").format(
                who=consultation.get_audience_display(), area=consultation.area.name
            ),
        ),
        (_("How safe"), words.mode(consultation)),
        (_("Shown apart"), words.slices(consultation)),
        (_("Closes on"), day(consultation.closes)),
        (
            _("Owes the answer"),
            _("{who}, by {day}").format(
                who=consultation.stakeholder_name, day=day(consultation.answer_due)
            ),
        ),
        (_("Moderates"), consultation.moderator_name),
    ]
    if consultation.follows is not None:
        before = consultation.follows
        found.append((_("The round before"), Link(before.title, url(before))))
    later = _next_round(consultation)
    if later is not None:
        found.append((_("The next round"), Link(later.title, url(later))))
    return found


def questions(consultation: Consultation) -> list[Row]:
    """The questions as they are read before there is a result."""
    return [
        {
            "words": each.words,
            "kind": str(each.get_kind_display()),
            "options": list(each.options) if each.kind == Kind.CHOICE else [],
        }
        for each in consultation.questions.all()
    ]


def result_parts(consultation: Consultation) -> list[Row]:
    """Question by question: a drawing with its sentence, or how many wrote own words."""
    return [_result(each) for each in queries.results(consultation)]


def _result(result: queries.QuestionResult) -> Row:
    question = result.question
    found: Row = {"words": question.words, "chart": None, "caption": "", "note": ""}
    whole = result.whole
    if whole is not None:
        chart: Chart
        if question.kind == Kind.SCALE:
            chart = drawings.of_scale(result, f"q{question.pk}")
            found["caption"] = drawings.scale_sentence(whole)
        else:
            chart = drawings.of_choice(result, f"q{question.pk}")
        found["chart"] = chart
    elif question.kind == Kind.TEXT:
        found["note"] = written(result.written)
    return found


def written(n: int) -> str:
    if not n:
        return _("Fewer than five wrote own words to this: they were not kept.")
    return ngettext(
        "{n} person wrote own words to this.", "{n} people wrote own words to this.", n
    ).format(n=n)


def export_columns() -> list[ExportColumn]:
    return [
        ExportColumn("question", _("Question")),
        ExportColumn("slice", _("Who")),
        ExportColumn("option", _("Answer")),
        ExportColumn("n", _("Answers"), "integer"),
        ExportColumn("of", _("Of"), "integer"),
    ]


def export_rows(consultation: Consultation) -> Iterator[Row]:
    """The same numbers as on the page."""
    for result in queries.results(consultation):
        labels = words.scale() if result.question.kind == Kind.SCALE else result.options
        for each in result.slices:
            shown = [*zip(labels, each.counts, strict=True), (_("no answer"), each.no_answer)]
            for option, n in shown:
                yield {
                    "question": result.question.words,
                    "slice": each.label,
                    "option": option,
                    "n": n,
                    "of": each.n,
                }


# What others show of it


def front_items(acting: Appointment | None) -> list[Row]:
    """The consultations that ask for somebody's answer now, the first to close first."""
    if not _speaks(acting):
        return []
    return [
        {
            "text": _("You are asked until the end of {day}: “{title}”").format(
                day=words.last_day(each), title=each.title
            ),
            "url": reverse("accountability:consultation_answer", args=[each.pk]),
            "link": _("Answer"),
        }
        for each in queries.waiting_for(acting)[:3]
    ]


def home_card(acting: Appointment | None) -> Row | None:
    """The card of voice among the directions of accountability."""
    if acting is None:
        return None
    waiting = len(front_items(acting))
    newest = queries.visible_to(acting).exclude(state=State.DRAFT).first()
    if waiting:
        text = ngettext(
            "{n} consultation asks for your answer.",
            "{n} consultations ask for your answer.",
            waiting,
        ).format(n=waiting)
    elif newest is not None:
        text = _("The latest: “{title}”. {standing}").format(
            title=newest.title, standing=words.standing(newest, directory.today())
        )
    else:
        text = _("Nobody has been asked yet.")
    return {
        "heading": _("Voice from below"),
        "text": text,
        "url": reverse("accountability:voice"),
        "link": _("Consultations"),
    }
