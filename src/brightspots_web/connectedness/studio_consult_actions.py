"""Asking the schools what they think of a proposal, and their answers."""

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness import studio_consult_queries as queries
from brightspots_web.connectedness.models import ConsultationReply, Proposal, ProposalChange
from brightspots_web.connectedness.studio_actions import locked, next_version
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.directory.partnership_queries import heads_of
from brightspots_web.notices.actions import notify
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

OPENED = "connectedness.consultation_opened"
LONGEST_REASON = 1000
LONGEST = timedelta(days=366)
"""Schools that were asked for longer than a year would have been forgotten."""


@transaction.atomic
def consult(
    proposal: Proposal, until: date, *, by: Appointment, version: int | None
) -> ProposalChange:
    """Ask every school of a proposal what it thinks, until a day (that day included).

    Again, with another day, for a longer or shorter time.
    """
    held = locked(proposal, by=by, version=version)
    if until < directory.today():
        raise ValidationError({"until": _("This day is past. Give the schools some time.")})
    if until > directory.today() + LONGEST:
        raise ValidationError({"until": _("This is more than a year away. Check the year.")})
    again = held.status == Proposal.Status.CONSULTING
    if again and held.consult_until == until:
        raise ValidationError({"until": _("The schools are asked until this day already.")})
    held.status = Proposal.Status.CONSULTING
    held.consult_until = until
    change = next_version(held, "consult", {"until": until.isoformat(), "again": again}, by=by)
    asked = {*held.members.values_list("school", flat=True),
             *held.isolations.values_list("school", flat=True)}  # fmt: skip
    people = [each.person for each in heads_of(asked)]
    told = notify(people, OPENED, {"proposal": held.pk, "until": until.isoformat()},
                  key=f"consultation-{held.pk}")  # fmt: skip
    audit.record(
        "connectedness.consult", by=by, target=held,
        detail={"until": until.isoformat(), "schools": len(asked), "told": told},
    )  # fmt: skip
    return change


@transaction.atomic
def reply(
    proposal: Proposal,
    *,
    by: Appointment,
    answer: str,
    reason: str = "",
    about: list[str] | None = None,
    seen: str | None = None,
) -> ConsultationReply:
    """Answer for one's own school: it agrees, or says why not.

    Parameters
    ----------
    about
        Codes of the schools that were shown together, the leader's first; None takes what is
        proposed now.
    seen
        When the answer that was on the page was given, as text; "" for none; None to replace
        whatever there is.

    Raises
    ------
    OvertakenError
        When something else is proposed for the school by now, or somebody else answered for it.
    """
    if not queries.consultations_open_to(by).filter(pk=proposal.pk).exists():
        raise PermissionDenied
    assert by.school_id is not None  # who is asked has a school
    assert by.school is not None
    held = Proposal.objects.select_for_update(no_key=True).get(pk=proposal.pk)
    if held.status != Proposal.Status.CONSULTING or held.consult_until is None:
        raise ValidationError(_("The schools are no longer asked about this proposal."))
    if held.consult_until < directory.today():
        raise ValidationError(
            _("Schools were asked until {day}. Talk with whoever asked you.").format(
                day=formats.date_format(held.consult_until, "DATE_FORMAT")
            )
        )
    reason = reason.strip()
    if answer == ConsultationReply.Answer.CONCERN and not reason:
        raise ValidationError({"reason": _("Say in a few words what speaks against it.")})
    now_about = queries.about_school(held, by.school_id)
    if about is not None and about != now_about:
        raise OvertakenError(
            _("What is proposed for your school changed while you were reading. It is shown below "
              "as it is now; look again, then answer.")
        )  # fmt: skip
    before = queries.reply_of(held, by.school_id)
    now = (answer, reason[:LONGEST_REASON], now_about, by.label[:300])
    if before and (before.answer, before.reason, before.about, before.by) == now:
        return before  # sent twice
    if seen is not None and seen != seen_mark(before):
        raise OvertakenError(
            _("{who} answered for your school in the meantime. Their answer is shown below; yours "
              "takes its place if you send it again.").format(who=before.by if before else "")
        )  # fmt: skip
    given, _made = ConsultationReply.objects.update_or_create(
        proposal=held,
        school=by.school,
        defaults={
            "answer": ConsultationReply.Answer(answer),
            "reason": reason[:LONGEST_REASON],
            "about": now_about,
            "by": by.label[:300],
            "at": timezone.now(),
        },
    )
    audit.record("connectedness.reply", by=by, target=held, detail={"answer": answer})
    return given


def seen_mark(given: ConsultationReply | None) -> str:
    """What tells one answer from a later one."""
    return given.at.isoformat() if given else ""
