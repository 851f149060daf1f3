"""Writes of evaluations: planned, run, published or withdrawn; every step is on record."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.evidence import evaluation_queries as queries
from brightspots_web.evidence import evaluation_treated_queries as treated
from brightspots_web.evidence.choice_models import Lottery
from brightspots_web.evidence.evaluation_models import Evaluation, EvaluationResult
from brightspots_web.insight import bright_spot_actions
from brightspots_web.insight.models import BrightSpot, Run
from brightspots_web.shared import audit, jobs
from brightspots_web.shared.models import Job
from brightspots_web.shared.overtaken import OvertakenError

State = Evaluation.State
Kind = Evaluation.Kind
EVALUATE = "evidence.evaluate"
MOST_ANTICIPATION = 3
MOST_COVARIATES = 5
LONGEST_REASON = 500


@dataclass(frozen=True)
class Plan:
    """What is asked and how it is to be answered, as its form takes it."""

    title: str
    question: str
    kind: str
    subject: str
    design_words: str
    change_our_mind: str
    priority: Priority | None = None
    practice: Any = None
    control: str = Evaluation.Control.NOT_YET
    design: str = Evaluation.Design.COMPARISON
    lottery: Lottery | None = None
    covariates: tuple[str, ...] = ()
    cluster: bool = True
    anticipation: int = 1
    results_month: int = 11
    least_days: int = 90
    cost_amount: Decimal | None = None
    cost_currency: str = ""
    cost_per: str = ""
    cost_includes: str = ""


@transaction.atomic
def plan(asked: Plan, *, by: Appointment, power: Mapping[str, Any] | None = None) -> Evaluation:
    """Write an evaluation down before its answer is known; everybody sees that it is planned.

    Raises
    ------
    PermissionDenied
        Somebody who does not evaluate.
    ValidationError
        Something is missing or does not go together. The same plan sent twice is one.
    """
    if not queries.may_evaluate(by):
        raise PermissionDenied
    checked = _checked(asked)
    audit.one_at_a_time()  # sent twice at once, there is no row yet to wait for
    same = Evaluation.objects.filter(
        title=checked["title"], planned_by=by.label[:300], state=State.PLANNED
    ).first()
    if same is not None and all(getattr(same, name) == checked[name] for name in checked):
        return same
    made = Evaluation.objects.create(
        planned_by=by.label[:300], planned_at=timezone.now(), power=dict(power or {}), **checked
    )
    audit.record("evidence.plan_evaluation", by=by, target=made, detail=_told(made))
    return made


@transaction.atomic
def change(
    evaluation: Evaluation,
    asked: Plan,
    *,
    by: Appointment,
    seen: int | None,
    power: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Change a plan that is not published. After a result was seen, the change is counted.

    Raises
    ------
    OvertakenError
        Somebody else was quicker; nothing is saved.
    ValidationError
        It is published or withdrawn, or the plan does not go together.
    """
    found = _held(evaluation, by, seen)
    if found.state not in {State.PLANNED, State.RUN}:
        raise ValidationError(_("What was published is not changed. Plan a new evaluation."))
    checked = _checked(asked)
    if all(getattr(found, name) == value for name, value in checked.items()):
        return found
    for name, value in checked.items():
        setattr(found, name, value)
    if found.results.exists():
        found.changed_after += 1
    elif power:
        found.power = dict(power)
    _save(found)
    audit.record("evidence.change_evaluation", by=by, target=found, detail=_told(found))
    return found


@transaction.atomic
def start(evaluation: Evaluation, *, by: Appointment, seen: int | None) -> Job:
    """Ask for it to be run on the newest published figures, by the worker.

    Raises
    ------
    ValidationError
        Nothing is published to run it on, or it was withdrawn.
    """
    found = _held(evaluation, by, seen)
    if found.state == State.WITHDRAWN:
        raise ValidationError(_("It was withdrawn. Plan a new evaluation."))
    if treated.run_to_use() is None:
        raise ValidationError(
            _("No analysis is published, so there are no yearly figures. Publish one first.")
        )
    asked = {"evaluation": found.pk, "plan": plan_of(found)}
    job = jobs.enqueue(
        EVALUATE, by=by, title=_("Evaluate: {title}").format(title=found.title)[:200],
        parameters=asked,
    )  # fmt: skip
    audit.record("evidence.run_evaluation", by=by, target=found, detail={"job": job.pk})
    return job


@transaction.atomic
def keep_result(
    evaluation: Evaluation, kept: Mapping[str, Any], run: Run, *, by: Appointment, job: int
) -> EvaluationResult:
    """Freeze what a run found, with where it comes from. A job that is done again keeps one."""
    before = queries.result_of_job(job)
    if before is not None:
        return before
    found = Evaluation.objects.select_for_update(no_key=True).get(pk=evaluation.pk)
    if plan_of(found) != plan_of(evaluation):
        raise ValidationError(
            _("The plan was changed while it was being run. Nothing was kept: run it again.")
        )
    result = EvaluationResult.objects.create(
        evaluation=found, job=job, made_at=timezone.now(), made_by=by.label[:300],
        run=run.uuid, run_input_hash=run.input_hash, plan=plan_of(found), **kept,
    )  # fmt: skip
    found.problem = ""
    if found.state == State.PLANNED:
        found.state = State.RUN
    _save(found)
    detail = {
        "result": result.pk, "run": str(run.uuid), "input_hash": result.input_hash,
        "method_version": result.method_version,
    }  # fmt: skip
    audit.record("evidence.keep_result", by=by, target=found, detail=detail)
    return result


@transaction.atomic
def note_problem(evaluation: Evaluation, words: str, *, by: Appointment) -> None:
    """Say on its page why a run gave nothing."""
    found = Evaluation.objects.select_for_update(no_key=True).get(pk=evaluation.pk)
    found.problem = words[:1000]
    _save(found)
    audit.record("evidence.no_result", by=by, target=found, detail={"why": found.problem})


@transaction.atomic
def publish(evaluation: Evaluation, *, by: Appointment, seen: int | None) -> Evaluation:
    """Let everybody read the newest result, whatever it says; pressed twice, it is done once.

    What it means for the practice and its bright spot is told to them: the practice's page lists
    it, and a bright spot with newer figures counts as re-tested.

    Raises
    ------
    PermissionDenied
        Somebody who does not publish evaluations.
    OvertakenError
        It was changed or run again since the person looked.
    ValidationError
        There is no result, or the plan was changed since.
    """
    if not queries.may_publish(by):
        raise PermissionDenied
    found = Evaluation.objects.select_for_update(no_key=True).get(pk=evaluation.pk)
    if found.state == State.WITHDRAWN:
        raise ValidationError(_("It was withdrawn. Plan a new evaluation."))
    newest = found.results.order_by("-pk").first()
    if newest is None:
        raise ValidationError(_("It was not run yet, so there is nothing to publish."))
    if found.state == State.PUBLISHED and found.published_result_id == newest.pk:
        return found
    _check_seen(found, seen)
    if newest.plan != plan_of(found):
        raise ValidationError(
            _("The plan was changed after this was run. Run it again, then publish.")
        )
    found.state, found.published_result = State.PUBLISHED, newest
    found.published_by, found.published_at = by.label[:300], timezone.now()
    _save(found)
    detail = {
        **_told(found), "result": newest.pk, "input_hash": newest.input_hash,
        "re_tested": _re_test(found, by),
    }  # fmt: skip
    audit.record("evidence.publish_evaluation", by=by, target=found, detail=detail)
    return found


@transaction.atomic
def withdraw(
    evaluation: Evaluation, *, by: Appointment, reason: str, seen: int | None
) -> Evaluation:
    """Take it back with a reason; it stays on the list. What was published, a publisher withdraws.

    Raises
    ------
    ValidationError
        No reason is given, or it is withdrawn already.
    """
    found = _held(evaluation, by, seen)
    if found.published_at is not None and not queries.may_publish(by):
        raise PermissionDenied
    reason = " ".join(reason.split())
    if not reason:
        raise ValidationError({"reason": _("Say why, so that people who saw it can understand.")})
    if found.state == State.WITHDRAWN:
        raise ValidationError(_("It is withdrawn already."))
    found.state, found.withdrawn_why = State.WITHDRAWN, reason[:LONGEST_REASON]
    found.withdrawn_by, found.withdrawn_at = by.label[:300], timezone.now()
    _save(found)
    detail = {**_told(found), "reason": found.withdrawn_why}
    audit.record("evidence.withdraw_evaluation", by=by, target=found, detail=detail)
    return found


def plan_of(evaluation: Evaluation) -> dict[str, Any]:
    """The part of a plan that decides what is found, in JSON types."""
    practice = evaluation.practice
    return {
        "kind": evaluation.kind,
        "priority": evaluation.priority.code if evaluation.priority else "",
        "practice": practice.code if practice is not None else "",
        "subject": evaluation.subject,
        "control": evaluation.control,
        "design": evaluation.design,
        "lottery": str(evaluation.lottery.code) if evaluation.lottery is not None else "",
        "covariates": list(evaluation.covariates),
        "cluster": evaluation.cluster,
        "anticipation": evaluation.anticipation,
        "results_month": evaluation.results_month,
        "least_days": evaluation.least_days,
        "seed": evaluation.seed,
    }


def _re_test(found: Evaluation, by: Appointment) -> bool:
    """Hold the practice's bright spot against newer figures, where there are any."""
    practice = found.practice
    spot = practice.bright_spot if practice is not None else None
    if spot is None:
        return False
    note = _("Evaluated at other schools: “{title}”.").format(title=found.title)
    try:
        with transaction.atomic():
            bright_spot_actions.take_step(
                spot.school, spot.subject, by=by, to=BrightSpot.State.RE_TESTED,
                on=directory.today(), note=note,
            )  # fmt: skip
    except (PermissionDenied, ValidationError):
        return False  # it cannot follow yet, or there is nothing newer to hold it against
    return True


def _held(evaluation: Evaluation, by: Appointment, seen: int | None) -> Evaluation:
    if not (queries.may_evaluate(by) or queries.may_publish(by)):
        raise PermissionDenied
    found = Evaluation.objects.select_for_update(no_key=True).get(pk=evaluation.pk)
    _check_seen(found, seen)
    return found


def _check_seen(found: Evaluation, seen: int | None) -> None:
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody else changed or ran this evaluation since you opened the page. What you "
                "wrote was not saved. Look at it as it is now, then decide."
            )
        )


def _save(found: Evaluation) -> None:
    found.version += 1
    found.save()


def _told(found: Evaluation) -> dict[str, Any]:
    return {**plan_of(found), "state": found.state}


def _checked(asked: Plan) -> dict[str, Any]:
    """The plan as it is kept.

    Raises
    ------
    ValidationError
        What is wrong, at its field.
    """
    kept = {each.name: getattr(asked, each.name) for each in fields(asked)}
    for name, most in (
        ("title", 160), ("question", 1000), ("design_words", 2000), ("change_our_mind", 2000),
    ):  # fmt: skip
        kept[name] = _required(name, kept[name], most)
    _check_what(asked)
    _check_how(asked)
    kept["covariates"] = sorted(set(asked.covariates))
    if asked.design != Evaluation.Design.LOTTERY:
        kept["lottery"] = None
    if asked.kind != Kind.PRACTICE:
        kept["practice"] = None
    if asked.kind == Kind.PRACTICE and asked.practice is not None and asked.priority is None:
        kept["priority"] = asked.practice.priority
    kept |= _cost(asked)
    return kept


def _required(name: str, text: str, most: int) -> str:
    text = text.strip()
    if not text:
        raise ValidationError({name: _("Write something here: it is read beside the result.")})
    if len(text) > most:
        raise ValidationError({name: _("Too long: at most {n} characters.").format(n=most)})
    return text


def _check_what(asked: Plan) -> None:
    if asked.kind not in Kind.values:
        raise ValidationError({"kind": _("Choose one of these.")})
    if asked.kind == Kind.SUPPORT and asked.priority is None:
        raise ValidationError({"priority": _("Choose the priority at which schools had support.")})
    if asked.kind == Kind.PRACTICE and asked.practice is None:
        raise ValidationError({"practice": _("Choose the practice that schools took up.")})
    if not asked.subject.strip():
        raise ValidationError({"subject": _("Choose the outcome by which it is judged.")})


def _check_how(asked: Plan) -> None:
    design, control = Evaluation.Design, Evaluation.Control
    if asked.design not in design.values:
        raise ValidationError({"design": _("Choose one of these.")})
    if asked.control not in control.values:
        raise ValidationError({"control": _("Choose one of these.")})
    if asked.design == design.ELIGIBLE and asked.kind != Kind.SUPPORT:
        raise ValidationError(
            {"design": _("Only for support is it on record who had asked for it.")}
        )
    if asked.design == design.LOTTERY:
        _check_lottery(asked)
    if asked.design != design.COMPARISON and asked.control == control.NONE:
        raise ValidationError({"control": _("With nobody to compare with, this cannot be.")})
    if not 0 <= asked.anticipation <= MOST_ANTICIPATION:
        raise ValidationError(
            {"anticipation": _("Choose from 0 to {n} years.").format(n=MOST_ANTICIPATION)}
        )
    if not 1 <= asked.results_month <= 12:
        raise ValidationError({"results_month": _("Choose a month.")})
    if not 0 <= asked.least_days <= 730:
        raise ValidationError({"least_days": _("Write a number of days from 0 to 730.")})
    if len(set(asked.covariates)) > MOST_COVARIATES:
        raise ValidationError(
            {"covariates": _("At most {n}: each costs certainty.").format(n=MOST_COVARIATES)}
        )


def _check_lottery(asked: Plan) -> None:
    """A lottery is one that was drawn here, where everybody can check it, of the same help."""
    lottery = asked.lottery
    if lottery is None or lottery.state != Lottery.State.DRAWN:
        raise ValidationError(
            {"lottery": _("Choose the lottery that was drawn. Without one, choose another way.")}
        )
    of = {
        Kind.SUPPORT: Lottery.What.DEPLOYMENT, Kind.PRACTICE: Lottery.What.ADOPTION,
        Kind.PARTNERSHIP: Lottery.What.PARTNERSHIP,
    }  # fmt: skip
    if lottery.kind != of[Kind(asked.kind)] or (
        asked.priority is not None and lottery.priority_id != asked.priority.pk
    ):
        raise ValidationError({"lottery": _("This lottery was about something else.")})


def _cost(asked: Plan) -> dict[str, Any]:
    """An amount needs its currency, what it is for, and what it includes; or there is none."""
    amount = asked.cost_amount
    if amount is None:
        return {"cost_currency": "", "cost_per": "", "cost_includes": asked.cost_includes.strip()}
    if amount < 0:
        raise ValidationError({"cost_amount": _("A cost is 0 or more.")})
    currency, includes = asked.cost_currency.strip().upper()[:10], asked.cost_includes.strip()
    if not currency:
        raise ValidationError({"cost_currency": _("Say in which currency, such as KES.")})
    if asked.cost_per not in Evaluation.Per.values:
        raise ValidationError({"cost_per": _("Say for what this is the cost.")})
    if not includes:
        raise ValidationError(
            {"cost_includes": _("Say what it includes: days of leaders, travel, books, food.")}
        )
    return {"cost_currency": currency, "cost_per": asked.cost_per, "cost_includes": includes}
