"""All reads of practices: who may open, write and publish one, and how they are found.

A published practice is open to everybody with an appointment; a draft to those who may write for
its school. How a practice travels is read in `practice_lineage_queries.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Count, F, Prefetch, Q, QuerySet

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import practice_search
from brightspots_web.connectedness.models import Practice, PracticeComment, PracticeFollow
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.insight import bright_spot_queries
from brightspots_web.insight import queries as insight
from brightspots_web.insight.bright_spot_queries import Spot
from brightspots_web.insight.models import BrightSpot
from brightspots_web.shared.permissions import Capability, Role, may

State = Practice.State
PUBLIC = (State.PUBLISHED, State.RETIRED)
PUBLISHERS = frozenset({Role.MINISTER, Role.DISTRICT_OFFICER, Role.SYSTEM_LEADER})
HIDERS = frozenset({Role.MINISTER, Role.DISTRICT_OFFICER})
SAMPLED = 2000
"""So many schools of the register are enough to say what is a high or a low value."""
THIRDS = ("lower", "middle", "upper")
KINDS = (2, 12)


# Who may do what


def schools_to_write_for(acting: Appointment | None) -> QuerySet[School]:
    """Schools whose practices this appointment may write up: a head's own, else all it sees."""
    if not may(acting, Capability.WRITE_PRACTICES):
        return directory.schools_visible_to(None)
    schools = directory.schools_visible_to(acting)
    if acting is not None and acting.role == Role.HEAD:
        return schools.filter(pk=acting.school_id or 0)
    return schools


def may_write_for(acting: Appointment | None, school: School) -> bool:
    return schools_to_write_for(acting).filter(pk=school.pk).exists()


def may_publish(acting: Appointment | None, practice: Practice) -> bool:
    """A leader, officer or minister who sees the school and did not write it.

    Where nobody else could, whoever may write for the school may publish too.
    """
    if acting is None or not may_write_for(acting, practice.school):
        return False
    others = publishers_of(practice)
    if not others:
        return True
    return acting.role in PUBLISHERS and acting.person_id != writer_of(practice)


def may_retire(acting: Appointment | None, practice: Practice) -> bool:
    """Whoever publishes practices of the school; the writer too, as it takes nothing in."""
    if acting is None or not may_write_for(acting, practice.school):
        return False
    return acting.role in PUBLISHERS or acting.person_id == writer_of(practice)


def writer_of(practice: Practice) -> int | None:
    """The person who wrote it, by key; None for what nobody here wrote."""
    if not practice.appointment.isdecimal():
        return None
    try:
        return directory.appointment(int(practice.appointment)).person_id
    except ObjectDoesNotExist:
        return None


def publishers_of(practice: Practice) -> list[Person]:
    """Who may publish it, its writer left out: those near the school first."""
    school = practice.school
    near = [
        *people.leaders_of(directory.partnership_of(school)),
        *people.officers_over(school),
        *people.ministry(),
    ]
    writer = writer_of(practice)
    return list({person.pk: person for person in near if person.pk != writer}.values())


def nearest_publishers(practice: Practice) -> list[Person]:
    """Whom a draft waits for: the partnership's leaders and the officers, or else the ministry."""
    writer, school = writer_of(practice), practice.school
    near = [*people.leaders_of(directory.partnership_of(school)), *people.officers_over(school)]
    found = [person for person in near if person.pk != writer]
    return found or publishers_of(practice)


def may_hide(acting: Appointment | None, practice: Practice) -> bool:
    """Officers over the source school and the ministry hide comments, with a reason."""
    return (
        acting is not None
        and acting.role in HIDERS
        and directory.schools_visible_to(acting).filter(pk=practice.school_id).exists()
    )


# One practice


def visible_to(acting: Appointment | None) -> QuerySet[Practice]:
    """Practices this appointment may open, translations among them."""
    found = Practice.objects.select_related(
        "school__area", "priority", "bright_spot", "translation_of__school__area"
    )
    if acting is None:
        return found.none()
    own = schools_to_write_for(acting)
    return found.filter(Q(state__in=PUBLIC) | Q(school__in=own.values("pk")))


def all_practices() -> QuerySet[Practice]:
    """Every practice, for the rebuilding of the words."""
    return Practice.objects.select_related("school").order_by("pk")


def original_of(practice: Practice) -> Practice:
    """What a translation is a translation of; else the practice itself."""
    return practice.translation_of or practice


def versions_of(original: Practice, acting: Appointment | None) -> list[Practice]:
    """The practice in every language that may be opened, the original first."""
    found = visible_to(acting).filter(Q(pk=original.pk) | Q(translation_of=original))
    return sorted(found, key=lambda each: (each.translation_of_id is not None, each.language))


def comments_on(practice: Practice, acting: Appointment | None) -> list[PracticeComment]:
    """What people said; what was hidden only for those who may hide."""
    found = PracticeComment.objects.filter(practice=practice)
    return list(found if may_hide(acting, practice) else found.filter(hidden_at=None))


def comment_visible_to(
    acting: Appointment | None, practice: Practice, pk: int
) -> PracticeComment | None:
    return next((each for each in comments_on(practice, acting) if each.pk == pk), None)


def is_following(practice: Practice, person: Person) -> bool:
    return PracticeFollow.objects.filter(practice=practice, person=person).exists()


def followers_of(practice: Practice) -> list[Person]:
    rows = PracticeFollow.objects.filter(practice=practice).select_related("person")
    return [row.person for row in rows.order_by("pk")]


def spot_to_write_up(acting: Appointment | None, code: str, subject: str) -> Spot | None:
    """A confirmed bright spot whose practice this appointment may write up."""
    school = schools_to_write_for(acting).select_related("area").filter(code=code).first()
    if school is None:
        return None
    spot = bright_spot_queries.spot(school, subject, insight.current_run())
    confirmed = (
        BrightSpot.State.CONFIRMED, BrightSpot.State.WRITTEN_UP, BrightSpot.State.RE_TESTED
    )  # fmt: skip
    return spot if spot is not None and spot.kept and spot.state in confirmed else None


def spot_of(practice: Practice) -> Spot | None:
    """The bright spot a practice was learned from, with the newest published figure."""
    if practice.bright_spot is None:
        return None
    return bright_spot_queries.spot(
        practice.school, practice.bright_spot.subject, insight.current_run()
    )


# Finding


@dataclass(frozen=True)
class Search:
    """What the library is narrowed to. All of it is optional."""

    words: str = ""
    priority: Priority | None = None
    phase: str = ""
    language: str = ""
    """The language of the source school, as the register has it."""
    circumstance: str = ""
    """`poverty=upper`: a third of the register's schools, or a kind of theirs."""
    like_mine: bool = False
    school: str = ""
    drafts: bool = False


@dataclass(frozen=True)
class Found:
    """The practices of a search in their order, and whether only some of its words were there."""

    practices: list[Practice] = field(default_factory=list)
    some_words: bool = False


def search(acting: Appointment | None, asked: Search) -> Found:
    """Practices that fit, each once whatever language was found; the best first, else the newest.

    With words: those that have all of them; where none has, those that have some.
    """
    rows = _narrowed(acting, asked)
    if not practice_search.words_of(asked.words):
        newest = rows.filter(translation_of=None).order_by(
            F("published_at").desc(nulls_last=True), "-pk"
        )
        return Found(_in_circumstances(newest, asked.circumstance))
    for every in (True, False):
        keys = practice_search.find(asked.words, every=every)
        place = {key: at for at, key in reversed(list(enumerate(keys)))}
        hits = rows.filter(pk__in=keys)
        # Once each: a translation stands for its original, at the better of their places.
        best: dict[int, int] = {}
        for key, original in hits.values_list("pk", "translation_of"):
            of = original or key
            best[of] = min(place[key], best.get(of, place[key]))
        found = _in_circumstances(_narrowed(acting, asked).filter(pk__in=best), asked.circumstance)
        if found:
            return Found(sorted(found, key=lambda each: best[each.pk]), some_words=not every)
    return Found()


def _narrowed(acting: Appointment | None, asked: Search) -> QuerySet[Practice]:
    states = [State.DRAFT] if asked.drafts else PUBLIC
    rows = visible_to(acting).filter(state__in=states)
    if asked.priority is not None:
        rows = rows.filter(priority=asked.priority)
    if asked.phase:
        rows = rows.filter(school__phase=asked.phase)
    if asked.language:
        rows = rows.filter(school__language=asked.language)
    if asked.school:
        rows = rows.filter(school__code=asked.school)
    if asked.like_mine:
        rows = rows.filter(school__in=schools_like_mine(acting))
    published = Practice.objects.filter(state__in=PUBLIC).only("pk", "language", "translation_of")
    return rows.annotate(
        schools=Count("adoptions", distinct=True),
        still=Count("adoptions", filter=Q(adoptions__stopped_on=None), distinct=True),
    ).prefetch_related(Prefetch("translations", queryset=published))


def schools_like_mine(acting: Appointment | None) -> list[int]:
    """Keys of the family of the acting person's school in the published analysis."""
    run = insight.current_run()
    school = acting.school if acting is not None else None
    family = insight.family_of(run, school) if run is not None and school is not None else None
    return list(family.members) if family is not None else []


@dataclass(frozen=True)
class Circumstance:
    """Something the register holds of schools: numbers cut in thirds, or kinds."""

    name: str
    cuts: tuple[float, float] | None = None
    kinds: tuple[str, ...] = ()

    def band_of(self, value: Any) -> str:
        """`lower`, `middle`, `upper`, or the kind itself; "" where it is not known."""
        if self.cuts is None:
            return str(value) if value is not None and str(value) in self.kinds else ""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return ""
        return THIRDS[(value > self.cuts[0]) + (value > self.cuts[1])]


def circumstances() -> list[Circumstance]:
    """What practices can be narrowed by, from an even sample of the open schools."""
    schools = directory.open_schools()
    step = schools.count() // SAMPLED + 1
    rows = schools.annotate(place=F("pk") % step).filter(place=0).values_list("context", flat=True)
    values: dict[str, list[Any]] = {}
    for context in rows:
        for name, value in context.items():
            values.setdefault(str(name), []).append(value)
    made = (_circumstance(name, each) for name, each in sorted(values.items()))
    return [each for each in made if each is not None]


def _circumstance(name: str, values: list[Any]) -> Circumstance | None:
    numbers = sorted(
        v for v in values if isinstance(v, int | float) and not isinstance(v, bool)
    )  # fmt: skip
    if len(numbers) > len(values) / 2:
        low, high = numbers[len(numbers) // 3], numbers[2 * len(numbers) // 3]
        return Circumstance(name, (low, high)) if low < high else None
    kinds = sorted({str(value) for value in values if isinstance(value, str | bool)})
    return Circumstance(name, None, tuple(kinds)) if KINDS[0] <= len(kinds) <= KINDS[1] else None


def _in_circumstances(rows: Iterable[Practice], asked: str) -> list[Practice]:
    name, _equals, band = asked.rpartition("=")
    if not name:
        return list(rows)
    known = next((each for each in circumstances() if each.name == name), None)
    if known is None:
        return []
    return [each for each in rows if known.band_of(each.school.context.get(name)) == band]


def school_languages() -> list[str]:
    """Languages of the schools whose practices are published."""
    rows = Practice.objects.filter(state__in=PUBLIC).exclude(school__language="")
    names = rows.order_by("school__language").values_list("school__language", flat=True)
    return list(names.distinct()[:50])
