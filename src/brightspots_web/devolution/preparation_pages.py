"""What people see before a meeting: what to look at, what to ask, and how the schools prepare."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.devolution import conversation_queries as conversation
from brightspots_web.devolution import conversation_words, note_pages
from brightspots_web.devolution import meeting_queries as meetings
from brightspots_web.devolution import note_words as words
from brightspots_web.devolution import preparation_queries as queries
from brightspots_web.devolution.models import Meeting
from brightspots_web.devolution.preparation_actions import LONGEST_QUESTION
from brightspots_web.devolution.preparation_queries import SchoolPrepared
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import charts
from brightspots_web.shared.components import Cell, Column, Table
from brightspots_web.shared.words import day

Row = dict[str, Any]


class PreparationForm(forms.Form):
    """I have looked; and, if there is one, a question to bring."""

    question = forms.CharField(
        label=lazy("A question I would like to ask the others"),
        max_length=LONGEST_QUESTION,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("It is shown with your school, not with your name. You may leave it empty."),
    )
    names_nobody = forms.BooleanField(
        label=lazy("I looked again: no pupil can be known by it"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["names_nobody"].widget = forms.HiddenInput()

    def warn(self) -> None:
        self.fields["names_nobody"].widget = forms.CheckboxInput()


def url(meeting: Meeting) -> str:
    return reverse("devolution:preparation", args=[meeting.pk])


def on_conversation_page(
    meeting: Meeting | None, acting: Appointment | None, form: PreparationForm | None = None
) -> Row | None:
    """The box "I have looked" under a meeting's conversation; None for who cannot prepare.

    Shown by `devolution/_preparation.html` under the name `preparation`.
    """
    if meeting is None or acting is None or not queries.may_prepare(acting, meeting):
        return None
    own = queries.own(meeting, acting.person)
    return {
        "meeting": meeting,
        "form": form or PreparationForm(initial={"question": own.question if own else ""}),
        "url": url(meeting),
        "looked": day(own.looked_at) if own and own.looked_at else "",
        "submit": _("Keep my question") if own else _("I have looked"),
    }


def page(meeting: Meeting, acting: Appointment, form: PreparationForm | None = None) -> Row:
    """Everything the page of preparing needs; the caller has found that it may be opened."""
    leads = queries.leads(acting, meeting)
    prepared = queries.who_prepared(meeting) if leads else []
    return {
        "meeting": meeting,
        "coming": queries.is_coming(meeting),
        "breadcrumb": note_pages.crumbs(_("Prepare for the meeting")),
        "preparation": on_conversation_page(meeting, acting, form),
        "looks": [_look(each, meeting, acting) for each in agenda(meeting)],
        "conversation_url": reverse("devolution:meeting_conversation", args=[meeting.pk]),
        "questions": queries.questions_of(meeting),
        "leads": leads,
        "table": _table(prepared) if leads else None,
        "sentence": _sentence(prepared) if leads else "",
        "may_remind": leads and queries.is_coming(meeting) and not queries.reminded_today(meeting),
    }


def agenda(meeting: Meeting) -> list[Priority]:
    """What the meeting is about: its priorities, or all that are live."""
    return list(meeting.priorities.all()) or alignment.live_priorities()


def _look(priority: Priority, meeting: Meeting, acting: Appointment) -> Row:
    """One priority: where to look, what is shared already, and a question to begin with."""
    small = note_pages.small_data_of(meeting.partnership, priority, acting)
    said = conversation.said_of(meeting.partnership, [priority])[0]
    asked = conversation_words.questions(said, notes=small.n_notes if small else 0)
    look = reverse("devolution:meeting_conversation", args=[meeting.pk])
    return {
        "priority": priority,
        "question": asked[0],
        "sentence": small.sentence if small else "",
        "write_url": small.write_url if small else "",
        "url": f"{look}?priority={priority.code}",
    }


def _table(prepared: list[SchoolPrepared]) -> Table:
    rows: list[list[Cell]] = [
        [each.school.name, looked(each.looked), shared(each.shared)] for each in prepared
    ]
    return Table(
        _("How the schools prepare"),
        [Column(_("School")), Column(_("Looked")), Column(_("Shared since last time"))],
        rows,
        empty=_("No school is invited."),
    )


def looked(n: int) -> str:
    if not n:
        return _("not yet")
    return ngettext("{n} person has looked", "{n} people have looked", n).format(
        n=charts.number(n, 0)
    )


def shared(n: int) -> str:
    return words.notes(n) if n else _("nothing yet")


def _sentence(prepared: list[SchoolPrepared]) -> str:
    ready = sum(1 for each in prepared if each.looked or each.shared)
    return _("From {ready} of {schools} somebody has looked or shared something.").format(
        ready=charts.number(ready, 0), schools=words.schools(len(prepared))
    )


def when(meeting: Meeting) -> str:
    return day(meetings.day_of(meeting))
