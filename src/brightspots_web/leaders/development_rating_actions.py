"""Rating oneself against evidence, asking colleagues, answering them, and sharing it.

The audit trail says that somebody rated, asked or answered; whom, how and in which words stays
with those it concerns.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import colleague_queries as colleagues
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders import development_queries as queries
from brightspots_web.leaders.models import Competence, CompetenceRating, DevelopmentShare
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

LONGEST_EVIDENCE = 2000
MOST_ASKED = 12
"""So many colleagues can be asked at a time: their time is asked for."""


@dataclass(frozen=True)
class Said:
    """A level from 1 to 4, and what shows it."""

    level: int
    evidence: str
    seen: int | None = None
    """The version of the competence whose sentences were read."""


@transaction.atomic
def rate_self(competence: Competence, said: Said, *, by: Appointment) -> CompetenceRating:
    """Say how far one is in a competence, and what shows it. What was said before is kept.

    Raises
    ------
    ValidationError
        Nothing is written that shows it, or there is no such level.
    OvertakenError
        The sentences were changed since the page was opened.
    """
    if not queries.may_grow(by):
        raise PermissionDenied
    competence = _held(competence, said.seen)
    said = _checked(said)
    before = queries.newest_own(by.person, competence)
    if before is not None and (before.level, before.evidence) == (said.level, said.evidence):
        return before
    now = timezone.now()
    rating = CompetenceRating.objects.create(
        leader=by.person, competence=competence, rater=by.person, asked_at=now,
        **_words(competence, said, now),
    )  # fmt: skip
    audit.record("leaders.rate_self", by=by)
    return rating


@transaction.atomic
def ask(
    people: Iterable[Person], competences: Iterable[Competence], *, by: Appointment
) -> int:  # fmt: skip
    """Ask colleagues how they see one; who was asked already is not asked twice.

    Returns
    -------
    int
        How many colleagues were asked something new.
    """
    if not queries.may_grow(by):
        raise PermissionDenied
    chosen = list({each.pk: each for each in people}.values())
    wanted = [each for each in competences if each.retired_at is None]
    if not chosen:
        raise ValidationError({"people": _("Choose at least one colleague.")})
    if not wanted:
        raise ValidationError({"competences": _("Choose at least one competence.")})
    if not all(colleagues.is_colleague(by, each.pk) for each in chosen):
        raise PermissionDenied
    audit.one_at_a_time()  # asked twice at once is asked once
    open_now = {(row.rater_id, row.competence_id) for row in queries.asked_by(by.person)}
    if len({rater for rater, _c in open_now} | {each.pk for each in chosen}) > MOST_ASKED:
        raise ValidationError(
            {
                "people": _(
                    "At most {n} colleagues can be asked at a time. Wait for answers, or take a "
                    "question back."
                ).format(n=MOST_ASKED)
            }
        )
    now = timezone.now()
    rows = [
        CompetenceRating(leader=by.person, competence=each, rater=person, asked_at=now)
        for person in chosen
        for each in wanted
        if (person.pk, each.pk) not in open_now
    ]
    CompetenceRating.objects.bulk_create(rows)
    told = [person for person in chosen if person.pk in {row.rater_id for row in rows}]
    if told:
        audit.record("leaders.ask_to_rate", by=by, detail={"colleagues": len(told)})
        kind = "leaders.asked_to_rate"
        notices.notify(told, kind, {"leader": by.person_id}, key=f"{kind}:{by.person_id}")
    return len(told)


@transaction.atomic
def take_back(person: int, *, by: Appointment) -> None:
    """No longer ask a colleague; what the colleague said already stays."""
    rows = CompetenceRating.objects.filter(leader=by.person_id, rater=person, level=None)
    if rows.delete()[0]:
        audit.record("leaders.take_back_asking", by=by)


@transaction.atomic
def answer(leader: int, said: Mapping[int, Said], *, by: Appointment) -> int:
    """Say how one sees a colleague who asked, for some or all of what was asked.

    Parameters
    ----------
    leader : int
        Key of the colleague.
    said : mapping
        Key of a competence -> what is said of it.

    Raises
    ------
    PermissionDenied
        This was not asked, or was answered or taken back since.
    OvertakenError
        The sentences were changed since the page was opened; nothing is saved.
    """
    rows = CompetenceRating.objects.select_for_update(of=("self",), no_key=True).filter(
        leader=leader, rater=by.person_id, level=None
    )
    asked = {row.competence_id: row for row in rows.select_related("competence", "leader")}
    if not said:
        raise ValidationError(_("Choose a sentence for at least one competence."))
    if not set(said) <= set(asked):
        raise PermissionDenied
    now = timezone.now()
    for key, each in said.items():
        row = asked[key]
        competence = _held(row.competence, each.seen)
        for name, value in _words(competence, _checked(each), now).items():
            setattr(row, name, value)
        row.save()
    audit.record("leaders.answer_rating", by=by, detail={"competences": len(said)})
    person = asked[next(iter(said))].leader
    kind = "leaders.rating_answered"
    notices.notify([person], kind, key=f"{kind}:{by.person_id}")
    return len(said)


@transaction.atomic
def decline(leader: int, *, by: Appointment) -> None:
    """Say that one cannot tell; the colleague hears of it and may ask somebody else."""
    rows = CompetenceRating.objects.filter(leader=leader, rater=by.person_id, level=None)
    people = [row.leader for row in rows.select_related("leader")[:1]]
    if not people:
        return
    rows.delete()
    audit.record("leaders.decline_rating", by=by)
    notices.notify(people, "leaders.rating_declined", key=f"declined:{by.person_id}")


@transaction.atomic
def share(person: Person, *, by: Appointment) -> DevelopmentShare:
    """Let a colleague see how one grows, until it is taken back."""
    if not queries.may_grow(by):
        raise PermissionDenied
    if not colleagues.is_colleague(by, person.pk):
        raise PermissionDenied
    found, made = DevelopmentShare.objects.get_or_create(
        leader=by.person, person=person, defaults={"at": timezone.now()}
    )
    if made:
        audit.record("leaders.share_development", by=by)
        kind = "leaders.development_shared"
        notices.notify([person], kind, {"leader": by.person_id}, key=f"{kind}:{by.person_id}")
    return found


@transaction.atomic
def stop_sharing(person: int, *, by: Appointment) -> None:
    """From now on the colleague sees nothing any more."""
    rows = DevelopmentShare.objects.filter(leader=by.person_id, person=person)
    if rows.delete()[0]:
        audit.record("leaders.stop_sharing_development", by=by)


def _held(competence: Competence, seen: int | None) -> Competence:
    """The competence as it reads, kept so until this is saved."""
    found = Competence.objects.select_for_update(no_key=True).get(pk=competence.pk)
    if found.retired_at is not None:
        raise ValidationError(_("This competence was taken out of the framework meanwhile."))
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "The sentences were changed since you opened this page. What you wrote is still "
                "here and was not saved: read them again, then choose."
            )
        )
    return found


def _checked(said: Said) -> Said:
    evidence = said.evidence.replace("\0", "").strip()
    if said.level not in range(1, 5):
        raise ValidationError({"level": _("Choose the sentence that fits best.")})
    if not evidence:
        raise ValidationError(
            {"evidence": _("Write what shows it: what happened, where, and what came of it.")}
        )
    if len(evidence) > LONGEST_EVIDENCE:
        raise ValidationError(
            {"evidence": _("Keep it under {n} characters.").format(n=LONGEST_EVIDENCE)}
        )
    return Said(said.level, evidence, said.seen)


def _words(competence: Competence, said: Said, now: datetime) -> dict[str, object]:
    return {
        "level": said.level,
        "evidence": said.evidence,
        "said": competence.levels[said.level - 1][:400],
        "competence_version": competence.version,
        "at": now,
    }
