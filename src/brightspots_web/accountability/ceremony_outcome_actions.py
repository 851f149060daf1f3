"""What became of a promise, said by its school; carried over, it goes on in the next cycle."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.accountability import ceremony_queries as queries
from brightspots_web.accountability import ceremony_tell as tell
from brightspots_web.accountability import pledge_actions as promises
from brightspots_web.accountability import pledge_queries as pledges
from brightspots_web.accountability.ceremony_actions import check_names, check_scored
from brightspots_web.accountability.pledge_actions import check_seen, held, save
from brightspots_web.accountability.pledge_models import Pledge
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Cycle
from brightspots_web.shared import audit

LONGEST_WORDS = 1000


@transaction.atomic
def say_outcome(
    pledge: Pledge,
    outcome: str,
    words: str,
    *,
    by: Appointment,
    seen: int | None,
    names_no_pupil: bool = False,
) -> Pledge:
    """Say what became of a promise. Carried over, it goes on as a draft in the next cycle, once.

    Raises
    ------
    ValidationError
        Peers have not verified it and its cycle runs; or there is no cycle to carry it into.
    OvertakenError
        Somebody else was quicker; nothing is saved.
    """
    found = held(pledge, by)
    if found.outcome and (found.outcome, found.outcome_words) == (outcome, promises.plain(words)):
        return found
    check_scored(found)
    check_seen(found, seen)
    if not queries.may_end(found):
        raise ValidationError(
            _("Peers have not verified it yet. Ask them first, or wait until the cycle is over.")
        )
    if found.outcome == Pledge.Outcome.CARRIED and queries.carried_to(found) is not None:
        raise ValidationError(
            _("It is carried over already: what becomes of it is said in the next cycle.")
        )
    if outcome not in Pledge.Outcome.values:
        raise ValidationError({"outcome": _("Choose one of these.")})
    words = promises.required(words, "words", LONGEST_WORDS)
    check_names(found, words, names_no_pupil)
    if outcome == Pledge.Outcome.CARRIED:
        _carry_over(found, by)
    found.outcome, found.outcome_words = outcome, words
    save(found)
    audit.record("accountability.say_outcome", by=by, target=found)
    tell.outcome(found, by=by)
    return found


def _carry_over(pledge: Pledge, by: Appointment) -> Pledge:
    """The draft by which a promise goes on; one that its school has written already is taken."""
    cycle = queries.next_cycle(pledge.set.cycle)
    if cycle is None:
        raise ValidationError(
            {
                "outcome": _(
                    "There is no next cycle to carry it into: the ministry has not set its days "
                    "yet. Say how far you came, or carry it over once the cycle is there."
                )
            }
        )
    if not pledges.may_write(by):
        raise ValidationError(
            {
                "outcome": _(
                    "It is carried over within a partnership, and your school is in none today. "
                    "Say how far you came."
                )
            }
        )
    same = queries.promised_alike(pledge, cycle)
    if same is None:
        same = _drafted_anew(pledge, cycle, by)
    if same.carried_from_id is None:
        same.carried_from = pledge
        save(same)
        audit.record("accountability.carry_over", by=by, target=same)
    return same


def _drafted_anew(pledge: Pledge, cycle: Cycle, by: Appointment) -> Pledge:
    """The same promise as a draft, in its words; nothing of it is promised until it is vowed."""
    words = promises.Words(
        half=pledge.half,
        priority=pledge.priority,
        indicator=pledge.indicator,
        target=pledge.target,
        due=min(cycle.ends, directory.today() + promises.FARTHEST),
        promise=pledge.promise,
        will_do=pledge.will_do,
        needs=pledge.needs,
        other_school=pledge.other_school,
        audience=pledge.audience,
        names_no_pupil=True,  # somebody looked when it was written
    )
    try:
        return promises.write(words, cycle, by=by)
    except ValidationError as problem:
        raise ValidationError(
            {
                "outcome": _(
                    "It cannot be carried over as it is: {why} Say how far you came, and write a "
                    "new promise."
                ).format(why=" ".join(problem.messages))
            }
        ) from problem
