"""What to look for on a visit: built from what the figures say, then what no figure can say.

A visit to a strong school too easily ends in praise. Each question of the first part comes from a
figure and is put so that the answer could be "no, it is something else": other pupils, other
candidates, one good year. The others ask for what can be seen, counted and carried elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from statistics import NormalDist

from django.utils.translation import gettext as _

from brightspots_web.insight import bright_spot_words, words
from brightspots_web.insight.bright_spot_queries import Spot
from brightspots_web.insight.models import Estimate, Sensitivity, SubgroupFigure
from brightspots_web.insight.queries import Standing
from brightspots_web.insight.school_queries import Depth
from brightspots_web.shared.charts import number

MANY_MORE = 1.25
"""Candidates of the last year against the first: more or fewer than this are asked about."""


@dataclass(frozen=True)
class Question:
    """What to find out, and what in the figures makes us ask (empty: nothing in them)."""

    ask: str
    because: str = ""


@dataclass(frozen=True)
class Part:
    heading: str
    questions: Sequence[Question]


def guide(spot: Spot, standings: Sequence[Standing], depth: Depth | None) -> list[Part]:
    """Parts in the order of a day at the school."""
    ours = next((each for each in standings if each.subject == spot.subject), None)
    figures = [
        *_years(ours),
        *_candidates(ours),
        *_outcomes(spot, standings),
        *_groups(spot, depth),
        *_otherwise(spot, depth),
        *_unsure(spot),
    ]
    parts = [Part(_("What the figures make us ask"), figures)] if figures else []
    return [*parts, *_beyond_figures(spot.subject)]


def _years(ours: Standing | None) -> list[Question]:
    """What lasted, or which year differs for certain."""
    if ours is None or ours.now is None or ours.now.years < 2 or len(ours.by_year) < 2:
        year = words.years_phrase(ours.years or ours.scale.years[-1:]) if ours else ""
        return [
            Question(
                _(
                    "Ask for the results of earlier years, on paper if need be. Were they like "
                    "this, and who taught then?"
                ),
                _("Only one year is known ({year}): it cannot show what lasts.").format(year=year),
            )
        ]
    high = max(ours.by_year, key=lambda row: (row.estimate, row.year or 0))
    low = min(ours.by_year, key=lambda row: (row.estimate, -(row.year or 0)))
    if _apart(high, low, of=len(ours.by_year)):
        apart = high.estimate - low.estimate
        return [
            Question(
                _(
                    "What was different in these two years: who taught the class, which pupils, "
                    "which hours? What of the better year is still done?"
                ),
                _("{high} was clearly higher than {low}, by about {points}.").format(
                    high=high.year, low=low.year, points=words.points(ours.scale, apart)
                ),
            )
        ]
    return [
        Question(
            _(
                "What stayed the same over these years: people, books, timetable, habits? What "
                "stayed when teachers or the head changed?"
            ),
            _("It lasted: {years}, and no year differs from another beyond chance.").format(
                years=words.years_phrase(ours.years)
            ),
        )
    ]


def _candidates(ours: Standing | None) -> list[Question]:
    """Whether the number who sat the test grew or shrank: a score can rise by who is entered."""
    if ours is None or len(ours.by_year) < 2:
        return []
    first, last = ours.by_year[0], ours.by_year[-1]
    if first.n <= 0 or last.n <= 0:
        return []
    if last.n * MANY_MORE < first.n:
        ask = _(
            "Who no longer sits the test? Compare the register of the class at the start of the "
            "year with the list of candidates: did weaker pupils leave, repeat, or stay at home?"
        )
    elif last.n > first.n * MANY_MORE:
        ask = _("Where do the additional pupils come from, and were they strong before they came?")
    else:
        return []
    because = _("{before} pupils took the test in {first}, {after} in {last}.").format(
        before=number(first.n, 0), first=first.year, after=number(last.n, 0), last=last.year
    )
    return [Question(ask, because)]


def _outcomes(spot: Spot, standings: Sequence[Standing]) -> list[Question]:
    """Strong throughout points at the school as a whole, strong here alone at the subject."""
    others = [each for each in standings if each.subject != spot.subject and each.now is not None]
    above = [each.subject for each in others if each.verdict == "above"]
    below = [each.subject for each in others if each.verdict == "below"]
    found = []
    if above:
        found.append(
            Question(
                _(
                    "Look for what all classes share: how the head leads lessons, how time is "
                    "kept, how teachers plan together."
                ),
                _("It is above what is expected in {outcomes} as well.").format(
                    outcomes=", ".join(above)
                ),
            )
        )
    elif others:
        found.append(
            Question(
                _(
                    "Look at the teaching of {outcome} itself: who teaches it, with which books, "
                    "in how many hours, and what they do that others here do not."
                ).format(outcome=spot.subject),
                _("It stands out in {outcome} alone, of {n} outcomes.").format(
                    outcome=spot.subject, n=number(len(others) + 1, 0)
                ),
            )
        )
    if below:
        found.append(
            Question(
                _(
                    "Did hours, teachers or attention go to {outcome} at the cost of the other?"
                ).format(outcome=spot.subject),
                _("It is below what is expected in {outcomes}.").format(outcomes=", ".join(below)),
            )
        )
    return found


def _groups(spot: Spot, depth: Depth | None) -> list[Question]:
    """For whom it works: all alike, or some for certain more than others."""
    if depth is None or spot.scale is None:
        return []
    found, all_ahead = [], []
    for dimension, rows in depth.groups:
        if len(rows) < 2:
            continue
        more = max(rows, key=lambda row: (row.estimate, row.group))
        less = min(rows, key=lambda row: (row.estimate, row.group))
        names = {"more": more.group, "less": less.group, "by": words.circumstance(dimension)}
        if _apart(more, less, of=len(rows)):
            found.append(
                Question(
                    _("Watch “{less}” in the lesson: what reaches “{more}” and not them?").format(
                        **names
                    ),
                    _("“{more}” gain clearly more here than “{less}” ({by}).").format(**names),
                )
            )
        elif min(row.lower for row in rows) > 0:
            all_ahead.append(words.circumstance(dimension))
    if all_ahead:
        found.append(
            Question(
                _("Look at how nobody is left behind: who helps a pupil who is stuck, and when?"),
                _("All groups that can be shown are ahead ({by}).").format(by=", ".join(all_ahead)),
            )
        )
    return found


def _apart(more: Estimate | SubgroupFigure, less: Estimate | SubgroupFigure, *, of: int) -> bool:
    """Whether the highest and the lowest of so many differ for certain.

    Bonferroni: any of the k (k - 1) / 2 pairs could have been the one that stands out.
    """
    z = NormalDist().inv_cdf(1 - 0.025 / (of * (of - 1) / 2))
    apart = more.estimate - less.estimate
    return apart > z * hypot(more.se_comparative, less.se_comparative)


def _otherwise(spot: Spot, depth: Depth | None) -> list[Question]:
    """Ways of reckoning in which the lead goes: what to check on the ground."""
    if depth is None or not spot.delta or spot.now is None:
        return []
    asks = {
        Sensitivity.Variant.NO_BACKGROUND: _(
            "Check with your eyes whether the recorded background of the pupils is right."
        ),
        Sensitivity.Variant.PRIOR_ONLY: _(
            "Check with your eyes whether the recorded background of the pupils is right."
        ),
        Sensitivity.Variant.SCHOOL_MEAN: _(
            "Who chooses this school, and whom does it choose? Is there a test or a fee at entry?"
        ),
        Sensitivity.Variant.HEAVY_TAILS: _(
            "Were the tests sat and marked as everywhere? Ask who supervised."
        ),
        Sensitivity.Variant.MISSING_PRIOR: _(
            "Which pupils have no earlier result: newcomers, returners? How do they do?"
        ),
        Sensitivity.Variant.LATEST_YEAR: _("What changed in the latest year?"),
        Sensitivity.Variant.WITHOUT_LATEST: _("What was new in the latest year?"),
    }
    found: dict[str, Question] = {}
    for row in bright_spot_words.lost(depth.variants, spot.now, spot.delta):
        ask = asks[Sensitivity.Variant(row.variant)]
        if ask in found:
            continue
        found[ask] = Question(
            ask,
            _("Reckoned {way}, it would not stand out.").format(
                way=Sensitivity.Variant(row.variant).label
            ),
        )
    return list(found.values())


def _unsure(spot: Spot) -> list[Question]:
    """How likely it is that there is nothing to find."""
    if spot.now is None or spot.now.probability is None or not spot.label:
        return []
    if spot.label == Estimate.Label.BRIGHT_SPOT and spot.now.probability >= 0.9:
        return []
    return [
        Question(
            _(
                "Before you praise: is there a plain reason other than teaching, such as a change "
                "of test, of supervision, or of who came?"
            ),
            _("The chance that it is truly far ahead is {chance}.").format(
                chance=bright_spot_words.percent(spot.now.probability)
            ),
        )
    ]


def _beyond_figures(subject: str) -> list[Part]:
    """What no figure says: put as things to see, to count or to hold in one's hand."""
    outcome = {"outcome": subject}
    return [
        Part(
            _("Teaching"),
            [
                Question(
                    _(
                        "Sit in two lessons of {outcome} with different teachers. How many pupils "
                        "speak or write in the first ten minutes?"
                    ).format(**outcome)
                ),
                Question(
                    _(
                        "Take three exercise books: a strong, a middling and a weak pupil's. How "
                        "often did a teacher write in them, and did the pupil correct it?"
                    )
                ),
                Question(_("How does the teacher know today who did not understand yesterday?")),
            ],
        ),
        Part(
            _("Leadership"),
            [
                Question(_("When was the head last in a lesson, and what changed after it?")),
                Question(
                    _("Ask two teachers apart from each other: what are you working on together?")
                ),
            ],
        ),
        Part(
            _("Use of time"),
            [
                Question(
                    _(
                        "Compare the timetable with what you see: does the lesson start on the "
                        "minute, and how many hours of {outcome} were taught last week?"
                    ).format(**outcome)
                ),
                Question(_("Count who is present against the register, pupils and teachers.")),
            ],
        ),
        Part(
            _("Pupils and parents"),
            [
                Question(_("Ask two pupils: what happens here when you get it wrong?")),
                Question(_("What do parents hear from the school, how often, and in whose words?")),
            ],
        ),
        Part(
            _("Beyond the gate"),
            [
                Question(
                    _(
                        "What of this could a school with fewer means do from Monday, and what "
                        "not? Who here could show it, and what would they need?"
                    )
                ),
                Question(_("What do they want to learn from others? Nobody is strong in all.")),
            ],
        ),
    ]
