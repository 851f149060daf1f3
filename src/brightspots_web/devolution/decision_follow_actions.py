"""What is done because of a decision, and the worker's reminders of it."""

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.devolution import decision_actions, decision_tell, pdsa_queries
from brightspots_web.devolution import decision_queries as queries
from brightspots_web.devolution.decision_actions import check_owner, required
from brightspots_web.devolution.models import Decision, DecisionAction, Pdsa
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import command_line_operator
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

MOST_ACTIONS = 30


@transaction.atomic
def add_action(
    decision: Decision,
    *,
    by: Appointment,
    what: str,
    owner: Person,
    due: date,
    school: School | None = None,
) -> DecisionAction:
    """Promise to do something because of a decision; sent twice, it is promised once.

    Raises
    ------
    PermissionDenied
        Somebody who does not decide in this partnership today.
    ValidationError
        The decision no longer stands, or something is missing.
    """
    found = Decision.objects.select_for_update(no_key=True).get(pk=decision.pk)
    if not queries.belongs(by, found.partnership):
        raise PermissionDenied
    if found.state not in queries.STANDS:
        raise ValidationError(_("This decision no longer stands. Add it to the later one."))
    what = required(what, "what", 300)
    _check_day(due)
    check_owner(owner, found.partnership)
    rows = DecisionAction.objects.filter(decision=found)
    same = rows.filter(what=what, owner=owner, due=due, done_on=None).first()
    if same is not None:
        return same
    if rows.count() >= MOST_ACTIONS:
        raise ValidationError(_("That is much for one decision. Finish something first."))
    action = DecisionAction.objects.create(
        decision=found,
        what=what,
        owner=owner,
        owner_name=str(owner)[:300],
        school=school,
        due=due,
        by=by.label[:300],
        at=timezone.now(),
    )
    audit.record("devolution.add_action", by=by, target=action)
    decision_tell.action_given(action, by=by)
    return action


@transaction.atomic
def change_action(
    action: DecisionAction, *, by: Appointment, owner: Person, due: date, seen: int | None
) -> DecisionAction:
    """Give an action another owner or another day; a new day is reminded of anew."""
    found = _held(action)
    if not (queries.may_finish(by, found) or queries.belongs(by, found.decision.partnership)):
        raise PermissionDenied
    _check_open(found)
    _check_seen(found, seen)
    check_owner(owner, found.decision.partnership)
    if due != found.due:
        _check_day(due)
        found.reminded = ""
    new_owner = owner.pk != found.owner_id
    if new_owner:
        found.reminded = ""
    found.owner, found.owner_name, found.due = owner, str(owner)[:300], due
    found.version += 1
    found.save()
    audit.record("devolution.change_action", by=by, target=found)
    if new_owner:
        decision_tell.action_given(found, by=by)
    return found


@transaction.atomic
def finish_action(
    action: DecisionAction, *, by: Appointment, on: date, outcome: str, seen: int | None
) -> DecisionAction:
    """Say that something was done, and what came of it."""
    found = _held(action)
    if not queries.may_finish(by, found):
        raise PermissionDenied
    _check_open(found)
    _check_seen(found, seen)
    if on > directory.today():
        raise ValidationError({"on": _("This day is yet to come.")})
    if on < timezone.localdate(found.decision.at):
        raise ValidationError({"on": _("This is before the decision was written down.")})
    found.done_on, found.outcome = on, required(outcome, "outcome", 500)
    found.version += 1
    found.save()
    audit.record("devolution.finish_action", by=by, target=found)
    decision_tell.action_done(found, by=by)
    return found


def _held(action: DecisionAction) -> DecisionAction:
    rows = DecisionAction.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("decision__partnership", "decision__owner", "school").get(
        pk=action.pk
    )


def _check_open(action: DecisionAction) -> None:
    if action.done_on is not None:
        raise ValidationError(
            _("This is on record as finished already: “{outcome}”").format(outcome=action.outcome)
        )


def _check_seen(action: DecisionAction, seen: int | None) -> None:
    if seen is not None and seen != action.version:
        raise OvertakenError(
            _(
                "Somebody changed this since you opened it. What you wrote is still here and was "
                "not saved: look at how it stands, then send yours if it still holds."
            )
        )


def _check_day(due: date) -> None:
    if due < directory.today():
        raise ValidationError({"due": _("This day is past. Choose one to come.")})


# The worker's hourly work


def remind() -> int:
    """Everything that is due: actions, owners who left, proposals all carry, cycles to study.

    It may run as often as is handy: nobody is told of the same twice.
    """
    told = remind_of_actions() + tell_of_owners() + remind_of_cycles()
    settle_proposals()
    return told


def remind_of_actions(on: date | None = None) -> int:
    """Tell owners three days before an action is due, and on the day."""
    today, told = on or directory.today(), 0
    for action in queries.actions_to_remind_of(today):
        stage = "soon" if action.due > today else "due"
        with transaction.atomic():
            mine = DecisionAction.objects.filter(
                pk=action.pk, done_on=None, due=action.due, reminded=action.reminded
            )
            if mine.update(reminded=stage):
                decision_tell.action_due(action)
                told += 1
    return told


def tell_of_owners() -> int:
    """Tell leaders once of each decision whose owner is no longer in the partnership."""
    told = 0
    for partnership, decisions in queries.owners_to_look_for().items():
        present = queries.people_of(partnership)
        leaders = list(people.leaders_of(partnership))
        for each in decisions:
            if not leaders or not queries.needs_owner(each, present):
                continue
            with transaction.atomic():
                mine = Decision.objects.filter(pk=each.pk, owner_missed_at=None)
                if mine.update(owner_missed_at=timezone.now()):
                    decision_tell.owner_missed(each, leaders)
                    told += 1
    return told


def settle_proposals() -> int:
    """Make proposals that every school carries since one that had not answered has left."""
    ready = [
        each
        for each in queries.proposals_waiting()
        if queries.everybody_carries_it(queries.words_of(each))
    ]
    if not ready:
        return 0
    by = command_line_operator()
    return sum(decision_actions.settle(each, by=by) for each in ready)


def remind_of_cycles() -> int:
    """Tell those who run a cycle, once, that the day to study it has come."""
    told = 0
    for cycle in pdsa_queries.to_remind_of(directory.today()):
        with transaction.atomic():
            mine = Pdsa.objects.filter(pk=cycle.pk, reminded="", finished_on=None)
            if mine.update(reminded="due"):
                decision_tell.to_study(cycle, pdsa_queries.who_runs(cycle))
                told += 1
    return told
