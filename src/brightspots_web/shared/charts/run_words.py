"""What the rules of run charts find, in words for a reader who knows no rules."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.shared.charts.draw import number
from brightspots_web.shared.charts.run_rules import FEWEST, SHIFT, TREND, Reading


def reading(found: Reading, up_is_better: bool) -> list[str]:
    """Sentences for a reader who knows no rules: what was found, and what that means."""
    if not found.enough:
        return [
            ngettext(
                "Too few points to say: the rules begin at {fewest} points off the median, there "
                "is {n}. What you see may be chance.",
                "Too few points to say: the rules begin at {fewest} points off the median, there "
                "are {n}. What you see may be chance.",
                found.useful,
            ).format(fewest=number(FEWEST, 0), n=number(found.useful, 0))
        ]
    said = [*_shifts(found, up_is_better), *_trends(found, up_is_better), *_runs(found)]
    if not said:
        return [
            _(
                "Nothing here that chance alone would not bring: no shift, no trend, and about as "
                "many runs as chance leaves."
            )
        ]
    return [
        *said,
        _(
            "Something other than chance is likely at work. What it was, those who were there can "
            "say best. Now and then chance alone breaks such a rule too."
        ),
    ]


def _shifts(found: Reading, up_is_better: bool) -> list[str]:
    """One sentence for the shifts on the better side, one for those on the other."""
    said = []
    for up in (True, False):
        longest = max((each.length for each in found.shifts if each.up is up), default=0)
        if longest:
            words = (
                _("A shift: {n} points in a row on the better side of the median.")
                if up is up_is_better
                else _("A shift: {n} points in a row on the other side of the median.")
            )
            said.append(words.format(n=number(longest, 0)))
    return said


def _trends(found: Reading, up_is_better: bool) -> list[str]:
    said = []
    for up in (True, False):
        longest = max((each.length for each in found.trends if each.up is up), default=0)
        if longest:
            words = (
                _("A trend: {n} points in a row, each better than the one before.")
                if up is up_is_better
                else _("A trend: {n} points in a row, each less good than the one before.")
            )
            said.append(words.format(n=number(longest, 0)))
    return said


def _runs(found: Reading) -> list[str]:
    if found.limits is None or not (found.too_few_runs or found.too_many_runs):
        return []
    names = {
        "runs": number(found.runs, 0),
        "low": number(found.limits[0], 0),
        "high": number(found.limits[1], 0),
        "n": number(found.useful, 0),
    }
    if found.too_few_runs:
        return [
            _(
                "Few runs: the points cross the median so seldom that they form {runs} runs; "
                "chance leaves {low} to {high} among {n} points."
            ).format(**names)
        ]
    return [
        _(
            "Many runs: the points cross the median so often that they form {runs} runs; chance "
            "leaves {low} to {high} among {n} points. Perhaps two different things are measured by "
            "turns."
        ).format(**names)
    ]


def rules_in_words() -> str:
    """The rules and where they come from, for who wants to know."""
    return _(
        "The median is the value with as many points above as below. Three rules tell what chance "
        "would rarely leave: {shift} or more points in a row on one side of the median (a shift), "
        "{trend} or more points in a row that all rise or all fall (a trend), and fewer or more "
        "runs than chance leaves. Points on the median are passed over. Below {fewest} points the "
        "rules are silent. Sources: Perla, Provost and Murray 2011, BMJ Quality & Safety; Anhøj "
        "and Olesen 2014, PLOS ONE, for median and runs; limits after Swed and Eisenhart 1943."
    ).format(shift=number(SHIFT, 0), trend=number(TREND, 0), fewest=number(FEWEST, 0))
