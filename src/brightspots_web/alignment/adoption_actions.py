"""Adopting two or three proposals as the priorities of the whole system, with their aims."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment import actions, living_actions, proposal_actions, queries
from brightspots_web.alignment import adoption_queries as adoptions
from brightspots_web.alignment import ballot_queries as ballots
from brightspots_web.alignment.actions import Wanted
from brightspots_web.alignment.living_actions import Aim, Baseline
from brightspots_web.alignment.models import Adoption, Agreement, Priority, PriorityProposal
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Indicator
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may

T = TypeVar("T")
LONGEST_WHY = 500
LONGEST_REASON = 1000


@dataclass(frozen=True)
class Measured:
    """An indicator of a proposal, and where it stands: a published figure, or by hand, or open."""

    indicator: Indicator
    figure: str = ""
    baseline: Baseline = field(default_factory=Baseline)


@dataclass(frozen=True)
class Taken:
    """A proposal that is adopted, with its aim and its measures."""

    proposal: PriorityProposal
    why: str
    aim: Aim
    measures: Sequence[Measured] = ()


class AimsError(ValidationError):
    """What is wrong with some of those that are to be adopted: `about` has it by proposal."""

    def __init__(self, about: Mapping[int, ValidationError]) -> None:
        self.about = dict(about)
        super().__init__([message for each in about.values() for message in each.messages])


@transaction.atomic
def adopt(
    agreement: Agreement, taken: Sequence[Taken], *, by: Appointment, why: str = "", seen: str = ""
) -> Adoption:
    """Make these proposals the live priorities from today; the proposers are told.

    Pressed twice, they are adopted once.

    Parameters
    ----------
    why
        Needed where they are not exactly those that the ballot chose; everybody can read it.
    seen
        :func:`adoption_queries.mark_of` of what was on the page; "" to take it as it is.

    Raises
    ------
    ValidationError
        Not two or three, not the time, no reason, or an aim or a baseline that cannot be.
    OvertakenError
        A proposal was withdrawn, or the priorities were changed meanwhile.
    """
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    actions.check_number(len(taken))
    audit.one_at_a_time()
    held = Agreement.objects.select_related("cycle").get(pk=agreement.pk)
    adopted = [{"key": each.proposal.pk, "title": each.proposal.title} for each in taken]
    before = adoptions.adoption_of(held)
    if before is not None and _keys(before.adopted) == _keys(adopted):
        return before
    if problem := adoptions.cannot_adopt(held):
        raise ValidationError(problem)
    _check_on_the_table(held, taken)
    if seen and seen != adoptions.mark_of(held):
        raise OvertakenError(
            _("What is on the table, or what is live, changed since you opened this page. What you "
              "wrote is still here and was not saved: look again, then adopt.")
        )  # fmt: skip
    chosen = ballots.chosen(ballots.ballot_of(held))
    why = _reason(why, chosen, taken)
    made = actions.set_priorities(_all_of(taken, _wanted), by=by)
    row = {each.proposal_id: each for each in made}
    _all_of(taken, lambda each: _measure(row[each.proposal.pk], each, by))
    adoption = Adoption.objects.create(
        agreement=held, adopted=adopted, chosen=chosen, why=why, by=by.label[:300],
        at=timezone.now(),
    )  # fmt: skip
    audit.record(
        "alignment.adopt", by=by, target=adoption,
        detail={"adopted": sorted(_keys(adopted)), "chosen": chosen, "otherwise": bool(why)},
    )  # fmt: skip
    proposal_actions.close_after_adoption(held, [each.proposal for each in taken], by=by)
    return adoption


def _keys(adopted: Iterable[dict[str, object]]) -> set[object]:
    return {each["key"] for each in adopted}


def _check_on_the_table(agreement: Agreement, taken: Sequence[Taken]) -> None:
    there = {each.pk for each in ballots.on_the_table(agreement)}
    gone = [each.proposal.title for each in taken if each.proposal.pk not in there]
    if gone:
        raise OvertakenError(
            _("“{title}” is no longer on the table: it was withdrawn or became part of another. "
              "Choose anew.").format(title=gone[0])
        )  # fmt: skip


def _reason(why: str, chosen: Sequence[int], taken: Sequence[Taken]) -> str:
    """The reason where it is needed; "" where the ballot's choice is adopted as it is."""
    if {each.proposal.pk for each in taken} == set(chosen):
        return ""
    why = why.replace("\0", "").strip()
    if not why:
        raise ValidationError(
            {
                "why": _(
                    "These are not the ones that the ballot chose. You may adopt others: say why, "
                    "in words that everybody can read."
                )
                if chosen
                else _("No ballot chose these. Say why you adopt them, for everybody to read.")
            }
        )
    if len(why) > LONGEST_REASON:
        raise ValidationError(
            {"why": _("Keep it under {n} characters.").format(n=LONGEST_REASON)}
        )  # fmt: skip
    return why


def _all_of(taken: Sequence[Taken], do: Callable[[Taken], T]) -> list[T]:
    """Do it for each, and say of all of them together what is wrong."""
    done: list[T] = []
    problems: dict[int, ValidationError] = {}
    for each in taken:
        try:
            done.append(do(each))
        except ValidationError as problem:
            problems[each.proposal.pk] = problem
    if problems:
        raise AimsError(problems)
    return done


def _wanted(taken: Taken) -> Wanted:
    proposal, aim = taken.proposal, _whole(taken.aim)
    why = taken.why.replace("\0", "").strip()
    if len(why) > LONGEST_WHY:
        raise ValidationError({"why": _("Keep it under {n} characters.").format(n=LONGEST_WHY)})
    live = {each.title.casefold(): each.code for each in queries.live_priorities()}
    return Wanted(
        title=proposal.title,
        why=why,
        subject=proposal.subject,
        code=live.get(proposal.title.casefold(), ""),
        proposal=proposal,
        how_good=aim.how_good,
        for_whom=aim.for_whom,
        by_when=aim.by_when,
        drivers=proposal.drivers,
    )


def _whole(aim: Aim) -> Aim:
    """An aim says how good, for whom and by when: all three, or nobody can hold anybody to it."""
    plain = replace(
        aim,
        how_good=" ".join(aim.how_good.replace("\0", "").split()),
        for_whom=" ".join(aim.for_whom.replace("\0", "").split()),
    )
    problems: dict[str, str] = {}
    if not plain.how_good:
        problems["how_good"] = _("Say how good it shall be, so that all know when it is reached.")
    if not plain.for_whom:
        problems["for_whom"] = _("Say for whom: which pupils, in which years.")
    if plain.by_when is None:
        problems["by_when"] = _("Say by when.")
    elif plain.by_when <= directory.today():
        problems["by_when"] = _("This day is past: an aim lies ahead.")
    for name in ("how_good", "for_whom"):
        if len(getattr(plain, name)) > living_actions.LONGEST[name]:
            problems[name] = _("Keep it under {n} characters.").format(
                n=living_actions.LONGEST[name]
            )
    if problems:
        raise ValidationError(problems)
    return plain


def _measure(priority: Priority, taken: Taken, by: Appointment) -> None:
    """Take the proposal's indicators over, each with where it stands today."""
    for each in taken.measures:
        measure = living_actions.measure_by(priority, each.indicator, by=by)
        try:
            if each.figure:
                living_actions.take_published(measure, each.figure, by=by, seen=None)
            elif each.baseline != Baseline():
                living_actions.set_baseline(measure, each.baseline, by=by, seen=None)
        except ValidationError as problem:
            raise _of_indicator(problem, each.indicator) from problem


def _of_indicator(problem: ValidationError, indicator: Indicator) -> ValidationError:
    """The same problem, with the indicator it is about before each field's name."""
    if not hasattr(problem, "error_dict"):
        return ValidationError({f"{indicator.pk}-baseline": problem.messages})
    return ValidationError(
        {f"{indicator.pk}-{name}": words for name, words in problem.message_dict.items()}
    )
