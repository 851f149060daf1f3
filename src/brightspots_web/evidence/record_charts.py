"""Charts of a track record: what to expect by priority, and what each own project brought."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from brightspots_web.evidence import record_queries as queries
from brightspots_web.evidence import record_words as words
from brightspots_web.shared import charts

LABEL = 30
"""Characters of a label that leave room for its value on a phone."""


def expected(told: Sequence[queries.Told]) -> charts.Chart | None:
    """A row for each priority with a figure that may be told."""
    rows = [
        charts.Estimate(
            _short(each.title or _("No priority")),
            each.record.estimate,
            each.record.lower,
            each.record.upper,
            each.n_measured,
        )
        for each in told
        if each.record is not None
    ]
    return _draw("expected", _("Gain to expect, by priority"), rows)


def brought(done: Sequence[queries.Done]) -> charts.Chart | None:
    """A row for each measured project, for its leader alone; the newest first, as below it."""
    rows = []
    for each in done:
        effect = each.effect
        if effect is None or effect.effect is None or effect.se is None:
            continue
        reach = words.LIKELY * effect.se
        label = _("{year}: {school}").format(
            year=each.project.starts.year, school=each.project.school.name
        )
        rows.append(
            charts.Estimate(
                _short(label), effect.effect, effect.effect - reach, effect.effect + reach, effect.n
            )
        )
    return _draw("brought", _("What they brought"), rows)


def _draw(key: str, title: str, rows: Sequence[charts.Estimate]) -> charts.Chart | None:
    if not rows:
        return None
    return charts.intervals(
        key=key, title=title, rows=rows, unit=_("SD of pupils"), digits=2,
        zero_means=_("as without help"),
    )  # fmt: skip


def _short(label: str) -> str:
    return label if len(label) <= LABEL else f"{label[: LABEL - 1].rstrip()}…"
