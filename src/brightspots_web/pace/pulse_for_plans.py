"""What the pulse tells rollout plans: shares of areas in the days of a plan."""

from collections.abc import Mapping, Sequence
from datetime import date

from brightspots_web.directory.models import Area
from brightspots_web.pace import plan_sources
from brightspots_web.pace import pulse_queries as queries
from brightspots_web.pace.pulse_queries import FREEDOM, QUESTIONS, SUPPORT


@plan_sources.register_pulse
def for_plans(
    areas: Sequence[Area], since: date, until: date
) -> Mapping[int, plan_sources.Felt]:  # fmt: skip
    """What the pulse of areas said in these days, the terms in them together.

    An area that is no step of the pulse, or that may not be shown, is left out.
    """
    terms = [each for each in queries.counted_terms() if since < each.closes <= until]
    if not terms:
        return {}
    keys = {queries.key_of(each): each.pk for each in areas}
    felt: dict[int, plan_sources.Felt] = {}
    for key, rows in queries.histories(list(keys), terms).items():
        shown = {each: [row.of(each) for row in rows if row.of(each).shown] for each in QUESTIONS}
        n = {each: sum(share.n for share in found) for each, found in shown.items()}
        low = {each: sum(share.too_little for share in found) for each, found in shown.items()}
        if all(n.values()):
            felt[keys[key]] = plan_sources.Felt(
                low[SUPPORT] / n[SUPPORT], low[FREEDOM] / n[FREEDOM], min(n.values())
            )
    return felt
