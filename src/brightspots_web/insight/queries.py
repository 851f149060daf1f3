"""All reads of published figures. Small numbers are withheld here, before a page sees them.

Which ones is the rule of `disclosure`; what the school's page tells beyond where it stands is read
in `school_queries`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Partnership, School
from brightspots_web.insight import disclosure
from brightspots_web.insight.disclosure import Sight
from brightspots_web.insight.models import AreaFigure, Estimate, Family, Run, Variance
from brightspots_web.shared.permissions import Capability, may

FAR_KM = 50.0
"""How far we look for a school that is strong where help is needed."""


@dataclass(frozen=True)
class Scale:
    """What turns standard deviations of pupils back into points."""

    subject: str
    pupil_sd: float
    mean: float
    digits: int
    years: tuple[int, ...]
    way: str
    """`pupil` or `school`: what the estimates were made from."""

    def points(self, value: float | None) -> float | None:
        return None if value is None else value * self.pupil_sd

    @property
    def most_low(self) -> float:
        """Two pupils in three lie between this and `most_high`, where scores spread evenly."""
        return self.mean - self.pupil_sd

    @property
    def most_high(self) -> float:
        return self.mean + self.pupil_sd


@dataclass(frozen=True)
class Standing:
    """Where one school stands in one outcome."""

    scale: Scale
    now: Estimate | None
    """The persistent part where there are several years, else the one year; None if withheld."""
    by_year: tuple[Estimate, ...] = ()
    family: tuple[float, ...] = ()
    """Estimates of schools like ours: values only, smallest first, nobody's name beside them."""
    withheld: bool = False
    caution: bool = False
    """Shown to the school itself only."""
    years: tuple[int, ...] = ()
    """All years behind `now`, those whose own figure is withheld among them."""
    years_withheld: tuple[int, ...] = ()

    @property
    def subject(self) -> str:
        return self.scale.subject

    @property
    def verdict(self) -> str:
        """`above`, `below`, `unclear`, `few` (too few pupils to show) or `none`."""
        if self.now is None:
            return "few" if self.withheld else "none"
        if self.now.lower > 0:
            return "above"
        return "below" if self.now.upper < 0 else "unclear"

    @property
    def may_need_help(self) -> bool:
        """Whether to name neighbours who are strong: clearly below, or more likely so than not."""
        if self.now is None:
            return False
        return self.verdict == "below" or (self.now.need_probability or 0.0) > 0.5


@dataclass(frozen=True)
class Neighbour:
    """A school near by that is strong in an outcome: who and where, and no figures."""

    school: School
    subject: str
    km: float


@dataclass(frozen=True)
class Grid:
    """Members of a partnership by outcomes, in pupil SD; withheld cells are None."""

    run: Run | None
    subjects: tuple[str, ...]
    members: tuple[School, ...]
    cells: dict[tuple[int, str], Estimate | None] = field(default_factory=dict)


def runs() -> QuerySet[Run]:
    """Published runs that were not withdrawn, newest first."""
    found = Run.objects.filter(published_at__isnull=False, withdrawn_at__isnull=True)
    return found.order_by("-published_at", "-pk")


def current_run() -> Run | None:
    """The run whose figures every page shows: the newest published whose rows are kept."""
    return runs().filter(rows_removed_at__isnull=True).first()


def scales(run: Run | None) -> dict[str, Scale]:
    """Subject -> its scale, in the order in which pages show subjects."""
    return {
        name: Scale(
            name,
            float(about["pupil_sd"]),
            float(about["mean"]),
            int(about["digits"]),
            tuple(about["years"]),
            str(about["way"]),
        )
        for name, about in (run.summary.get("outcomes", {}) if run else {}).items()
    }


def subjects(run: Run | None = None) -> list[str]:
    return list(scales(run or current_run()))


def standing(school: School, acting: Appointment | None, run: Run | None = None) -> list[Standing]:
    """Where a school stands, outcome by outcome. The caller has checked that it may be opened."""
    run = run or current_run()
    if run is None:
        return []
    rows: dict[str, list[Estimate]] = defaultdict(list)
    for estimate in Estimate.objects.filter(run=run, school=school).order_by("subject", "year"):
        rows[estimate.subject].append(estimate)
    others = family_values(run, school)
    sight = disclosure.sight(school, acting)
    return [
        _standing(scale, rows[name], others.get(name, ()), sight)
        for name, scale in scales(run).items()
    ]


def _standing(
    scale: Scale, rows: Sequence[Estimate], family: Sequence[float], sight: Sight
) -> Standing:
    now = next((row for row in rows if row.year is None), None)
    if now is None:
        return Standing(scale, None)
    if not sight.shows(now):
        return Standing(scale, None, withheld=True)
    yearly = [(row.year, row) for row in rows if row.year is not None]
    return Standing(
        scale,
        now,
        tuple(row for _year, row in yearly if sight.shows(row)),
        tuple(family),
        caution=not disclosure.ACROSS.shows(now),
        years=tuple(year for year, _row in yearly),
        years_withheld=tuple(year for year, row in yearly if not sight.shows(row)),
    )


def family_of(run: Run, school: School) -> Family | None:
    return Family.objects.filter(run=run, school=school).first()


def family_values(run: Run, school: School) -> dict[str, list[float]]:
    """Estimates of the schools most like this one by outcome, sorted, without names or keys.

    Only figures that everybody may see; and none at all of an outcome where fewer than three
    schools remain, since a strip of one or two dots would name them.
    """
    family = family_of(run, school)
    if family is None:
        return {}
    values: dict[str, list[float]] = defaultdict(list)
    found = Estimate.objects.filter(
        disclosure.shown_across(), run=run, school__in=family.members, year=None
    )
    for subject, estimate in found.values_list("subject", "estimate"):
        values[subject].append(estimate)
    shown = {name: disclosure.values_of_several(each) for name, each in values.items()}
    return {name: each for name, each in shown.items() if each}


def kilometres(a: School, b: School) -> float | None:
    """Great-circle distance by the haversine formula, on a sphere of 6,371 km."""
    if a.latitude is None or a.longitude is None or b.latitude is None or b.longitude is None:
        return None
    north, east = radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)
    lean = cos(radians(a.latitude)) * cos(radians(b.latitude))
    return 2 * 6371.0088 * asin(sqrt(min(1.0, sin(north / 2) ** 2 + lean * sin(east / 2) ** 2)))


def strong_nearby(
    school: School,
    subjects: Sequence[str],
    *,
    limit: int = 3,
    within_km: float = FAR_KM,
    run: Run | None = None,
) -> dict[str, list[Neighbour]]:
    """Schools near by that are strong in each subject, nearest first, at most `limit` each.

    Who is named here is open to every school: a place to learn from, and no figure with it.
    """
    run = run or current_run()
    if run is None or school.latitude is None or school.longitude is None or not subjects:
        return {name: [] for name in subjects}
    strong = (
        Estimate.objects.filter(
            _box(school.latitude, school.longitude, within_km),
            disclosure.shown_across(),
            run=run,
            subject__in=subjects,
            year=None,
            school__phase=school.phase,
        )
        .exclude(label="")
        .exclude(school=school)
        .select_related("school__area")
        .order_by()
    )
    found: dict[str, list[Neighbour]] = {name: [] for name in subjects}
    for estimate in strong:
        km = kilometres(school, estimate.school)
        if km is not None and km <= within_km:
            found[estimate.subject].append(Neighbour(estimate.school, estimate.subject, km))
    nearest = {
        name: sorted(each, key=lambda one: (one.km, one.school.code))
        for name, each in found.items()
    }
    return {name: each[:limit] for name, each in nearest.items()}


def _box(latitude: float, longitude: float, km: float) -> Q:
    """Schools in the box around a circle; the exact distance is worked out on what it holds."""
    north = km / 111.0
    narrowest = cos(radians(min(abs(latitude) + north, 89.0)))
    east = north / max(narrowest, 0.01)
    box = Q(school__latitude__range=(latitude - north, latitude + north))
    if longitude - east < -180 or longitude + east > 180:
        return box  # across the date line: latitude alone narrows the search
    return box & Q(school__longitude__range=(longitude - east, longitude + east))


def partnership_grid(partnership: Partnership, run: Run | None = None) -> Grid:
    """Members by outcomes for the partnership's page; cells under ten pupils are withheld."""
    run = run or current_run()
    members = tuple(row.school for row in directory.memberships_of(partnership))
    names = tuple(scales(run))
    if run is None:
        return Grid(None, names, members)
    found = Estimate.objects.filter(run=run, school__in=[m.pk for m in members], year=None)
    shown = found.filter(disclosure.shown_across())
    cells = {(row.school_id, row.subject): row for row in shown}
    return Grid(
        run,
        names,
        members,
        {(m.pk, name): cells.get((m.pk, name)) for m in members for name in names},
    )


def estimates_of(
    schools: Iterable[School], subject: str | None = None, run: Run | None = None
) -> dict[int, Estimate]:
    """School key -> figure of one outcome, for lists of a page's length; small ones left out."""
    run = run or current_run()
    subject = subject or next(iter(scales(run)), None)
    if run is None or subject is None:
        return {}
    found = Estimate.objects.filter(
        run=run,
        school__in=[school.pk for school in schools],
        subject=subject,
        year=None,
    ).filter(disclosure.shown_across())
    return {row.school_id: row for row in found}


def coverage(area: Area | None = None, run: Run | None = None) -> dict[str, Any]:
    """How much of the system (or an area) the figures cover.

    `schools` open, `with_figures`, `share`, `pupils` in the newest year, `years`, `published_at`.
    """
    run = run or current_run()
    open_schools = directory.open_schools()
    if area is not None:
        open_schools = open_schools.filter(directory.within(area))
    schools = open_schools.count()
    known = run.summary.get("coverage", {}) if run else {}
    with_figures, pupils = known.get("schools", 0), known.get("pupils", 0)
    if run and area is not None:
        inside = Estimate.objects.filter(
            run=run, year=None, school__area__path__startswith=area.path
        )
        with_figures = inside.values("school").distinct().count()
        pupils = known_pupils(run, area)
    return {
        "schools": schools,
        "with_figures": with_figures,
        "share": min(with_figures / schools, 1.0) if schools else None,
        "pupils": pupils,
        "years": known.get("years", []),
        "published_at": run.published_at if run else None,
        "run": run,
    }


def known_pupils(run: Run, area: Area) -> int:
    """Most pupils behind one outcome of the newest year in an area."""
    counts = AreaFigure.objects.filter(run=run, area=area, suppressed=False, year__isnull=False)
    return max((n or 0 for n in counts.values_list("n_pupils", flat=True)), default=0)


def variability(subject: str | None = None, run: Run | None = None) -> list[Variance]:
    """Shares of the differences between pupils by tier, largest tier first; years, then all."""
    run = run or current_run()
    if run is None:
        return []
    rows = run.variances.all()
    return list(rows.filter(subject=subject) if subject else rows)


def area_figures(
    areas: Iterable[Area], subject: str | None = None, run: Run | None = None
) -> dict[int, AreaFigure]:
    """Area key -> its figures over all years, for a map or a list of areas."""
    run = run or current_run()
    subject = subject or next(iter(scales(run)), None)
    if run is None or subject is None:
        return {}
    found = AreaFigure.objects.filter(
        run=run, subject=subject, year=None, area__in=[area.pk for area in areas]
    )
    return {row.area_id: row for row in found}


def candidates_count(area: Area | None = None, run: Run | None = None) -> dict[str, int]:
    """How many schools are `bright_spot` candidates and `worth_a_visit`, and `schools` in all.

    A school strong in several outcomes counts once in `schools`. Those whose figure is withheld are
    on no list, so they are not counted either.
    """
    run = run or current_run()
    if run is None:
        return {"bright_spot": 0, "worth_a_visit": 0, "schools": 0}
    flagged = Estimate.objects.filter(disclosure.shown_across(), run=run, year=None)
    flagged = flagged.exclude(label="")
    if area is not None:
        flagged = flagged.filter(school__area__path__startswith=area.path)
    counts = dict(
        flagged.values_list("label").annotate(n=Count("school", distinct=True)).order_by()
    )
    return {
        "bright_spot": counts.get(Estimate.Label.BRIGHT_SPOT, 0),
        "worth_a_visit": counts.get(Estimate.Label.WORTH_A_VISIT, 0),
        "schools": flagged.values("school").distinct().count(),
    }


def needs_attention(
    acting: Appointment | None, *, subject: str = "", limit: int = 5, run: Run | None = None
) -> list[AreaFigure]:
    """Where help would reach most pupils: smallest areas first by pupils touched, none by level.

    An area stands here because many pupils there would gain, never because it is "worst".
    """
    run = run or current_run()
    if run is None:
        return []
    visible = directory.areas_visible_to(acting).filter(children__isnull=True)
    outcome = Q(subject=subject) if subject else Q()
    return list(
        AreaFigure.objects.filter(
            outcome, run=run, year=None, suppressed=False, area__in=visible, pupils_touched__gt=0
        )
        .select_related("area__parent")
        .order_by("-pupils_touched", "area")[:limit]
    )


def strength_and_need(run: Run | None = None) -> dict[int, tuple[float, float]]:
    """School key -> (mean effect, mean probability of need) over its outcomes, for all schools.

    For jobs that weigh schools against each other, never for a page.
    """
    run = run or current_run()
    if run is None:
        return {}
    rows = Estimate.objects.filter(run=run, year=None).values_list("school").order_by("school")
    means = rows.annotate(strength=Avg("estimate"), need=Avg("need_probability"))
    return {school: (strength, need or 0.0) for school, strength, need in means}


def strength_and_need_in(
    subjects: Sequence[str], run: Run | None = None
) -> dict[int, dict[str, tuple[float, float]]]:
    """School key -> subject -> (effect, probability of need), as :func:`strength_and_need`."""
    run = run or current_run()
    found: dict[int, dict[str, tuple[float, float]]] = defaultdict(dict)
    rows = Estimate.objects.filter(run=run, year=None, subject__in=subjects)
    for school, subject, strength, need in rows.values_list(
        "school", "subject", "estimate", "need_probability"
    ):
        found[school][subject] = (strength, need or 0.0)
    return found


def may_analyse(acting: Appointment | None) -> bool:
    return may(acting, Capability.ANALYSE)


def figures_by_subject(schools: Sequence[int], run: Run) -> dict[str, list[Estimate]]:
    """Subject -> figures of these schools over all years, for measures of a group.

    Only those that may be shown: a measure of four schools tells the fourth to whoever sees three.
    """
    found: dict[str, list[Estimate]] = defaultdict(list)
    rows = Estimate.objects.filter(disclosure.shown_across(), run=run, school__in=schools)
    for row in rows.filter(year=None).order_by("school"):
        found[row.subject].append(row)
    return dict(found)
