"""What the figures of a partnership say in plain words, and what they give to talk about."""

from collections.abc import Sequence
from statistics import median

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.devolution.conversation_queries import Measured, Said
from brightspots_web.directory.models import School
from brightspots_web.insight import variability_words as variability
from brightspots_web.insight import words as plain
from brightspots_web.insight.models import Estimate
from brightspots_web.insight.partnership_queries import Figures
from brightspots_web.insight.queries import Scale
from brightspots_web.shared.charts import number

WIDE = 1.5
"""An interval so many times as long as the middle one says little."""
NAMED = 3
"""So many schools are named in a question."""
MOST = 5
"""So many questions from the figures; more would not be talked about."""
WITHIN = 0.75
"""From this share within schools on, that is where to look first."""


def differences(said: Said, place: str) -> list[str]:
    """How far apart the schools truly are, how much lies within them, whether it is closing."""
    spread = said.spread
    if said.figures is None or spread is None:
        return []
    known = spread.all_years is not None or spread.withheld
    if not known:
        return [_measured(said.figures.scale, said.measured)] if said.measured else []
    words = [variability.spread(spread, place), within(said)]
    years = len(spread.by_year)
    withheld = spread.withheld or years < len(spread.scale.years)
    words.append(variability.closing(spread.scale, spread.trend, years, withheld=withheld))
    return [each for each in words if each]


def _measured(scale: Scale, found: Measured) -> str:
    said = _(
        "A typical difference between our schools is {points}, chance taken out ({n} schools)."
    ).format(points=plain.points(scale, found.spread), n=found.schools)
    if found.lower is None or found.upper is None:
        return said
    likely = _("It is likely between {low} and {high}.").format(
        low=number(scale.points(found.lower), scale.digits),
        high=plain.points(scale, found.upper),
    )
    return f"{said} {likely}"


def within(said: Said) -> str:
    """How much of all differences lies within the schools, in the newest year shown."""
    newest = said.spread.newest if said.spread else None
    share = variability.percent(newest.share_within) if newest else None
    if newest is None or share is None:
        return ""
    return _(
        "In {year}, {share} of all differences between pupils lay within our schools, not between "
        "them."
    ).format(year=newest.year, share=share)


def no_figures(said: Said) -> str:
    """Why nothing is drawn; "" where something is."""
    if said.figures is not None and said.figures.now:
        return ""
    if said.figures is not None:
        return _("Too few pupils of our schools have results in this for figures to be shown.")
    if said.priority.subject:
        return _("Figures stand here once an analysis of this outcome is published.")
    return _("No large data speak of this priority: what we see and hear counts all the more.")


def basis(figures: Figures) -> str:
    """Pupils, schools and years behind the picture, and its date."""
    pupils = sum(row.n for row in figures.now.values())
    return _("{pupils} pupils of {schools} schools, {years}; {date}.").format(
        pupils=number(pupils, 0),
        schools=number(len(figures.now), 0),
        years=plain.years_phrase(figures.scale.years),
        date=plain.as_of(figures.run),
    )


def questions(said: Said, *, notes: int) -> list[str]:
    """What to talk about: what the figures leave open first, then what they and we know apart."""
    found = [each for each in _from_figures(said) if each][:MOST]
    found.append(
        _("Nobody has shared a note on this yet. What did each of us see last week?")
        if not notes
        else _("Where do our notes and the figures say different things? Which do we trust, why?")
    )
    found.append(_("What surprises us? What do we not know, and how could we find out?"))
    return found


def _from_figures(said: Said) -> list[str]:
    figures = said.figures
    if figures is None or not figures.now:
        return [_("No figures speak of this. What would we like to know, and who could count it?")]
    return [
        *_unsure(figures),
        _missing(figures),
        _apart(figures),
        _changed(figures),
        _inside(said),
    ]


def _unsure(figures: Figures) -> list[str]:
    """Schools of which the figures say least."""
    if len(figures.now) < NAMED:
        return []
    middle = median(_width(row) for row in figures.now.values())
    wide = [
        school
        for school in figures.members
        if school.pk in figures.now and _width(figures.now[school.pk]) > WIDE * middle
    ]
    if not wide:
        return []
    row = figures.now[wide[0].pk]
    if len(wide) == 1:
        return [
            _(
                "We know little of {school}: anything from {low} to {high} points fits its "
                "figures. What do its lessons and exercise books say?"
            ).format(school=wide[0].name, **_ends(figures.scale, row))
        ]
    return [
        _(
            "We know little of {schools}: their bars are long. What do lessons and exercise books "
            "there say?"
        ).format(schools=_names(wide))
    ]


def _ends(scale: Scale, row: Estimate) -> dict[str, str]:
    return {
        "low": number(scale.points(row.lower), scale.digits, signed=True),
        "high": number(scale.points(row.upper), scale.digits, signed=True),
    }


def _width(row: Estimate) -> float:
    return row.upper - row.lower


def _missing(figures: Figures) -> str:
    if not figures.without:
        return ""
    return ngettext(
        "Of {schools} no figure is shown: too few pupils, or none took the test. What can it tell "
        "us itself?",
        "Of {schools} no figures are shown: too few pupils, or none took the test. What can they "
        "tell us themselves?",
        len(figures.without),
    ).format(schools=_names(figures.without))


def _apart(figures: Figures) -> str:
    """Whether the bars lie apart. Schools are named for what others can learn there, only."""
    above = [s for s in figures.members if s.pk in figures.now and figures.now[s.pk].lower > 0]
    below = any(row.upper < 0 for row in figures.now.values())
    if above:
        return ngettext(
            "Pupils of {schools} reach clearly more than expected. What do they meet there that "
            "could be tried elsewhere, and who visits first?",
            "Pupils of {schools} reach clearly more than expected. What do they meet there that "
            "could be tried elsewhere, and who visits whom first?",
            len(above),
        ).format(schools=_names(above))
    if below:
        return _(
            "Some bars lie below what is expected. What would help there, and who among us has it "
            "to give?"
        )
    return _(
        "No bar lies clearly above or below what is expected: the figures cannot tell our schools "
        "apart. What do we see that they do not?"
    )


def _changed(figures: Figures) -> str:
    """Schools whose last year lies apart from their first."""
    moved = [
        school
        for school in figures.members
        if (years := figures.by_year.get(school.pk)) and _moved(years[0], years[-1])
    ]
    if not moved:
        return ""
    return _("Something changed over the years at {schools}. What was it?").format(
        schools=_names(moved)
    )


def _moved(first: Estimate, last: Estimate) -> bool:
    return last.lower > first.upper or last.upper < first.lower


def _inside(said: Said) -> str:
    """Whether the schools differ, or the pupils within them."""
    newest = said.spread.newest if said.spread else None
    if newest is None or newest.share_within is None:
        return ""
    share = variability.percent(newest.share_within)
    if newest.share_within >= WITHIN:
        return _(
            "{share} of all differences lie within our schools. Which pupils are stuck in every "
            "one of them, and who teaches these well?"
        ).format(share=share)
    return _("Our schools truly differ. What do we do differently for the same pupils, and why?")


def _names(schools: Sequence[School]) -> str:
    names = ", ".join(school.name for school in schools[:NAMED])
    more = len(schools) - NAMED
    return _("{names} and {n} more").format(names=names, n=more) if more > 0 else names
