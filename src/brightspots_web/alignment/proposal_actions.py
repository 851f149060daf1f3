"""Writing proposals for priorities, proposing, changing and withdrawing them.

Order of locks: the head of the audit trail, then rows. Proposals are few and rarely written; so
that a withdrawal and the opening of a ballot see each other, one follows the other.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment import agreement_queries as calendar
from brightspots_web.alignment import agreement_words, ballot_actions, driver_outline
from brightspots_web.alignment import proposal_queries as queries
from brightspots_web.alignment.models import Agreement, MergeWish, PriorityProposal
from brightspots_web.alignment.proposal_evidence import evidence_of
from brightspots_web.alignment.proposal_queries import Voice
from brightspots_web.directory import indicator_queries
from brightspots_web.directory.models import Appointment, Indicator, Person
from brightspots_web.insight import queries as insight
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may

State = PriorityProposal.State
LONGEST = {"title": 120, "why": 2000, "drivers": 4000}
LONGEST_REASON = 500
MOST_INDICATORS = 6
"""By more than these nobody can say whether something got better."""
CLOSED = "alignment.proposal_closed"
MERGE_DECLINED = "alignment.merge_declined"


@dataclass(frozen=True)
class Text:
    """A proposal as somebody writes it."""

    title: str
    why: str
    subject: str = ""
    indicators: tuple[str, ...] = ()
    """Codes."""
    drivers: str = ""


@transaction.atomic
def write_draft(
    agreement: Agreement, voice: Voice, text: Text, *, by: Appointment
) -> PriorityProposal:
    """Write a proposal as a draft, for a place the appointment acts for. Pressed twice, once.

    Raises
    ------
    PermissionDenied
        The appointment proposes for nobody, or not for this place.
    ValidationError
        The time for proposals is over, or a part of the text cannot be.
    """
    if voice not in queries.voices_of(by):
        raise PermissionDenied
    text, indicators = _checked(text, by)
    audit.one_at_a_time()
    if calendar.phase_of(agreement) not in {"before", "propose"}:
        raise ValidationError(agreement_words.not_in_this_phase(agreement, "propose"))
    same = PriorityProposal.objects.filter(
        agreement=agreement, state=State.DRAFT, appointment=str(by.pk), title=text.title,
        why=text.why, **voice.fields,
    ).first()  # fmt: skip
    if same is not None:
        return same
    now = timezone.now()
    proposal = PriorityProposal(
        agreement=agreement, by=by.label[:300], appointment=str(by.pk), at=now, changed_at=now,
        **voice.fields,
    )  # fmt: skip
    _take(proposal, text)
    proposal.full_clean()
    proposal.save(force_insert=True)
    proposal.indicators.set(indicators)
    audit.record("alignment.write_draft", by=by, detail=_detail(proposal))
    return proposal


@transaction.atomic
def change(
    proposal: PriorityProposal,
    text: Text,
    *,
    by: Appointment,
    seen: int | None,
    renew: bool = False,
) -> PriorityProposal:
    """Change what a proposal says, as long as the calendar lets it.

    Parameters
    ----------
    seen
        The version the person had before them; None to take whatever is there.
    renew
        Take the newest published figures; those of another outcome are taken anyway.

    Raises
    ------
    OvertakenError
        Somebody else changed it meanwhile; nothing is saved.
    """
    held = _held(proposal, seen)
    if not queries.may_answer(by, held):
        raise PermissionDenied
    _must_be_changeable(held)
    text, indicators = _checked(text, by, held)
    before = {**_words(held), "indicators": sorted(_codes(held))}
    after = {**_words_of(text), "indicators": sorted(each.code for each in indicators)}
    changed = sorted(name for name in after if before[name] != after[name])
    if not changed and not renew:
        return held
    if held.state == State.OPEN and "title" in changed:
        _check_title(held, text.title)
    _take(held, text)
    if held.state == State.OPEN and ("subject" in changed or renew):
        held.evidence = evidence_of(held.subject)
    _save(held)
    held.indicators.set(indicators)
    audit.record(
        "alignment.change_proposal",
        by=by,
        target=held if held.state != State.DRAFT else None,  # its title is its writers' yet
        detail=_detail(held) | {"changed": changed, "renewed": renew},
    )
    return held


@transaction.atomic
def propose(proposal: PriorityProposal, *, by: Appointment, seen: int | None) -> PriorityProposal:
    """Put a draft on the table, with the need as it is published today. Twice is once."""
    held = _held(proposal, None)
    if not queries.may_answer(by, held):
        raise PermissionDenied
    if held.state == State.OPEN:
        return held
    _must_be_seen(held, seen)
    if held.state != State.DRAFT:
        raise ValidationError(_("Only a draft can be proposed."))
    if calendar.phase_of(held.agreement) != "propose":
        raise ValidationError(agreement_words.not_in_this_phase(held.agreement, "propose"))
    _check_title(held, held.title)
    held.state, held.at = State.OPEN, timezone.now()
    held.by, held.appointment = by.label[:300], str(by.pk)
    held.evidence = evidence_of(held.subject)
    _save(held)
    audit.record("alignment.propose", by=by, target=held, detail=_detail(held))
    return held


@transaction.atomic
def discard(proposal: PriorityProposal, *, by: Appointment, seen: int | None) -> None:
    """Throw a draft away: nobody else has seen it. What was proposed is withdrawn instead."""
    held = _held(proposal, seen)
    if not queries.may_answer(by, held):
        raise PermissionDenied
    if held.state != State.DRAFT:
        raise ValidationError(_("It was proposed by now: withdraw it, with a reason."))
    audit.record("alignment.discard_draft", by=by, detail=_detail(held))
    held.delete()


@transaction.atomic
def withdraw(
    proposal: PriorityProposal, *, by: Appointment, why: str, seen: int | None
) -> PriorityProposal:
    """Take a proposal off the table, with a reason that everybody can read.

    Possible until the priorities are adopted; during the ballot it is struck from the paper.
    Wishes to merge it are declined with it.
    """
    held = _held(proposal, None)
    if not queries.may_answer(by, held):
        raise PermissionDenied
    if held.state == State.WITHDRAWN:
        return held
    _must_be_seen(held, seen)
    if not queries.can_be_withdrawn(held):
        raise ValidationError(
            _("This proposal is {state}: there is nothing to withdraw.").format(
                state=held.get_state_display()
            )
        )
    held.closed_why = _reason(why)
    held.state = State.WITHDRAWN
    _save(held)
    decline_wishes(held, by=by)
    ballot_actions.note_withdrawal(held, by=by)
    audit.record(
        "alignment.withdraw_proposal", by=by, target=held,
        detail={"why_sha256": sha256(held.closed_why.encode()).hexdigest()},
    )  # fmt: skip
    return held


@transaction.atomic
def decline_wishes(
    proposal: PriorityProposal, *, by: Appointment, but: int | None = None
) -> list[MergeWish]:
    """Decline the wishes that wait on a proposal which can no longer be merged; tell the others."""
    waiting = [each for each in queries.wishes_of(proposal) if each.pk != but]
    for each in waiting:
        each.state = MergeWish.State.DECLINED
        each.save(update_fields=["state"])
        audit.record("alignment.decline_merge", by=by, target=proposal, detail={"wish": each.pk})
        other = each.into if each.proposal_id == proposal.pk else each.proposal
        tell_answering(other, MERGE_DECLINED, {"wish": each.pk}, key=f"wish-{each.pk}", but=by)
    return waiting


@transaction.atomic
def close_after_adoption(
    agreement: Agreement, adopted: Collection[PriorityProposal], *, by: Appointment
) -> None:
    """Say of every proposal on the table whether it was adopted, and tell whoever answers for it.

    Called within the adoption. Drafts stay drafts; what was merged or withdrawn stays so.
    """
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    chosen = {each.pk for each in adopted}
    rows = PriorityProposal.objects.select_for_update(no_key=True).filter(
        agreement=agreement, state=State.OPEN
    )
    closed = []
    for each in rows.order_by("pk"):
        each.state = State.ADOPTED if each.pk in chosen else State.NOT_ADOPTED
        if each.state == State.NOT_ADOPTED:
            each.closed_why = _("Two or three others were adopted.")
        _save(each)
        decline_wishes(each, by=by)
        tell_answering(each, CLOSED, {"proposal": each.pk}, key=f"proposal-{each.pk}", but=by)
        closed.append(each.pk)
    audit.record(
        "alignment.close_proposals", by=by, target=agreement,
        detail={"adopted": sorted(chosen), "closed": closed},
    )  # fmt: skip


# What several of them need


def tell_answering(
    proposal: PriorityProposal,
    kind: str,
    data: dict[str, Any],
    *,
    key: str,
    but: Appointment | None = None,
) -> None:
    """Tell whoever answers for a proposal today, but not whoever acts."""
    people: Iterable[Person] = (
        each.person for each in queries.answering_for(proposal).appointments
    )
    others = [each for each in people if but is None or each.pk != but.person_id]
    notices.notify(others, kind, data, key=key)


def _held(proposal: PriorityProposal, seen: int | None) -> PriorityProposal:
    """The row, held until the transaction ends; refused where it is not the one that was seen."""
    audit.one_at_a_time()
    found = (
        PriorityProposal.objects.select_for_update(of=("self",), no_key=True)
        .select_related(
            "agreement__cycle", "school__area", "partnership__lead_school__area", "area"
        )
        .get(pk=proposal.pk)
    )
    _must_be_seen(found, seen)
    return found


def _must_be_seen(held: PriorityProposal, seen: int | None) -> None:
    if seen is not None and seen != held.version:
        raise OvertakenError(
            _(
                "Somebody changed this proposal since you opened it. What you wrote is still here "
                "and was not saved: look at the proposal, then save yours if it still holds."
            )
        )


def _must_be_changeable(held: PriorityProposal) -> None:
    if queries.can_be_changed(held):
        return
    if held.state == State.DRAFT:
        raise ValidationError(agreement_words.not_in_this_phase(held.agreement, "propose"))
    if held.state == State.OPEN:
        raise ValidationError(
            _("The text holds from the end of the consultation. {now}").format(
                now=agreement_words.where_we_are(held.agreement)
            )
        )
    raise ValidationError(
        _("This proposal is {state} and stays as it is.").format(state=held.get_state_display())
    )


def _check_title(proposal: PriorityProposal, title: str) -> None:
    """Two that are called the same could not be told apart on a ballot paper."""
    others = PriorityProposal.objects.filter(
        agreement=proposal.agreement_id, state=State.OPEN, title__iexact=title
    )
    if others.exclude(pk=proposal.pk).exists():
        raise ValidationError(
            {
                "title": _(
                    "Somebody proposed “{title}” already. Say there what you would add, wish that "
                    "the two become one, or give yours a title of its own."
                ).format(title=title)
            }
        )


def _take(proposal: PriorityProposal, text: Text) -> None:
    for name, value in _words_of(text).items():
        setattr(proposal, name, value)


def _words_of(text: Text) -> dict[str, Any]:
    return {name: value for name, value in asdict(text).items() if name != "indicators"}


def _words(proposal: PriorityProposal) -> dict[str, Any]:
    return {name: getattr(proposal, name) for name in ("title", "why", "subject", "drivers")}


def _codes(proposal: PriorityProposal) -> list[str]:
    return list(proposal.indicators.values_list("code", flat=True))


def _save(proposal: PriorityProposal) -> None:
    proposal.version += 1
    proposal.changed_at = timezone.now()
    proposal.save()


def _checked(
    text: Text, by: Appointment, present: PriorityProposal | None = None
) -> tuple[Text, list[Indicator]]:
    """The text without what cannot be kept, and its indicators; or every problem, by field."""
    problems: dict[str, Any] = {}
    title = " ".join(text.title.replace("\0", "").split())
    why = text.why.replace("\0", "").replace("\r\n", "\n").strip()
    drivers = text.drivers.replace("\0", "").replace("\r\n", "\n").rstrip()
    for name, value in (("title", title), ("why", why), ("drivers", drivers)):
        if len(value) > LONGEST[name]:
            problems[name] = _("Keep it under {n} characters.").format(n=LONGEST[name])
        elif not value and name != "drivers":
            problems[name] = _("Write a few words here.")
    if "drivers" not in problems:
        try:
            driver_outline.parse(drivers)
        except ValidationError as unread:
            problems["drivers"] = unread.messages
    known = [*insight.subjects(), present.subject if present else ""]
    if text.subject and text.subject not in known:
        problems["subject"] = _("Choose one of the outcomes with published figures, or none.")
    wanted = set(text.indicators)
    known_ones = indicator_queries.indicators_visible_to(by)
    indicators = list(known_ones.filter(code__in=wanted))
    if len(indicators) != len(wanted):
        problems["indicators"] = _("Choose among the indicators of the directory.")
    elif len(wanted) > MOST_INDICATORS:
        problems["indicators"] = _("Choose at most {n}: what is measured is done.").format(
            n=MOST_INDICATORS
        )
    if problems:
        raise ValidationError(problems)
    return Text(title, why, text.subject, text.indicators, drivers), indicators


def _reason(why: str) -> str:
    why = why.replace("\0", "").strip()
    if not why:
        raise ValidationError({"why": _("Say why in a few words: everybody can read it.")})
    if len(why) > LONGEST_REASON:
        raise ValidationError({"why": _("Keep it under {n} characters.").format(n=LONGEST_REASON)})
    return why


def _detail(proposal: PriorityProposal) -> dict[str, object]:
    """Which text it was, without the text itself."""
    whole = "\n".join(str(value) for value in _words(proposal).values())
    return {
        "proposal": proposal.pk,
        "agreement": proposal.agreement_id,
        "tier": proposal.tier,
        "state": proposal.state,
        "version": proposal.version,
        "run": proposal.evidence.get("run", ""),
        "text_sha256": sha256(whole.encode()).hexdigest(),
    }
