"""Who is preferred to lead a partnership: what the school shows, and what support from it brought.

Only records whose figure may be told have a say; whoever has none is taken for average. A share of
schools goes by a draw from what may be, so that those without a record come to lead as well.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import NormalDist, fmean

from brightspots_web.alignment import queries as alignment
from brightspots_web.connectedness import records
from brightspots_web.directory import people_queries as people

Figures = Mapping[int, tuple[float, float]]
"""School's key -> strength and need."""


def lead_strengths(figures: Figures, subjects: Sequence[str]) -> dict[int, float]:
    """School's key -> its strength as a leader of others, SD of pupils.

    The school's own figure, and how far the gain expected of whoever answers for it lies from that
    of all leaders, on average over the priorities.
    """
    own = {school: strength for school, (strength, _need) in figures.items()}
    priorities = [each for each in alignment.live_priorities() if each.subject in set(subjects)]
    heads = people.answering()
    leaders = {heads[school].person_id for school in own if school in heads}
    known = records.outlook(leaders, priorities)
    if not known.records:
        return own
    of_priority: dict[int, list[float]] = defaultdict(list)
    for (_leader, key), each in known.records.items():
        of_priority[key].append(each.gain)
    centre = {key: fmean(gains) for key, gains in of_priority.items()}
    share = known.exploration or 0.0
    found = {}
    for school, strength in own.items():
        person = heads[school].person_id if school in heads else 0
        explores = _uniform(known.seed, "leads", school) < share
        more = []
        for priority in priorities:
            record = known.records.get((person, priority.pk))
            if record is None:
                continue
            gain = record.gain - centre[priority.pk] if record.shown else 0.0
            if explores:
                drawn = _uniform(known.seed, f"lead gain {priority.pk}", school)
                gain += record.se * NormalDist().inv_cdf(drawn)
            more.append(gain)
        found[school] = strength + (fmean(more) if more else 0.0)
    return found


def _uniform(seed: int, kind: str, school: int) -> float:
    """A number in (0, 1) that depends on the seed and the school alone."""
    digest = hashlib.sha256(f"{seed}\n{kind}\n{school}".encode()).digest()
    return (int.from_bytes(digest[:8], "little") + 0.5) / 2.0**64
