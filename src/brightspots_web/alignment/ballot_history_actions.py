"""Writing down what was so before this installation: a ballot that was held, and its adoption."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment import agreement_queries as calendar
from brightspots_web.alignment import ballot_actions as actions
from brightspots_web.alignment import ballot_queries as queries
from brightspots_web.alignment.ballot_count import METHOD, VERSION
from brightspots_web.alignment.models import Adoption, Agreement, Ballot, Priority, Tier, Vote
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit

NOON = time(12)


@transaction.atomic
def write_down(
    agreement: Agreement,
    papers: Mapping[int, Sequence[int]],
    *,
    by: Appointment,
    seats: int,
    opened_by: str,
) -> Ballot:
    """Write down a ballot of schools that was held before, and count it.

    For whoever has the machine's shell: a system that voted before it had this software, and the
    sample. The proposals still on the table were its choices; the calendar has its days. Nobody is
    told.

    Parameters
    ----------
    papers
        School's key -> keys of proposals, the most wanted first. They are shuffled at once.

    Raises
    ------
    PermissionDenied
        For anybody else.
    ValidationError
        The days of the ballot are not over, there is one already, or nothing to choose from.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied
    audit.one_at_a_time()
    proposals = queries.drawn(agreement)
    if calendar.has_ballot(agreement) or directory.today() < agreement.adopt_from:
        raise ValidationError(_("Only a ballot that is over, and is not there, is written down."))
    if len(proposals) <= seats:
        raise ValidationError(_("There are not more proposals than places."))
    ballot = Ballot.objects.create(
        agreement=agreement,
        choices=[{"key": each.pk, "title": each.title, "withdrawn": False} for each in proposals],
        seats=seats,
        seed=queries.seed_for(agreement, proposals),
        weights={Tier.SCHOOL.value: 1},
        method=METHOD[:100],
        method_version=VERSION,
        opened_at=_at(agreement.ballot_from),
        opened_by=opened_by[:300],
        closes_on=agreement.adopt_from,
    )
    actions.list_voters(ballot)
    voters = ballot.voters.filter(school__in=papers)
    given = [list(papers[key]) for key in voters.values_list("school", flat=True) if key]
    voters.update(voted=True)
    Vote.objects.bulk_create(
        [
            Vote(id=key, ballot=ballot, tier=Tier.SCHOOL, ranking=ranking)
            for key, ranking in zip(sorted(actions.free_keys(len(given))), given, strict=True)
        ],
        batch_size=actions.AT_ONCE,
    )
    actions.count_up(ballot, by=by, who=_("by itself, on the day announced"))
    ballot.closed_at = _at(agreement.adopt_from)
    ballot.reminded = list(actions.REMINDED_AT)
    ballot.save()
    return ballot


@transaction.atomic
def date_back(adoption: Adoption, on: date, *, by: Appointment) -> Adoption:
    """Let an adoption of today have been on an earlier day, and its priorities with it."""
    if by.person.email != OPERATOR:
        raise PermissionDenied
    if on > directory.today():
        raise ValidationError(_("This day is still to come."))
    held = Adoption.objects.select_for_update(no_key=True).get(pk=adoption.pk)
    keys = [each["key"] for each in held.adopted]
    before = timezone.localtime(held.at).date()
    Priority.objects.filter(proposal__in=keys, starts=before).update(starts=on)
    held.at = _at(on)
    held.save(update_fields=["at"])
    audit.record(
        "alignment.date_back", by=by, target=held,
        detail={"from": before.isoformat(), "to": on.isoformat()},
    )  # fmt: skip
    return held


def _at(on: date) -> datetime:
    return timezone.make_aware(datetime.combine(on, NOON))
