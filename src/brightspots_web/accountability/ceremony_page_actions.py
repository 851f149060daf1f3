"""Saying, at the end of a cycle, what a school learned from its promises."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.accountability import ceremony_page_queries as queries
from brightspots_web.accountability.pledge_actions import check_names, known_names, plain, too_long
from brightspots_web.accountability.pledge_models import PledgeSet
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

LONGEST_LEARNED = 2000


@transaction.atomic
def tell_learned(
    of_set: PledgeSet,
    words: str,
    *,
    by: Appointment,
    seen: int | None,
    names_no_pupil: bool = False,
) -> PledgeSet:
    """Say what the school learned, or say it better; sent twice, it is said once.

    Everybody reads it who reads one of the school's promises of the cycle; the audit trail, which
    others read, says that it was told and not what.

    Raises
    ------
    PermissionDenied
        Somebody who does not answer for the school, or it has promised nothing.
    OvertakenError
        Somebody else was quicker; nothing is saved.
    """
    rows = PledgeSet.objects.select_for_update(of=("self",), no_key=True)
    found = rows.select_related("school__area", "partnership", "cycle").get(pk=of_set.pk)
    if not queries.may_tell(by, found):
        raise PermissionDenied
    words = plain(words)
    if words == found.learned and words:
        return found
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody of your school changed these words since you opened the page. What you "
                "wrote is still here and was not saved: read theirs, then send yours if it still "
                "holds."
            )
        )
    if not words and not found.learned:
        raise ValidationError({"learned": _("Write what you learned: others learn from it.")})
    if len(words) > LONGEST_LEARNED:
        raise ValidationError({"learned": too_long(LONGEST_LEARNED)})
    known = [*known_names(found.school), found.partnership.name, found.cycle.name]
    check_names(words, known, names_no_pupil)
    found.learned, found.learned_by = words, by.label[:300] if words else ""
    found.version += 1
    found.save(update_fields=["learned", "learned_by", "version"])
    audit.record("accountability.tell_learned", by=by, target=found)
    return found
