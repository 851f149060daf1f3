"""Writing down what a priority means in a partnership.

The audit trail says who wrote and when, and whether it is shared; never the words, since those who
read the trail are not those who may read them.
"""

from hashlib import sha256

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment import living_queries as queries
from brightspots_web.alignment.models import LocalSense, Priority
from brightspots_web.directory import partnership_queries as partnerships
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.pupil_names import MayNamePupilError, may_name_pupil

LONGEST = 2000
KIND = "alignment.local_sense"


@transaction.atomic
def write_sense(
    priority: Priority,
    partnership: Partnership,
    words: str,
    *,
    by: Appointment,
    seen: int | None,
    shared: bool = False,
    names_no_pupil: bool = False,
) -> LocalSense:
    """Say what a priority means here, or say it anew. Pressed twice, it is written once.

    Parameters
    ----------
    seen
        The version the person had before them, 0 where there was none yet; None to take whatever
        is there.
    shared
        Whether the district and the ministry may read it.
    names_no_pupil
        Whether the person looked again at words that look like a pupil's name.

    Raises
    ------
    OvertakenError
        Somebody else of the partnership was quicker; nothing is saved.
    """
    if not queries.may_write_sense(by, partnership):
        raise PermissionDenied
    words = words.replace("\0", "").replace("\r\n", "\n").strip()
    _check(words, priority, partnership, names_no_pupil)
    audit.one_at_a_time()
    priority = Priority.objects.get(pk=priority.pk)
    if not queries.is_live(priority):
        raise ValidationError(_("This priority has ended: what was written stays as it was."))
    found = LocalSense.objects.select_for_update(no_key=True).filter(
        priority=priority, partnership=partnership
    ).first()  # fmt: skip
    if found is not None and (found.words, found.shared) == (words, shared):
        return found
    if seen is not None and seen != (found.version if found else 0):
        raise OvertakenError(
            _(
                "Somebody else of the partnership wrote since you opened this. What you wrote is "
                "still here and was not saved: read theirs, then save yours if it still holds."
            )
        )
    sense = found or LocalSense(priority=priority, partnership=partnership, version=0)
    sense.words, sense.shared = words, shared
    sense.by, sense.at = by.label[:300], timezone.now()
    sense.version += 1
    sense.save()
    detail = {
        "priority": priority.code,
        "version": sense.version,
        "shared": shared,
        "words_sha256": sha256(words.encode()).hexdigest(),
    }
    audit.record("alignment.write_sense", by=by, target=partnership, detail=detail)
    _tell(sense, by)
    return sense


def _check(words: str, priority: Priority, partnership: Partnership, looked: bool) -> None:
    if not words:
        raise ValidationError({"words": _("Say it in a few sentences.")})
    if len(words) > LONGEST:
        raise ValidationError({"words": _("Keep it under {n} characters.").format(n=LONGEST)})
    suspect = may_name_pupil(words, [partnership.name, priority.title, *_schools(partnership)])
    if suspect and not looked:
        raise MayNamePupilError(
            _(
                "“{words}” looks like the name of a pupil. Take the name out, or say below that "
                "it is nobody’s."
            ).format(words=suspect)
        )


def _schools(partnership: Partnership) -> list[str]:
    return [each.school.name for each in directory.memberships_of(partnership)]


def _tell(sense: LocalSense, by: Appointment) -> None:
    """Let the leader and the heads of the partnership know; not their words."""
    members = directory.memberships_of(sense.partnership).values_list("school", flat=True)
    told = [each.person for each in partnerships.heads_of(members)]
    told += list(people.leaders_of(sense.partnership))
    data = {
        "priority": sense.priority.code,
        "title": sense.priority.title,
        "partnership": sense.partnership.code,
        "name": sense.partnership.name,
    }
    others = [person for person in told if person.pk != by.person_id]
    notices.notify(others, KIND, data, key=f"{KIND}:{sense.pk}")
