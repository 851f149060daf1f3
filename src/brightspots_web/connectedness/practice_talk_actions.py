"""Following a practice, and talking about it."""

from hashlib import sha256

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness import practice_queries as queries
from brightspots_web.connectedness.models import Practice, PracticeComment, PracticeFollow
from brightspots_web.connectedness.practice_actions import held, required, tell_followers
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit
from brightspots_web.shared.pupil_names import MayNamePupilError as MayNamePupilError
from brightspots_web.shared.pupil_names import look_again

LONGEST_COMMENT = 2000


def follow(practice: Practice, *, by: Appointment) -> None:
    """Hear of what happens to a practice."""
    PracticeFollow.objects.get_or_create(
        practice=practice, person=by.person, defaults={"at": timezone.now()}
    )


def unfollow(practice: Practice, *, by: Appointment) -> None:
    PracticeFollow.objects.filter(practice=practice, person=by.person).delete()


@transaction.atomic
def comment(
    practice: Practice, *, by: Appointment, words: str, names_no_pupil: bool = False
) -> PracticeComment:
    """Say something about a published practice; everybody can read it. Twice the same is once.

    Parameters
    ----------
    names_no_pupil
        The person looked again and says that no pupil is named.

    Raises
    ------
    MayNamePupilError
        The words look as if they named one; nothing is saved.
    """
    practice = held(practice, None)
    if practice.state != Practice.State.PUBLISHED or practice.translation_of_id is not None:
        raise PermissionDenied
    words = required(words.replace("\0", ""), "words", LONGEST_COMMENT)
    last = PracticeComment.objects.filter(practice=practice, appointment=str(by.pk)).last()
    if last is not None and last.words == words and last.hidden_at is None:
        return last
    school = practice.school
    known = [practice.title, school.name, school.area.name, by.label]
    look_again(words, known, names_no_pupil)
    said = PracticeComment.objects.create(
        practice=practice, words=words, by=by.label[:300], appointment=str(by.pk),
        at=timezone.now(),
    )  # fmt: skip
    audit.record(
        "connectedness.comment_practice",
        by=by,
        target=practice,
        detail={"comment": said.pk, "words_sha256": sha256(words.encode()).hexdigest()},
    )
    tell_followers(practice, "commented", by=by)
    return said


@transaction.atomic
def hide_comment(said: PracticeComment, *, by: Appointment, why: str = "") -> PracticeComment:
    """Hide a comment: an officer with a reason, or whoever wrote it. It is kept, and logged."""
    said = PracticeComment.objects.select_for_update(no_key=True).get(pk=said.pk)
    own = said.appointment == str(by.pk)
    if not own and not queries.may_hide(by, said.practice):
        raise PermissionDenied
    if said.hidden_at is not None:
        return said
    said.hidden_why = _("taken back by its writer") if own else required(why, "why", 500)
    said.hidden_at, said.hidden_by = timezone.now(), by.label[:300]
    said.save(update_fields=["hidden_at", "hidden_by", "hidden_why"])
    audit.record(
        "connectedness.hide_comment",
        by=by,
        target=said.practice,
        detail={"comment": said.pk, "why": said.hidden_why},
    )
    return said
