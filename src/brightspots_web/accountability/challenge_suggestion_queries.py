"""Which schools a planner might send somebody to next: by evidence, and by rotation.

Evidence is what is published, with its interval, and a reason for a look from outside, never a
verdict. Rotation sees to it that schools of which nothing is known have their turn as well.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

from django.db.models import OuterRef, QuerySet, Subquery

from brightspots_web.accountability import challenge_queries as queries
from brightspots_web.accountability import challenge_words as words
from brightspots_web.accountability.models import ChallengeVisit
from brightspots_web.alignment import queries as alignment
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, School
from brightspots_web.insight import progress_queries
from brightspots_web.insight import queries as insight

AT_ONCE = 8
"""So many suggestions on a page."""
LIKELY = 0.5
"""A figure is a reason for a visit where it is more likely than not that help is well spent."""
REST = timedelta(days=365)
"""No second visit by evidence within a year."""
Why = ChallengeVisit.Why


@dataclass(frozen=True)
class Suggestion:
    school: School
    why: str
    why_words: str
    last: date | None = None


def suggestions(by: Appointment, area: Area | None = None) -> list[Suggestion]:
    """Schools this planner might choose next, each once, by name."""
    share = queries.settings_now().by_evidence_share
    schools = queries.schools_planned_by(by).exclude(pk__in=queries.busy())
    if area is not None:
        schools = schools.filter(directory.within(area))
    by_evidence = _by_evidence(schools, round(AT_ONCE * share / 100))
    found = {each.school.pk: each for each in by_evidence}
    for each in _by_rotation(schools.exclude(pk__in=list(found)), AT_ONCE - len(found)):
        found[each.school.pk] = each
    return sorted(found.values(), key=lambda each: (each.school.name, each.school.code))


def suggestion_for(by: Appointment, school: School) -> Suggestion | None:
    """What speaks for a visit to this school now, in words; None where nothing does."""
    this = queries.schools_planned_by(by).filter(pk=school.pk)
    return next(iter(_by_evidence(this, 1) or _by_rotation(this, 1)), None)


def _by_evidence(schools: QuerySet[School], most: int) -> list[Suggestion]:
    run = insight.current_run()
    if run is None or most < 1:
        return []
    scales = insight.scales(run)
    live = [each.subject for each in alignment.live_priorities() if each.subject in scales]
    rested = queries.visited_since(directory.today() - REST)
    rows = progress_queries.likely_in_need(
        schools.exclude(pk__in=rested).order_by().values("pk"),
        live or list(scales),
        at_least=LIKELY,
        run=run,
    )
    found: dict[int, Suggestion] = {}
    for row in rows[: 4 * most]:
        if len(found) < most and row.school_id not in found:
            said = words.evidence(row, scales[row.subject])
            found[row.school_id] = Suggestion(row.school, Why.EVIDENCE, said)
    last = queries.last_visits(found)
    return [
        Suggestion(each.school, each.why, each.why_words, last.get(key))
        for key, each in found.items()
    ]


def _by_rotation(schools: QuerySet[School], most: int) -> list[Suggestion]:
    """Those whose last visit is longest ago; of those that never had one, whom the lot falls on."""
    if most < 1:
        return []
    rows = ChallengeVisit.objects.filter(school=OuterRef("pk"), state__in=queries.HAPPENED)
    dated = schools.annotate(last_visit=Subquery(rows.order_by("-on").values("on")[:1]))
    never = list(dated.filter(last_visit=None).order_by("pk").values_list("pk", "code"))
    lot = sorted(never, key=lambda each: sha256(each[1].encode()).hexdigest())[:most]
    chosen = list(dated.filter(pk__in=[key for key, _code in lot]))
    if len(chosen) < most:
        before = dated.filter(last_visit__isnull=False).order_by("last_visit", "pk")
        chosen += list(before[: most - len(chosen)])
    return [
        Suggestion(each, Why.ROTATION, words.rotation(_last(each)), _last(each)) for each in chosen
    ]


def _last(school: School) -> date | None:
    found: date | None = getattr(school, "last_visit", None)
    return found
