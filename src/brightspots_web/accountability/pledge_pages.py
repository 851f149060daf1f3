"""What the page of a promise shows: the vow, its witnesses, how it goes, what shows it."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _

from brightspots_web.accountability import ceremony_words as scores
from brightspots_web.accountability import pledge_queries as queries
from brightspots_web.accountability import pledge_value_queries as values
from brightspots_web.accountability import pledge_words as words
from brightspots_web.accountability.pledge_forms import (
    AnswerForm,
    AudienceForm,
    CheckInForm,
    WhyForm,
    WitnessForm,
)
from brightspots_web.accountability.pledge_models import (
    Pledge,
    PledgeEvidence,
    PledgeSet,
    PledgeWitness,
)
from brightspots_web.devolution import note_queries
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Link
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = Pledge.State
Witness = PledgeWitness.State
Kind = PledgeEvidence.Kind


def url(pledge: Pledge) -> str:
    return reverse("accountability:pledge", args=[pledge.pk])


def set_url(of_set: PledgeSet) -> str:
    return reverse("accountability:pledge_set", args=[of_set.pk])


def crumbs(*further: Link | str) -> list[Link]:
    found = [Link(_("Promises"), reverse("accountability:pledges"))]
    return [*found, *(each if isinstance(each, Link) else Link(each) for each in further)]


def crumbs_of(pledge: Pledge, step: str = "") -> list[Link]:
    of_set = Link(str(pledge.set), set_url(pledge.set))
    if not step:
        return crumbs(of_set, words.half(pledge))
    return crumbs(of_set, Link(words.half(pledge), url(pledge)), step)


def page(pledge: Pledge, acting: Appointment | None, **sent: Any) -> Row:
    """Everything the page of a promise needs; `sent` are forms to be shown again."""
    sees = queries.sees_values(acting, pledge)
    witnesses = queries.witnesses_of(pledge)
    evidence = list(pledge.evidence.defer("file").select_related("note"))
    own = queries.is_own(acting, pledge)
    shown = {
        **_offered(pledge, acting, witnesses, sent, own=own),
        **_answer_part(pledge, acting, sent),
    }
    of_set = queries.set_with(acting, pledge.set_id) or pledge.set
    return {
        "pledge": pledge,
        "breadcrumb": crumbs_of(pledge),
        "half": words.half(pledge),
        "badge": words.badge(pledge),
        "standing": words.standing(pledge, witnesses),
        "incomplete": words.incomplete(of_set),
        "set_url": set_url(pledge.set),
        "other_half": _other_half(pledge, of_set, acting),
        "warnings": words.warnings(pledge, sees=sees),
        "facts": _facts(pledge, sees=sees),
        "values": _values(pledge, evidence) if sees else {},
        "sees": sees,
        "points": words.points() if pledge.baseline else "",
        "witnesses": [witness_row(each) for each in witnesses],
        "needs_witness": _needs_witness(pledge, witnesses),
        "check_ins": [check_in_row(each) for each in pledge.check_ins.all()],
        "evidence": [evidence_row(each, acting, pledge, sees=sees) for each in evidence],
        "may_show": queries.may_show(acting, pledge),
        "may_change": own and pledge.state == State.DRAFT,
        "may_draw": own and pledge.state in queries.STANDS,
        "help_url": reverse("connectedness:support_ask") if own else "",
        "scoring": scoring_links(pledge, acting, own=own),
        "scores": scores.short(pledge, acting),
        "open_forms": sorted(sent),
        "refused": [_refused(form) for name, form in sent.items() if name not in shown],
        **shown,
    }


def _refused(form: forms.Form) -> Row:
    """What was sent too late for its form to stand on the page: why not, and what was typed."""
    problems = [str(each) for errors in form.errors.values() for each in errors]
    typed = [form.data.get(name, "") for name in ("words", "why")]
    return {"problems": problems, "typed": [each for each in typed if each]}


def _offered(
    pledge: Pledge,
    acting: Appointment | None,
    witnesses: Sequence[PledgeWitness],
    sent: Row,
    *,
    own: bool,
) -> Row:
    """The forms of whoever promises, with what was typed where one is shown again."""
    found: Row = {}
    if not own or pledge.state not in queries.STANDS:
        return found
    seen = {"seen": pledge.version}
    if pledge.state in queries.RUNS:
        found["check_in_form"] = sent.get("check_in_form") or CheckInForm(auto_id="check_%s")
        people = queries.may_witness(pledge)
        if people:
            found["witness_form"] = sent.get("witness_form") or WitnessForm(people=people)
    found["audience_form"] = sent.get("audience_form") or AudienceForm(
        initial={**seen, "audience": pledge.audience}, auto_id="audience_%s"
    )
    if not pledge.outcome:
        found["why_form"] = sent.get("why_form") or WhyForm(initial=seen, auto_id="why_%s")
    return found


def _answer_part(pledge: Pledge, acting: Appointment | None, sent: Row) -> Row:
    mine = queries.witness_asked(acting, pledge)
    if mine is None:
        return {}
    found: Row = {"my_witness": mine, "my_answer": str(mine.get_state_display())}
    if pledge.state in queries.RUNS:
        initial = {"words": mine.words}
        if mine.state != Witness.ASKED:
            initial["accepts"] = "yes" if mine.state == Witness.ACCEPTED else "no"
        found["answer_form"] = sent.get("answer_form") or AnswerForm(initial=initial)
    return found


def _facts(pledge: Pledge, *, sees: bool) -> list[tuple[str, Cell]]:
    facts: list[tuple[str, Cell]] = [
        (_("Who promises"), pledge.set.school.name),
        (_("For the pupils of"), (pledge.other_school or pledge.set.school).name),
        (_("To whom"), f"{pledge.set.partnership.name}; {pledge.get_audience_display()}"),
        (_("Live priority"), pledge.priority.title),
        (_("Measure"), pledge.indicator.name),
        (_("What the measure is for"), str(pledge.indicator.get_purpose_display())),
        (_("From (the baseline)"), words.value(pledge.baseline) if sees else _not_told(pledge)),
        (_("To (the target)"), words.target(pledge)),
        (_("By when"), words.due(pledge, directory.today())),
    ]
    if pledge.carried_from_id:
        link = Link(_("an earlier promise"), reverse("accountability:pledge",
                                                     args=[pledge.carried_from_id]))  # fmt: skip
        facts.append((_("Carried over from"), link))
    return facts


def _not_told(pledge: Pledge) -> str:
    school = pledge.other_school or pledge.set.school
    return _("kept with the promise; told to those who may open the page of {school}").format(
        school=school.name
    )


def _other_half(pledge: Pledge, of_set: PledgeSet, acting: Appointment | None) -> list[Row]:
    """The promises beside this one, for whoever may read them."""
    beside = queries.pledges_in(acting, [of_set]).get(of_set.pk, [])
    return [
        {"text": each.promise, "half": words.half(each), "url": url(each),
         "badge": words.badge(each)}
        for each in beside
        if each.pk != pledge.pk
    ]  # fmt: skip


def _values(pledge: Pledge, evidence: Sequence[PledgeEvidence]) -> Row:
    """What was known when, what is published now, and what was corrected since."""
    school = pledge.other_school or pledge.set.school
    now = values.published(school, pledge.priority, pledge.indicator)
    known: list[tuple[str, Any]] = []
    if pledge.baseline:
        label = _("Baseline") if pledge.vowed_at else _("Baseline so far")
        known.append((label, pledge.baseline))
    drawn = [each.known for each in reversed(evidence) if each.kind == Kind.VALUE and each.known]
    known += [(_("Drawn"), each) for each in drawn]
    if pledge.self_known:
        known.append((_("At the self-score"), pledge.self_known))
    changed = [
        _(
            "{what} was {before}. It was corrected since: {after}. What was known then stays."
        ).format(what=what, before=words.value(each), after=words.value(after))
        for what, each in known
        if (after := values.corrected(each, now))
    ]
    gone = [
        _("{what}: the analysis it was drawn from was taken back, and none is in its place yet.")
        .format(what=what)
        for what, each in known
        if not now and values.taken_back(each)
    ]  # fmt: skip
    rows, runs = [], set()
    for label, each in [*known, (_("Published now"), now)]:
        if each and each.get("run") not in runs:  # the same analysis is drawn once
            runs.add(each.get("run"))
            rows.append(_estimate(f"{label}, {_month(each)}", each))
    if not rows:
        return {}
    rows.append(charts.Estimate(_("Target"), pledge.target))
    digits = int((pledge.baseline or now or {}).get("digits", 1))
    return {
        "chart": charts.intervals(
            key=f"pledge-{pledge.pk}",
            title=_("From the baseline to the target"),
            rows=rows,
            unit=_("points"),
            digits=digits,
        ),
        "corrected": [*changed, *gone],
        "lines": [(label, words.value(each)) for label, each in known],
    }


def _month(known: Any) -> str:
    return formats.date_format(date.fromisoformat(known["on"]), "M Y")


def _estimate(label: str, known: Any) -> charts.Estimate:
    return charts.Estimate(label, known["value"], known["low"], known["high"], known["n"])


def _needs_witness(pledge: Pledge, witnesses: Sequence[PledgeWitness]) -> str:
    """Why a witness is to be asked; "" where enough were."""
    if pledge.state not in queries.RUNS:
        return ""
    left = [each for each in witnesses if each.state == Witness.LEFT]
    if any(each.state in {Witness.ASKED, Witness.ACCEPTED} for each in witnesses):
        if not left:
            return ""
        return _("A witness has left: {who}. Another may be asked in the place.").format(
            who="; ".join(each.name for each in left)
        )
    if left:
        return _(
            "The witness has left: {who}. What was witnessed stays; it needs another who stands "
            "by it from here."
        ).format(who="; ".join(each.name for each in left))
    return _("No witness is asked yet. Ask heads of other schools to stand by it.")


def witness_row(each: PledgeWitness) -> Row:
    kind = "visit" if each.state == Witness.ACCEPTED else "unsure"
    return {
        "name": each.name,
        "badge": Badge(str(each.get_state_display()), kind),  # type: ignore[arg-type] # one of two
        "words": each.words,
        "on": day(each.answered_at or each.asked_at),
    }


def check_in_row(each: Any) -> Row:
    return {"on": day(each.on), "going": str(each.get_going_display()), "words": each.words,
            "by": each.by}  # fmt: skip


def evidence_row(
    each: PledgeEvidence, acting: Appointment | None, pledge: Pledge, *, sees: bool
) -> Row:
    each.pledge = pledge
    value = ""
    if each.kind == Kind.VALUE:
        value = words.value(each.known) if sees else _not_told(pledge)
    return {
        "pk": each.pk,
        "kind": str(each.get_kind_display()),
        "on": day(each.on),
        "words": each.words if each.kind != Kind.VALUE else "",
        "by": each.by,
        "value": value,
        "file": each.file_name,
        "file_url": reverse("accountability:pledge_evidence_file", args=[each.pk])
        if each.file_kind
        else "",
        "note_url": _note_url(each, acting),
        "note_gone": each.kind == Kind.NOTE and each.note is None,
        "may_remove": queries.may_remove(acting, each),
    }


def _note_url(each: PledgeEvidence, acting: Appointment | None) -> str:
    """Where the note is read, for those who may read it."""
    if each.note is None or not note_queries.notes_visible_to(acting).filter(
        pk=each.note_id or 0
    ).exists():  # fmt: skip
        return ""
    return reverse("devolution:note", args=[each.note_id])


def scoring_links(pledge: Pledge, acting: Appointment | None, *, own: bool) -> list[Row]:
    """Where the promise is scored by its school, and verified by the peers who were asked."""
    if pledge.state not in queries.STANDS:
        return []
    found = []
    if own:
        label = _("Score it yourselves") if pledge.state in queries.RUNS else _("See the scores")
        found.append({"url": scores.url(pledge), "label": label})
    if scores.may_verify(pledge, acting):
        found.append({"url": scores.verify_url(pledge), "label": _("Verify it as a peer")})
    return found


# What other pages show of promises


def pledge_rows(pledges: Iterable[Pledge]) -> list[Row]:
    """Promises as a list on another page: text, for whom, from where to where, how it stands.

    Values are left out: whoever shows them asks `pledge_queries.sees_values` first.
    """
    return [
        {
            "pledge": each,
            "url": url(each),
            "text": each.promise,
            "school": each.set.school.name,
            "half": words.half(each),
            "target": words.from_to(each, sees=False),
            "badge": words.badge(each),
            "outcome": str(each.get_outcome_display()) if each.outcome else "",
        }
        for each in pledges
    ]


def front_items(acting: Appointment | None) -> list[Row]:
    """What waits for this person now, the nearest first."""
    found: list[Row] = [
        {
            "text": _("{school} asks you to stand by its promise.").format(
                school=each.pledge.set.school.name
            ),
            "url": url(each.pledge),
            "link": _("Read the promise and answer"),
        }
        for each in queries.asked_of(acting)
    ]
    today = directory.today()
    for each in queries.running_of(acting):
        if each.state == State.DRAFT:
            text, link = _("A promise of your school is still a draft."), _("Read it once more")
        elif each.due <= today:
            text = _("The day of your promise has come: “{promise}”").format(promise=each.promise)
            link = _("Say how it went")
        elif each.reminded == "check_in":
            text = _("How does your promise go? “{promise}”").format(promise=each.promise)
            link = _("Check in")
        else:
            continue
        found.append({"text": text, "url": url(each), "link": link})
    return found[:4]


def home_card(acting: Appointment | None) -> Row | None:
    """Promises on the front page of the three directions."""
    if acting is None:
        return None
    link = {"url": reverse("accountability:pledges"), "link": _("Read the promises")}
    asked, running = queries.asked_of(acting), queries.running_of(acting)
    if asked:
        text = _("You are asked to stand by a promise of another school.")
    elif any(each.state in queries.RUNS for each in running):
        nearest = next(each for each in running if each.state in queries.RUNS)
        text = _("Your school has promised: “{promise}” By {day}.").format(
            promise=nearest.promise, day=day(nearest.due)
        )
    elif queries.may_write(acting):
        text = _(
            "Each school promises one thing for its own pupils and one for those of another "
            "school, before witnesses. Yours has not promised yet."
        )
        link = {"url": reverse("accountability:pledge_new", args=["own"]),
                "link": _("Write a promise")}  # fmt: skip
    else:
        text = _("What schools promise each other, and the whole area or system may read.")
    return {"heading": _("Promises between equals"), "text": text, **link}
