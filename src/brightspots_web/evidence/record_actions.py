"""All writes of track records: asked for, kept, explored with, spoken to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_record_queries as support
from brightspots_web.connectedness.support_record_queries import Project
from brightspots_web.directory.models import Appointment
from brightspots_web.evidence import record_queries as queries
from brightspots_web.evidence.models import (
    ProjectEffect,
    ProjectWords,
    RecordSet,
    RecordSettings,
    TrackRecord,
)
from brightspots_web.insight.models import Run
from brightspots_web.shared import audit, jobs
from brightspots_web.shared import settings_actions as settings
from brightspots_web.shared.models import Job
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Actor, Capability, may
from brightspots_web.shared.pupil_names import look_again

RECKON = "evidence.reckon_records"
KEEP = 3
"""Reckonings whose rows are kept; of older ones stays how they were made."""
MOST_EXPLORED = 50
LONGEST = 1000
CHUNK = 2000


@transaction.atomic
def ask(*, by: Appointment) -> Job:
    """Reckon all records anew from the figures that are published now."""
    if not may(by, Capability.EVALUATE):
        raise PermissionDenied
    return _enqueue(by)


def follow_publishing(by: Appointment) -> Job | None:
    """The published figures are others: records follow, where there is any project at all."""
    return _enqueue(by) if support.anything_over() else None


def _enqueue(by: Appointment) -> Job:
    job = jobs.enqueue(RECKON, by=by, title=_("Track records"), parameters={})
    audit.record("evidence.ask_records", by=by, target=job)
    return job


@transaction.atomic
def keep(
    run: Run,
    found: Mapping[str, Any],
    *,
    by: Actor,
    job: int,
) -> RecordSet:
    """Write one reckoning whole: whoever looks sees the one before or this one.

    Parameters
    ----------
    found : mapping
        `method`, `method_version`, `input_hash`, `settings`, `summary`, and `leaders` and
        `practices`, each with `projects`, `effects` (by project) and `rows` of the records.
    """
    made = RecordSet.objects.create(
        run=run,
        job=job,
        made_at=timezone.now(),
        asked_by=by.label[:300],
        **{name: found[name] for name in
           ("method", "method_version", "input_hash", "settings", "summary")},
    )  # fmt: skip
    newest = queries.newest_priorities()
    for part in ("leaders", "practices"):
        given = found[part]
        effects = list(_effect_rows(made, part, given["projects"], given["effects"]))
        ProjectEffect.objects.bulk_create(effects, batch_size=CHUNK)
        schools = _schools(part, effects)
        TrackRecord.objects.bulk_create(
            [_record_row(made, part, row, schools, newest) for row in given["rows"]],
            batch_size=CHUNK,
        )
    _prune()
    audit.record(
        "evidence.keep_records",
        by=by,
        target=made,
        detail={"run": str(run.uuid), "input_hash": made.input_hash},
    )
    return made


def _effect_rows(
    made: RecordSet, part: str, projects: Sequence[Project], effects: Mapping[int, Any]
) -> Iterable[ProjectEffect]:
    for each in projects:
        its = effects[each.key]
        leads = part == "leaders"
        yield ProjectEffect(
            set=made,
            deployment_id=each.key if leads else None,
            adoption_id=None if leads else each.key,
            person=each.leader if leads else None,
            practice_id=each.practice,
            school=each.school,
            topic=queries.topic_of(each.priority),
            effect=its.effect,
            se=its.se,
            why=its.why,
            before=its.before,
            after=its.after,
            n=its.n,
            n_comparison=its.n_comparison,
        )


def _schools(part: str, effects: Iterable[ProjectEffect]) -> dict[tuple[int, str], set[int]]:
    """Whose record at which topic -> schools behind its measured projects."""
    found: dict[tuple[int, str], set[int]] = defaultdict(set)
    for each in effects:
        whose = each.person_id if part == "leaders" else each.practice_id
        if each.effect is not None and whose is not None:
            found[whose, each.topic].add(each.school_id)
    return found


def _record_row(
    made: RecordSet,
    part: str,
    row: Mapping[str, Any],
    schools: Mapping[tuple[int, str], set[int]],
    newest: Mapping[str, Any],
) -> TrackRecord:
    whose = int(row["who"])
    return TrackRecord(
        set=made,
        person_id=whose if part == "leaders" else None,
        practice_id=whose if part == "practices" else None,
        topic=row["topic"],
        priority=newest.get(row["topic"]),
        n_schools=len(schools.get((whose, row["topic"]), ())),
        **{name: row[name] for name in
           ("n_projects", "n_measured", "estimate", "se", "lower", "upper")},
    )  # fmt: skip


def _prune() -> None:
    """Remove the rows of all but the newest reckonings; how those were made stays on record."""
    kept = RecordSet.objects.filter(rows_removed_at=None).order_by("-pk")
    for old in list(kept[KEEP:]):
        ProjectEffect.objects.filter(set=old).delete()
        TrackRecord.objects.filter(set=old).delete()
        old.rows_removed_at = timezone.now()
        old.save(update_fields=["rows_removed_at"])


@transaction.atomic
def set_exploration(share: int, *, by: Appointment, seen: int | None = None) -> RecordSettings:
    """Set of how many requests in 100 brokering explores."""
    if not may(by, Capability.SET_EVIDENCE):
        raise PermissionDenied
    if not 0 <= share <= MOST_EXPLORED:
        raise ValidationError({"exploration": _("Choose between 0 and 50 of 100.")})
    found = settings.held(RecordSettings, seen=seen)
    before = found.exploration
    if found.pk and before == share:
        return found
    found.exploration = share
    found.changed_by, found.changed_at = by.label[:300], timezone.now()
    found.version += 1
    found.save()
    audit.record(
        "evidence.set_exploration",
        by=by,
        target=found,
        detail={"before": before, "after": share},
    )
    return found


@transaction.atomic
def say(
    project: Project,
    words: str,
    *,
    by: Appointment,
    seen: int | None = None,
    names_no_pupil: bool = False,
) -> ProjectWords:
    """Put a leader's own words beside one of their projects; empty words take them back."""
    if project.leader is None or project.leader.pk != by.person_id:
        raise PermissionDenied
    words = words.strip()
    if len(words) > LONGEST:
        raise ValidationError({"words": _("At most 1000 characters. Say what matters most.")})
    look_again(words, [project.school.name, project.source.name], names_no_pupil)
    audit.one_at_a_time()
    found = (
        ProjectWords.objects.select_for_update(no_key=True).filter(deployment=project.key).first()
    )
    if seen is not None and seen != (found.version if found else 0):
        raise OvertakenError(
            _("You changed these words in another window. What you wrote here is not saved yet.")
        )
    if found is None:
        found = ProjectWords(deployment_id=project.key, version=0)
    elif found.words == words:
        return found
    found.person, found.words, found.at = by.person, words, timezone.now()
    found.version += 1
    found.save()
    audit.record("evidence.say_beside_project", by=by, target=found)
    return found
