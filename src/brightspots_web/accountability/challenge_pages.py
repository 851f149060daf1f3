"""What the page of a challenge visit shows, and what waits for somebody."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import challenge_actions as actions
from brightspots_web.accountability import challenge_brief_queries as briefs
from brightspots_web.accountability import challenge_people_queries as challengers
from brightspots_web.accountability import challenge_queries as queries
from brightspots_web.accountability import challenge_visit_actions as later
from brightspots_web.accountability import challenge_words as words
from brightspots_web.accountability.challenge_forms import (
    AgreeForm,
    AnswerForm,
    ConflictForm,
    FollowUpForm,
    MoveForm,
    StepForm,
    WhyForm,
    WordsForm,
)
from brightspots_web.accountability.models import ChallengeStep, ChallengeVisit, Escalation
from brightspots_web.connectedness import support_queries
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Link
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = ChallengeVisit.State
Side = ChallengeStep.Side


def url(visit: ChallengeVisit) -> str:
    return reverse("accountability:challenge", args=[visit.pk])


def crumbs(*further: Link | str) -> list[Link]:
    found = [Link(_("Challenge visits"), reverse("accountability:challenges"))]
    return [*found, *(each if isinstance(each, Link) else Link(each) for each in further)]


def crumbs_of(visit: ChallengeVisit, step: str = "") -> list[Link]:
    if not step:
        return crumbs(visit.school.name)
    return crumbs(Link(visit.school.name, url(visit)), step)


def page(visit: ChallengeVisit, acting: Appointment | None, **sent: Any) -> Row:
    """Everything the page of a visit needs; `sent` are forms to be shown again."""
    plans = queries.plans(acting, visit.school)
    challenges = queries.challenges(acting, visit)
    hosts = queries.hosts(acting, visit)
    shown = _offered(visit, acting, sent, plans=plans, challenges=challenges, hosts=hosts)
    before = visit.state in queries.BEFORE
    happened = visit.state in queries.HAPPENED
    return {
        "visit": visit,
        "breadcrumb": crumbs_of(visit),
        "badge": words.badge(visit),
        "standing": words.standing(visit),
        "facts": _facts(visit, acting),
        "turn": _turn(visit, plans=plans, challenges=challenges, hosts=hosts),
        "brief": brief_part(visit.brief) if visit.brief_at else None,
        "may_confirm": challenges and before and visit.brief_at is None,
        "may_step_back": challenges and before,
        "may_choose": plans and before,
        "may_write_view": hosts and before,
        "may_record": challenges and _may_record(visit),
        "may_escalate": plans and happened and not _closer(visit),
        "set_aside": visit.state == State.CALLED_OFF and bool(visit.record),
        "steps": _steps(visit, acting),
        "has_steps": happened or bool(queries.steps_of(visit)),
        "escalations": _escalations(visit, sent, plans=plans, hosts=hosts),
        "others": queries.others_of(acting, visit),
        "rule": words.rule(),
        "open_forms": sorted(sent),
        "refused": [_refused(form) for name, form in sent.items() if name not in shown],
        **shown,
    }


def _may_record(visit: ChallengeVisit) -> bool:
    if visit.state == State.HELD:
        return True
    ready = visit.state in queries.BEFORE and visit.brief_at is not None
    return ready and visit.on <= directory.today()


def _closer(visit: ChallengeVisit) -> bool:
    return any(each.state != Escalation.State.ENDED for each in queries.escalations_of(visit))


def _refused(form: forms.Form) -> Row:
    """What was sent too late for its form to stand on the page: why not, and what was typed."""
    problems = [str(each) for errors in form.errors.values() for each in errors]
    typed = [form.data.get(name, "") for name in ("words", "why", "what", "outcome")]
    return {"problems": problems, "typed": [each for each in typed if each]}


def _facts(visit: ChallengeVisit, acting: Appointment | None) -> list[tuple[str, Cell]]:
    sees = directory.schools_visible_to(acting).filter(pk=visit.school_id).exists()
    school: Cell = visit.school.name
    if sees:
        school = Link(visit.school.name, reverse("home:school", args=[visit.school.code]))
    facts: list[tuple[str, Cell]] = [
        (_("School"), school),
        (_("Area"), visit.school.area.name),
        (_("Day of the visit"), day(visit.on)),
        (_("Challenger"), visit.challenger_name or Badge(_("nobody yet"), "unsure")),
        (_("Chosen"), visit.get_why_display()),
        (_("Planned by"), visit.by),
    ]
    if visit.follow_up_on is not None:
        facts.append((_("Looked at again"), day(visit.followed_on or visit.follow_up_on)))
    return facts


def _turn(visit: ChallengeVisit, *, plans: bool, challenges: bool, hosts: bool) -> Row | None:
    """The one thing this person does next, if it is their turn."""
    before = visit.state in queries.BEFORE
    arrived = visit.on <= directory.today()
    if challenges and before and visit.brief_at is None:
        return {"text": _("Say whether you come"), "url": "#come"}
    if hosts and before and visit.self_view_at is None:
        return _to("challenge_self_view", visit, _("Write how your school sees itself"))
    if challenges and before and arrived:
        return _to("challenge_record", visit, _("Write down what you saw"))
    if plans and before and visit.challenger_id is None:
        return _to("challenge_challenger", visit, _("Choose who goes"))
    if visit.state == State.HELD and (hosts or plans):
        has = {each.side for each in queries.steps_of(visit)}
        if plans and Side.SYSTEM not in has:
            return {"text": _("Write down what the system does"), "url": "#steps"}
        if hosts and has >= set(Side.values):
            return {
                "text": _("Agree what both sides do"),
                "url": "#agree",
            }
        if hosts and not visit.school_words:
            return {"text": _("Read the record, and add your own words"), "url": "#record"}
    if visit.state == State.AGREED and (plans or challenges) and _follow_now(visit):
        return {"text": _("Look again at what was agreed"), "url": "#follow"}
    return None


def _to(name: str, visit: ChallengeVisit, text: str) -> Row:
    return {"text": text, "url": reverse(f"accountability:{name}", args=[visit.pk])}


def _follow_now(visit: ChallengeVisit) -> bool:
    return visit.follow_up_on is not None and visit.follow_up_on <= directory.today() + queries.SOON


def _offered(
    visit: ChallengeVisit,
    acting: Appointment | None,
    sent: Row,
    *,
    plans: bool,
    challenges: bool,
    hosts: bool,
) -> Row:
    """The forms this person may use, with what was typed where one is shown again."""
    seen = {"seen": visit.version}
    found: Row = {}

    def offer(name: str, fresh: Any) -> None:
        found[name] = sent.get(name) or fresh()

    if visit.state in queries.BEFORE and (plans or challenges):
        offer("move_form", lambda: MoveForm(initial=seen | _on(visit.on), auto_id="move_%s"))
    if visit.state in queries.OPEN and actions.may_call_off(acting, visit):
        offer("call_off_form", lambda: WhyForm(initial=seen, auto_id="off_%s"))
    if visit.state in (State.HELD, State.AGREED):
        if plans:
            offer("conflict_form", lambda: conflict_form(visit, initial=seen))
        elif challenges:
            offer("conflict_form", lambda: conflict_form(visit, initial=seen, choose=False))
    if hosts and visit.state in (State.HELD, State.AGREED):
        typed = seen | {"words": visit.school_words}
        offer("words_form", lambda: WordsForm(initial=typed, auto_id="words_%s"))
    if visit.state == State.HELD:
        sides = later.sides_of(acting, visit)
        if sides:
            side = Side.SYSTEM if Side.SYSTEM in sides else Side.SCHOOL
            typed = seen | {"side": side}
            offer("step_form", lambda: StepForm(sides=sides, initial=typed, auto_id="step_%s"))
        if hosts and queries.both_sides(visit):
            offer("agree_form", lambda: AgreeForm(initial=seen | suggested_day(visit)))
    if visit.state == State.AGREED and (plans or challenges):
        offer("follow_form", lambda: FollowUpForm(initial=seen, auto_id="follow_%s"))
    return found


def conflict_form(visit: ChallengeVisit, *args: Any, choose: bool = True, **kwargs: Any) -> Any:
    """The planner chooses somebody else at once; a challenger who stands down does not."""
    listed = challengers.candidates(visit.school, visit.on) if choose else []
    others = [each for each in listed if each.person.pk != visit.challenger_id]
    form = ConflictForm(*args, candidates=others, auto_id="conflict_%s", **kwargs)
    if not choose:
        del form.fields["challenger"]
    return form


def _on(on: date) -> Row:
    return {"on": on.isoformat()}


def suggested_day(visit: ChallengeVisit) -> Row:
    days = timedelta(days=queries.settings_now().follow_up_days)
    return {"follow_up_on": (max(visit.on, directory.today()) + days).isoformat()}


def brief_part(brief: Row) -> Row:
    """A brief as it was drawn, and whether its figures still hold."""
    about = brief.get("school", {})
    named = [
        (_("Phase"), about.get("phase")),
        (_("Sector"), about.get("sector")),
        (_("Pupils on roll"), about.get("roll")),
        (_("Partnership"), about.get("partnership") or _("none")),
    ]
    changed = ""
    if briefs.withdrawn_since(brief):
        changed = _(
            "The analysis behind these figures was taken back after the brief was drawn. They are "
            "kept as they were read; do not build on them."
        )
    elif newer := briefs.replaced_since(brief):
        changed = _(
            "A later analysis was published on {day}. These are the figures of the day on which "
            "the brief was drawn."
        ).format(day=newer)
    return {
        "on": day(date.fromisoformat(brief["on"])),
        "as_of": brief.get("as_of", ""),
        "made_url": reverse("insight:run", args=[brief["run"]]) if brief.get("run") else "",
        "facts": [(label, value) for label, value in named if value],
        "outcomes": brief.get("outcomes", []),
        "chart": _chart(brief),
        "changed": changed,
    }


def _chart(brief: Row) -> Any:
    drawn = [each for each in brief.get("outcomes", []) if "value" in each]
    if not drawn:
        return None
    rows = [
        charts.Estimate(each["subject"], each["value"], each["low"], each["high"], each["n"])
        for each in drawn
    ]
    return charts.intervals(
        key="brief",
        title=_("Beyond what is expected of pupils in similar circumstances"),
        rows=rows,
        unit=_("points"),
        digits=max(each["digits"] for each in drawn),
    )


def _steps(visit: ChallengeVisit, acting: Appointment | None) -> list[Row]:
    """Both sides beside each other, each with its steps; who may do what to them."""
    listed, sides = queries.steps_of(visit), later.sides_of(acting, visit)
    held = visit.state == State.HELD
    closed = visit.state in (State.AGREED, State.CLOSED)
    return [
        {
            "heading": _("The school") if side == Side.SCHOOL else _("The system"),
            "rows": [
                {
                    "step": each,
                    "due": words.due(each),
                    "may_drop": held and side in sides,
                    "may_finish": closed and side in sides and each.done_on is None,
                }
                for each in listed
                if each.side == side
            ],
        }
        for side in Side.values
    ]


def _escalations(visit: ChallengeVisit, sent: Row, *, plans: bool, hosts: bool) -> list[Row]:
    found = []
    for each in queries.escalations_of(visit):
        live = each.state != Escalation.State.ENDED
        row: Row = {"escalation": each, "badge": Badge(each.get_state_display(), "plain")}
        if live and hosts:
            takes = {"takes": "no" if each.state == Escalation.State.OTHERWISE else "yes"}
            known = takes | {"words": each.answer} if each.answered_at else {}
            row["answer_form"] = sent.get("answer_form") or AnswerForm(initial=known)
        if live and plans:
            row["end_form"] = sent.get("end_form") or WhyForm(auto_id="end_%s")
        found.append(row)
    return found


def support_links(visit: ChallengeVisit, acting: Appointment | None) -> list[Link]:
    """Requests for support of the school that this person may open."""
    found = support_queries.requests_visible_to(acting).filter(school=visit.school_id)
    return [
        Link(each.priority.title, reverse("connectedness:support_request", args=[each.pk]))
        for each in found.order_by("-asked_at")[:3]
    ]


# What waits for somebody


def _ask(visit: ChallengeVisit, acting: Appointment) -> Row:
    """What is asked of this person about a visit, and where it is done."""
    name, today = visit.school.name, directory.today()
    mine = visit.challenger_id == acting.person_id and may(acting, Capability.CHALLENGE)
    ours = acting.school_id is not None and acting.school_id == visit.school_id
    link = _("Open the visit")
    text = _("A challenge visit waits for you: {school}")
    if ours and getattr(visit, "raised", False):
        text = _("Your school is offered support. Say whether you take it up.")
    elif mine and visit.state == State.PLANNED and visit.brief_at is None:
        text = _("You are asked to visit {school} on {on}. Can you come?")
    elif mine and visit.state in queries.BEFORE:
        text = _("You visited {school}. Write down what you saw.")
    elif ours and visit.state in queries.BEFORE:
        text = _("A challenge visit comes to you on {on}. Write how your school sees itself.")
    elif ours and visit.state == State.HELD:
        text = _("Agree what both sides do after the challenge visit of {on}.")
    elif visit.state in queries.BEFORE:
        text = _("Nobody goes to {school} on {on} yet. Choose a challenger.")
    elif visit.state == State.HELD:
        text = _("Write down what the system does after the visit to {school}.")
    elif visit.state == State.AGREED:
        late = visit.follow_up_on is not None and visit.follow_up_on < today
        text = (
            _("The day to look again at {school} was {later}.")
            if late
            else _("On {later} you look again at what was agreed with {school}.")
        )
    said = text.format(school=name, on=day(visit.on), later=day(visit.follow_up_on) or "")
    return {"text": said, "url": url(visit), "link": link}


def front_items(acting: Appointment | None) -> list[Row]:
    """What waits for this person now, the nearest first; one statement."""
    if acting is None:
        return []
    return [_ask(each, acting) for each in queries.waiting_for(acting)[:3]]


def home_card(acting: Appointment | None) -> Row | None:
    """The card of challenge visits; None for a role that has no part in them."""
    if may(acting, Capability.SEE_AREA) and not may(acting, Capability.PLAN_CHALLENGE):
        return {
            "heading": _("From above: challenge visits"),
            "text": _("How the partnerships move in the priorities of today, with intervals."),
            "url": reverse("accountability:challenge_progress"),
            "link": _("Progress by partnership"),
        }
    if not queries.takes_part(acting):
        return None
    n = queries.open_count(acting)
    text = _("Somebody from outside looks with you; both sides owe what is agreed.")
    if n:
        text = ngettext(
            "{n} visit is being prepared or followed up.",
            "{n} visits are being prepared or followed up.",
            n,
        ).format(n=n)
    return {
        "heading": _("From above: challenge visits"),
        "text": text,
        "url": reverse("accountability:challenges"),
        "link": _("Challenge visits"),
    }
