"""All reads of track records, and who sees what of them.

A leader sees each project of their own with what it brought. Everybody else sees what all projects
of a leader at a priority bring together, and that only where it rests on three schools and more,
none or three of which the reader does not see: what two schools brought is what each can work out.
Everything rests on figures that may be shown, so that no withheld figure is in it (`disclosure`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import records
from brightspots_web.connectedness import support_record_queries as support
from brightspots_web.connectedness.support_record_queries import Project
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person, School
from brightspots_web.evidence.models import (
    ProjectEffect,
    ProjectWords,
    RecordSet,
    RecordSettings,
    TrackRecord,
)
from brightspots_web.insight import queries as insight
from brightspots_web.insight.disclosure import FEWEST_SCHOOLS
from brightspots_web.leaders import designation_queries as designations
from brightspots_web.shared.permissions import Capability, may

NONE, NOT_MEASURED, FEW, OUTSIDE, SHOWN = "none", "not_measured", "few", "outside", "shown"
"""No project; none that could be measured; too few schools; one or two out of sight; a figure."""

WITHOUT = "none"
"""The topic of a practice that belongs to no priority."""


@dataclass(frozen=True)
class Told:
    """What a reader is told of one leader, or practice, at one priority."""

    topic: str
    title: str
    state: str
    n_projects: int = 0
    n_measured: int = 0
    n_schools: int = 0
    record: TrackRecord | None = None
    """Only where `state` is SHOWN."""


@dataclass(frozen=True)
class Listed:
    """A leader within what somebody sees, before the page's own lines are filled."""

    person: int
    name: str
    school: int


@dataclass(frozen=True)
class Line:
    """A leader on the list: by name, never by figure."""

    person: int
    name: str
    school: School
    told: Sequence[Told] = ()


@dataclass(frozen=True)
class Done:
    """One project: what it was, what it brought, and what its leader says beside it."""

    project: Project
    title: str
    effect: ProjectEffect | None
    """None where the reader is not its leader, or nothing was reckoned since it ended."""
    words: ProjectWords | None
    seen: bool = True
    """Whether the reader may open the school's page."""


@dataclass(frozen=True)
class Page:
    """One leader's record as somebody sees it."""

    person: Person
    own: bool
    told: Sequence[Told]
    done: Sequence[Done]
    elsewhere: int = 0
    """Projects at schools that the reader does not see."""


# Settings and reckonings


def settings_now() -> RecordSettings:
    """How far brokering explores; what is built in before anybody set it."""
    return RecordSettings.objects.order_by("pk").first() or RecordSettings()


def current_set() -> RecordSet | None:
    """The newest reckoning from the analysis that pages show now."""
    run = insight.current_run()
    if run is None:
        return None
    return RecordSet.objects.filter(run=run, rows_removed_at=None).order_by("-pk").first()


def set_of(job: int) -> RecordSet | None:
    return RecordSet.objects.filter(job=job).first()


def topic_of(priority: Priority | None) -> str:
    """What records tell apart: cycles come and go, reading stays reading."""
    if priority is None:
        return WITHOUT
    return priority.subject or f"priority:{priority.code}"


def titles() -> dict[str, str]:
    """Topic -> title: of the live priority, else of the newest there was."""
    found = {topic_of(each): each.title for each in alignment.all_priorities().order_by("pk")}
    return found | {topic_of(each): each.title for each in alignment.live_priorities()}


def newest_priorities() -> dict[str, Priority]:
    return {topic_of(each): each for each in alignment.all_priorities().order_by("pk")}


# For brokering


def outlook(leaders: Collection[int], priorities: Collection[Priority]) -> records.Outlook:
    """Posterior means for whoever brokers; each says whether its figure may be told."""
    found, share = current_set(), settings_now().exploration / 100
    if found is None:
        return records.Outlook(exploration=share)
    by_topic: dict[str, list[int]] = defaultdict(list)
    for each in priorities:
        by_topic[topic_of(each)].append(each.pk)
    rows = TrackRecord.objects.filter(set=found, person__in=leaders, topic__in=list(by_topic))
    known = {
        (row.person_id or 0, priority): records.Record(
            row.estimate, row.se, row.n_measured, row.n_projects, row.n_schools >= FEWEST_SCHOOLS
        )
        for row in rows
        for priority in by_topic[row.topic]
    }
    return records.Outlook(known, share, found.pk)


# Who sees whose record


def may_find(acting: Appointment | None) -> bool:
    """Whether somebody reads the list."""
    return may(acting, Capability.FIND_LEADERS)


def leaders_in_sight(
    acting: Appointment | None, area: Area | None = None, words: str = "", only: int | None = None
) -> list[Listed]:
    """Everybody who gave support, offers it or is designated, at a school in sight; by name."""
    if acting is None or not may_find(acting):
        return []
    schools = directory.schools_visible_to(acting)
    if area is not None:
        schools = schools.filter(directory.within(area))
    at = support.who_gave_from(schools, only)
    held = designations.live_designations().filter(school__in=schools.order_by().values("pk"))
    held = held.filter(person=only) if only is not None else held
    at |= dict(held.values_list("person", "school"))
    found = people.active(at)
    if words:
        found = found.filter(name__icontains=words)
    return [
        Listed(person.pk, str(person), at[person.pk])
        for person in sorted(found, key=lambda each: (str(each).casefold(), each.pk))
    ]


def with_records(lines: Iterable[Listed], acting: Appointment) -> list[Line]:
    """The lines of a page with what is told of each: as many reads for one line as for fifty."""
    listed = list(lines)
    schools = directory.all_schools().select_related("area")
    at = schools.in_bulk({line.school for line in listed})
    projects: dict[int, list[Project]] = defaultdict(list)
    for each in support.support_by([line.person for line in listed]):
        if each.leader is not None:
            projects[each.leader.pk].append(each)
    teller = Teller.of([each for mine in projects.values() for each in mine], acting)
    return [
        Line(line.person, line.name, at[line.school],
             teller.told(projects[line.person], line.person))
        for line in listed
    ]  # fmt: skip


def page_visible_to(acting: Appointment | None, person: int) -> Page | None:
    """One leader's record; None for somebody whose record is not the reader's to see."""
    if acting is None:
        return None
    own = acting.person_id == person
    if not own and not leaders_in_sight(acting, only=person):
        return None
    found = people.active([person]).first()
    projects = support.support_by([person])
    if found is None or (own and not projects and not _gives(person)):
        return None
    teller = Teller.of(projects, acting, own=own)
    said = {each.deployment_id: each for each in ProjectWords.objects.filter(person=person)}
    done = [
        Done(
            each,
            teller.titles.get(topic_of(each.priority), str(each.priority)),
            teller.effects.get(each.key) if own else None,
            said.get(each.key),
            each.school.pk in teller.seen,
        )
        for each in reversed(projects)
    ]
    shown = done if own else [each for each in done if each.seen]
    return Page(found, own, teller.told(projects, person), shown, len(done) - len(shown))


def _gives(person: int) -> bool:
    return person in support.givers() or (
        designations.live_designations().filter(person=person).exists()
    )


def has_record(acting: Appointment | None) -> bool:
    """Whether somebody has a page of their own here."""
    return acting is not None and bool(support.support_by([acting.person_id]))


def in_words_for(person: Person, priority: Priority) -> Told:
    """What a leader's own page says of one priority."""
    projects = support.support_by([person.pk])
    teller = Teller.of(projects, None, own=True)
    told = {each.topic: each for each in teller.told(projects, person.pk)}
    topic = topic_of(priority)
    return told.get(topic, Told(topic, priority.title, NONE))


def own_project(acting: Appointment, deployment: int) -> Project | None:
    """A project beside which the acting person may say something."""
    return support.given_by(deployment, acting.person_id)


def words_beside(deployment: int) -> ProjectWords | None:
    return ProjectWords.objects.filter(deployment=deployment).first()


def of_practice(practice: int, acting: Appointment | None) -> Told | None:
    """What is told of a practice; None where no school has taken it up."""
    taken_up, priority = support.adoptions_counted(practice)
    if not taken_up:
        return None
    topic, found = topic_of(priority), current_set()
    title = titles().get(topic, "")
    row = TrackRecord.objects.filter(set=found, practice=practice, topic=topic).first()
    if found is None or row is None:
        return Told(topic, title, NOT_MEASURED, taken_up)
    known = ProjectEffect.objects.filter(
        set=found, adoption__isnull=False, practice=practice, effect__isnull=False
    ).order_by()
    seen = directory.schools_visible_to(acting).order_by().values("pk")
    schools = known.values("school").distinct().count()
    unseen = known.exclude(school__in=seen).values("school").distinct().count()
    state = state_of(schools, unseen)
    return Told(
        topic, title, state, taken_up, known.count(), schools, row if state == SHOWN else None
    )


def state_of(schools: int, unseen: int) -> str:
    """What of a record somebody else is told, by the schools behind it and those out of sight."""
    if not schools:
        return NOT_MEASURED
    if schools < FEWEST_SCHOOLS:
        return FEW
    return OUTSIDE if 0 < unseen < FEWEST_SCHOOLS else SHOWN


# What is told


@dataclass
class Teller:
    """Decides what of leaders' records one reader is told; reads once for many projects."""

    made: RecordSet | None
    seen: frozenset[int]
    own: bool
    titles: Mapping[str, str]
    live: Sequence[str]
    effects: dict[int, ProjectEffect] = field(default_factory=dict)
    rows: dict[tuple[int, str], TrackRecord] = field(default_factory=dict)

    @classmethod
    def of(
        cls, projects: Sequence[Project], acting: Appointment | None, *, own: bool = False
    ) -> "Teller":
        """Read what is known of these projects and of whoever did them."""
        found = current_set()
        schools = {each.school.pk for each in projects}
        visible = directory.schools_visible_to(acting).filter(pk__in=schools)
        teller = cls(
            found, frozenset(visible.order_by().values_list("pk", flat=True)), own, titles(),
            [topic_of(each) for each in alignment.live_priorities()],
        )  # fmt: skip
        if found is None:
            return teller
        keys = [each.key for each in projects]
        for effect in ProjectEffect.objects.filter(deployment__in=keys, set=found):
            if effect.deployment_id is not None:
                teller.effects[effect.deployment_id] = effect
        leaders = {each.leader.pk for each in projects if each.leader is not None}
        for row in TrackRecord.objects.filter(person__in=leaders, set=found):
            if row.person_id is not None:
                teller.rows[row.person_id, row.topic] = row
        return teller

    def told(self, projects: Sequence[Project], person: int) -> list[Told]:
        """Topic by topic, in the order of titles; live priorities are there without a project."""
        mine: dict[str, list[Project]] = defaultdict(list)
        for each in projects:
            mine[topic_of(each.priority)].append(each)
        found = [self._one(topic, mine[topic], person) for topic in set(mine) | set(self.live)]
        return sorted(found, key=lambda each: (each.title, each.topic))

    def _one(self, topic: str, projects: Sequence[Project], person: int) -> Told:
        title = self.titles.get(topic, "")
        if not projects:
            return Told(topic, title, NONE)
        known = [self.effects.get(each.key) for each in projects]
        schools = {each.school_id for each in known if each is not None and each.effect is not None}
        measured = sum(1 for each in known if each is not None and each.effect is not None)
        counts = (len(projects), measured, len(schools))
        row = self.rows.get((person, topic))
        state = self._state(schools) if row is not None else NOT_MEASURED
        return Told(topic, title, state, *counts, row if state == SHOWN else None)

    def _state(self, schools: set[int]) -> str:
        if self.own and schools:
            return SHOWN
        return state_of(len(schools), len(schools - self.seen))
