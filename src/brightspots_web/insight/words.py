"""What a figure says, in plain words that judge nobody.

Three honest cases: clearly above what is expected of a school in these circumstances, clearly
below, or nobody can tell. "Points" are those of the test itself; a sentence beside them says how
far pupils lie apart, so that a reader can weigh them.
"""

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.insight.disclosure import SMALLEST_ACROSS
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.insight.queries import Scale, Standing
from brightspots_web.shared.charts import number


def digits_for(pupil_sd: float) -> int:
    """Digits after the point that mean something on a scale: 41 -> 0, 9.8 -> 1, 0.9 -> 2."""
    return 0 if pupil_sd >= 20 else 1 if pupil_sd >= 2 else 2


def headline(standing: Standing) -> str:
    """The verdict in a few words."""
    return {
        "above": _("Higher than expected"),
        "below": _("Lower than expected"),
        "unclear": _("We cannot tell this school from what is expected"),
        "few": _("Too few pupils to show"),
        "none": _("No figure yet"),
    }[standing.verdict]


def sentence(standing: Standing) -> str:
    """Where the school stands in one outcome, and how sure that is."""
    now, scale = standing.now, standing.scale
    if now is None:
        return _withheld(standing)
    names = {
        "subject": scale.subject,
        "points": points(scale, now.estimate),
        "low": points(scale, now.lower),
        "high": points(scale, now.upper),
    }
    if standing.verdict == "above":
        return (
            _(
                "In %(subject)s, pupils here reach about %(points)s more than pupils of schools in "
                "similar circumstances. It is likely between %(low)s and %(high)s more."
            )
            % names
        )
    if standing.verdict == "below":
        return (
            _(
                "In %(subject)s, pupils here reach about %(points)s less than pupils of schools in "
                "similar circumstances. It is likely between %(high)s and %(low)s less."
            )
            % names
        )
    return (
        _(
            "In %(subject)s, results fit what is expected of a school in these circumstances. "
            "Anything between %(low)s less and %(high)s more is possible, so nobody should read "
            "a difference into this figure."
        )
        % names
    )


def _withheld(standing: Standing) -> str:
    if standing.withheld:
        return _(
            "Too few pupils took this test for a figure to be shown: it would say more about "
            "single pupils than about the school."
        )
    return _("There is no result of this school for this outcome in the present analysis.")


def points(scale: Scale, value: float) -> str:
    """A difference in pupil SD as points without its sign: `4.0 points`."""
    return points_of(value * scale.pupil_sd, scale.digits)


def points_of(value: float, digits: int) -> str:
    shown = number(abs(value), digits)
    # The plural follows what is written: "1 point", "0.8 points".
    return ngettext("%(n)s point", "%(n)s points", 1 if shown == "1" else 2) % {"n": shown}


def scale_sentence(scale: Scale) -> str:
    """How far pupils lie apart: what makes a number of points large or small."""
    return _(
        "For a sense of the scale: about two pupils in three score between %(low)s and %(high)s."
    ) % {
        "low": number(scale.most_low, scale.digits),
        "high": number(scale.most_high, scale.digits),
    }


def years_phrase(years: tuple[int, ...]) -> str:
    """`2022`, or `2019 to 2022 (4 years)`."""
    if not years:
        return _("no year")
    if len(years) == 1:
        return str(years[0])
    return _("%(first)s to %(last)s (%(n)s years)") % {
        "first": years[0],
        "last": years[-1],
        "n": len(years),
    }


def basis(standing: Standing) -> str:
    """Pupils and years behind the figure, and what one year cannot say."""
    now = standing.now
    if now is None:
        return ""
    pupils = ngettext("%(n)s pupil", "%(n)s pupils", now.n) % {"n": number(now.n, 0)}
    years = standing.years
    if now.years <= 1:
        year = years_phrase(years or standing.scale.years[-1:])
        return _(
            "%(pupils)s, one year (%(year)s). One year cannot show what lasts: read it with care."
        ) % {"pupils": pupils, "year": year}
    return _("%(pupils)s over %(years)s; what lasted from year to year.") % {
        "pupils": pupils,
        "years": years_phrase(years) if years else now.years,
    }


def reliability(value: float) -> str:
    """How well figures of schools of this size tell schools apart, in words."""
    if value >= 0.8:
        return _("high: a figure based on this many pupils tells schools apart well")
    if value >= 0.5:
        return _("fair: part of the difference between schools with so many pupils is chance")
    return _("low: with so few pupils, much of any difference is chance")


def label(estimate: Estimate) -> str:
    """What the evidence allows us to call the school; empty where it allows nothing."""
    return str(Estimate.Label(estimate.label).label) if estimate.label else ""


def caution(now: Estimate) -> str:
    """Said beside a figure that only the school itself sees."""
    if now.n < SMALLEST_ACROSS:
        return _(
            "Fewer than ten pupils stand behind this. It is shown to your school only; please do "
            "not pass it on."
        )
    return _(
        "A single year behind this has fewer than ten pupils. It is shown to your school only; "
        "please do not pass it on."
    )


def years_withheld(standing: Standing) -> str:
    """Why years are missing from the picture, without saying which of them is the small one."""
    if standing.now is None or not standing.years_withheld or standing.now.years <= 1:
        return ""
    return ngettext(
        "%(years)s is not shown by itself: too few pupils.",
        "%(years)s are not shown by themselves: too few pupils in a year, and a year beside it "
        "that would tell them.",
        len(standing.years_withheld),
    ) % {"years": ", ".join(str(year) for year in standing.years_withheld)}


def published_on(run: Run) -> str:
    return date_format(run.published_at, "j F Y") if run.published_at else ""


def as_of(run: Run) -> str:
    if run.published_at is None:
        return ""
    return _("as of %(date)s") % {"date": date_format(run.published_at, "j F Y")}


def chance(probability: float | None) -> str:
    """A probability as people say it: `about 3 in 10`."""
    if probability is None:
        return _("not known")
    if probability < 0.05:
        return _("less than 1 in 20")
    if probability > 0.95:
        return _("more than 19 in 20")
    return _("about %(n)s in 10") % {"n": min(max(round(10 * probability), 1), 9)}


def circumstance(name: str) -> str:
    """What a circumstance is called on a page."""
    known = {
        "roll": _("pupils on roll"),
        "sector": _("sector"),
        "phase": _("phase"),
        "language": _("language"),
        "candidates": _("number of candidates"),
        "prior": _("earlier results"),
    }
    bare = name.removeprefix("context:")
    return known.get(bare, bare.replace("_", " "))
