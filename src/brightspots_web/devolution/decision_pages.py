"""What the page of a decision shows: its text, its words, what the data said, what is done."""

from typing import Any, Literal

from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from brightspots_web.devolution import decision_queries as queries
from brightspots_web.devolution import decision_reading_queries as reading
from brightspots_web.devolution import decision_said, pdsa_pages, pdsa_queries
from brightspots_web.devolution import decision_words as words
from brightspots_web.devolution.decision_actions import said
from brightspots_web.devolution.decision_forms import (
    ActionForm,
    CloseForm,
    OwnerForm,
    WhyForm,
    WordForm,
)
from brightspots_web.devolution.decision_queries import Word
from brightspots_web.devolution.models import Decision, DecisionAction
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership, Person
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = Decision.State


def url(decision: Decision) -> str:
    return reverse("devolution:decision", args=[decision.pk])


def list_url(partnership: Partnership) -> str:
    return reverse("devolution:partnership_decisions", args=[partnership.code])


def crumbs(partnership: Partnership, *further: Link | str) -> list[Link]:
    found = [
        Link(partnership.name, reverse("connectedness:partnership", args=[partnership.code]))
        if partnership.closed is None
        else Link(partnership.name, list_url(partnership)),
        Link(_("Decisions"), list_url(partnership)),
    ]
    return [*found, *(each if isinstance(each, Link) else Link(each) for each in further)]


def crumbs_of(decision: Decision, step: str = "") -> list[Link]:
    if not step:
        return crumbs(decision.partnership, decision.question)
    return crumbs(decision.partnership, Link(decision.question, url(decision)), step)


def page(decision: Decision, acting: Appointment | None, **sent: Any) -> Row:
    """Everything the page of a decision needs; `sent` are forms to be shown again."""
    partnership = decision.partnership
    until = reading.we_left_on(acting, partnership.pk)
    decision = reading.as_read(decision, until)
    people = queries.people_of(partnership)
    said_words = reading.words_as_read(decision, until)
    member = queries.belongs(acting, partnership)
    speaks = queries.school_to_speak_for(acting, decision)
    stands = decision.state in queries.STANDS
    shown = {
        **_word_part(decision, acting, speaks, said_words, sent),
        **_offered(decision, acting, people, sent, member=member, stands=stands),
    }
    return {
        "decision": decision,
        "breadcrumb": crumbs_of(decision),
        "badge": words.badge(decision),
        "facts": _facts(decision, people if until is None else None),
        "we_left": day(until),
        "needs_owner": until is None and queries.needs_owner(decision, people),
        "standing": words.standing(decision, said_words),
        "rule": words.rule(),
        "words_table": _words_table(said_words),
        "all_carry": queries.everybody_carries_it(said_words),
        "later": None if until else _later(decision),
        "earlier": reading.as_read(decision.replaces, until) if decision.replaces else None,
        "said": decision_said.shown(decision, acting),
        "history": _history(decision),
        "actions": [action_row(each, acting) for each in reading.actions_as_read(decision, until)],
        "cycles": _cycles(decision, acting),
        "may_try": member and stands,
        "may_change": member and decision.state == State.PROPOSED,
        "may_replace": member and decision.state == State.MADE and not _later(decision),
        "open_forms": sorted(sent),
        "refused": [_refused(form) for name, form in sent.items() if name not in shown],
        **shown,
    }


def _refused(form: forms.Form) -> Row:
    """What was sent too late for its form to stand on the page: why not, and what was typed."""
    problems = [str(each) for errors in form.errors.values() for each in errors]
    typed = [form.data.get(name, "") for name in ("words", "why", "what")]
    return {"problems": problems, "typed": [each for each in typed if each]}


def _offered(
    decision: Decision,
    acting: Appointment | None,
    people: dict[int, Person],
    sent: Row,
    *,
    member: bool,
    stands: bool,
) -> Row:
    """The forms this person may use, with what was typed where one is shown again."""
    seen = {"seen": decision.version}
    leads = queries.leads(acting, decision.partnership)
    found: Row = {}
    if leads and decision.state == State.PROPOSED:
        found["close_form"] = sent.get("close_form") or CloseForm(initial=seen)
    if _may_end(decision, acting, leads=leads) and stands and member:
        found["drop_form"] = sent.get("drop_form") or WhyForm(initial=seen, auto_id="drop_%s")
    if queries.may_hand_over(acting, decision):
        others = {key: each for key, each in people.items() if key != decision.owner_id}
        found["owner_form"] = sent.get("owner_form") or OwnerForm(people=others, auto_id="owner_%s")
    if member and stands:
        found["action_form"] = sent.get("action_form") or ActionForm(
            people=people, schools=queries.asked(decision), auto_id="action_%s"
        )
    return found


def _may_end(decision: Decision, acting: Appointment | None, *, leads: bool) -> bool:
    if acting is None:
        return False
    owns = decision.owner_id == acting.person_id
    return leads or owns or decision.by == acting.label[:300]


def _word_part(
    decision: Decision,
    acting: Appointment | None,
    speaks: Any,
    said_words: list[Word],
    sent: Row,
) -> Row:
    """The form of the school whose word this person gives, and what is new since its last."""
    if speaks is None or decision.state != State.PROPOSED:
        return {"waits": False}
    mine = next((each for each in said_words if each.school.pk == speaks.pk), None)
    consent = mine.consent if mine else None
    earlier = queries.earlier_word(decision, speaks)
    before = queries.text_at(decision, earlier.decision_version) if earlier else None
    initial: Row = {"seen": decision.version}
    if consent is not None:
        initial |= {"agrees": "yes" if consent.agrees else "no", "words": consent.words}
    return {
        "waits": consent is None,
        "our_school": speaks,
        "our_word": words.word(mine) if mine is not None and consent is not None else "",
        "word_form": sent.get("word_form") or WordForm(initial=initial),
        "changed_since": words.side_by_side(before.text, said(decision)) if before else [],
        "said_before": earlier,
    }


def _facts(decision: Decision, people: dict[int, Person] | None) -> list[tuple[str, Cell]]:
    owner: Cell = decision.owner_name
    if people is not None and queries.needs_owner(decision, people):
        owner = format_html(
            '{} <span class="badge unsure">{}</span>', decision.owner_name, _("needs a new owner")
        )
    facts: list[tuple[str, Cell]] = [
        (_("Owner"), owner),
        (_("By when"), day(decision.by_when)),
        (_("Priority"), decision.priority.title if decision.priority else _("none of them")),
        (_("Written down"), _("{day}, by {who}").format(day=day(decision.at), who=decision.by)),
    ]
    if decision.meeting is not None:
        facts.append(
            (
                _("Meeting"),
                Link(
                    str(day(decision.meeting.starts_at)),
                    reverse("devolution:meeting", args=[decision.meeting.pk]),
                ),
            )
        )
    return facts


_SAID: dict[bool | None, Literal["visit", "plain", "unsure"]] = {
    True: "visit",
    False: "plain",
    None: "unsure",
}


def _words_table(said_words: list[Word]) -> Table:
    rows: list[list[Cell]] = [
        [
            each.school.name,
            Badge(words.word(each), _SAID[each.agrees]),
            each.consent.words if each.consent else "",
            _who(each) if each.consent else "",
        ]
        for each in said_words
    ]
    return Table(
        _("School by school"),
        [
            Column(_("School")),
            Column(_("Says")),
            Column(_("In its words")),
            Column(_("Through whom")),
        ],
        rows,
        empty=_("No school is in this partnership any longer. What was said is kept."),
    )


def _who(each: Word) -> str:
    assert each.consent is not None
    return f"{each.consent.by} · {day(each.consent.at)}"


def _later(decision: Decision) -> Decision | None:
    return getattr(decision, "replaced_by", None)


def _history(decision: Decision) -> list[Row]:
    """What was changed while it was proposed, the newest first."""
    kept = [each for each in queries.earlier_texts(decision) if each.version < decision.version]
    texts = [*(each.text for each in kept), said(decision)]
    changes = [
        {
            "by": each.by,
            "at": day(each.at),
            "parts": words.side_by_side(each.text, texts[at + 1]),
        }
        for at, each in enumerate(kept)
    ]
    return changes[::-1]


def action_row(action: DecisionAction, acting: Appointment | None) -> Row:
    mine = acting is not None and acting.person_id == action.owner_id
    return {
        "action": action,
        "due": words.due(action, mine=mine),
        "overdue": action.done_on is None and action.due < directory.today(),
        "mine": mine,
        "may_finish": action.done_on is None and queries.may_finish(acting, action),
    }


def _cycles(decision: Decision, acting: Appointment | None) -> list[Row]:
    return [
        {"cycle": each, "url": pdsa_pages.url(each), "badge": pdsa_pages.badge(each)}
        for each in pdsa_queries.of_decision(acting, decision.pk)
    ]


# What waits for somebody


def front_card(acting: Appointment | None) -> Row | None:
    """What waits for a person: the word of the school, what is due, cycles to study; else None.

    Heading, text, url and link for a notice, and all that waits as `items` (links).
    """
    items = [
        Link(_("Does your school carry it? “{question}”").format(question=each.question), url(each))
        for each in queries.waiting_for(acting)
    ]
    soon = directory.today() + queries.REMIND
    for action in queries.actions_owned_by(acting):
        if action.done_on is None and action.due <= soon:
            items.append(
                Link(
                    _("“{what}”: {due}").format(what=action.what, due=words.due(action, mine=True)),
                    reverse("devolution:action_done", args=[action.pk]),
                )
            )
    items += [
        Link(
            _("Study a cycle: “{title}”").format(title=each.title),
            reverse("devolution:cycle_study", args=[each.pk]),
        )
        for each in pdsa_queries.to_study(acting)
    ]
    if not items:
        return None
    return {
        "heading": _("Waiting for you"),
        "text": items[0].label,
        "url": items[0].url,
        "link": _("Look at it"),
        "items": items,
    }
