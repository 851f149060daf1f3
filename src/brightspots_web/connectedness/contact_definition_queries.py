"""Which schools are isolated, and which are one step from it: the definition, as conditions.

A school is isolated on a day when at least one of these holds:

- *no partnership*: it is in no partnership of that day;
- *no leader*: its partnership has no system leader whose appointment holds that day;
- *no contact*: nobody was in touch with it for `contact_days` days. The day on which a membership
  begins counts as day zero, so that nothing is amiss on the first day of a partnership. A school
  that was never in a partnership has no day zero but its contacts.

It is one step from isolation when it is not isolated, and one event would make it so:

- *small*: its partnership has no more schools than it needs, and one may leave;
- *leader ends*: within 60 days comes a day on which nobody leads its partnership;
- *contact due*: four fifths of `contact_days` have passed since somebody was in touch;
- *support ends*: the only support under way ends within 60 days, and nobody else was in touch
  for `contact_days` days.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta

from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
)

from brightspots_web.connectedness.models import (
    ConnectednessSettings,
    Contact,
    Deployment,
    Proposal,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries
from brightspots_web.directory.models import Appointment, Area, Membership, School

WINDOW = 60
"""An appointment or support that ends within so many days is an event to prepare for."""
REASONS = ("no_partnership", "no_leader", "no_contact")
NEAR_REASONS = ("small", "leader_ends", "contact_due", "support_ends")


@dataclass(frozen=True)
class Rules:
    """What the definition rests on: the day and the numbers that were set."""

    on: date
    contact_days: int
    smallest: int
    """A partnership of so many schools can lose none."""

    @property
    def silent_since(self) -> date:
        """Whose last contact is this day or earlier is without contact."""
        return self.on - timedelta(days=self.contact_days)

    @property
    def due_since(self) -> date:
        """Whose last contact is this day or earlier has used up four fifths of the days."""
        return self.on - timedelta(days=-(-4 * self.contact_days // 5))

    @property
    def horizon(self) -> date:
        return self.on + timedelta(days=WINDOW)


@dataclass(frozen=True)
class Counts:
    """How many open schools are isolated, and why; a school may have several reasons."""

    schools: int = 0
    no_partnership: int = 0
    no_leader: int = 0
    no_contact: int = 0
    isolated: int = 0
    near: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def current_settings() -> ConnectednessSettings:
    """What the ministry set; the defaults where it set nothing yet."""
    return ConnectednessSettings.objects.first() or ConnectednessSettings()


def rules(on: date | None = None) -> Rules:
    """The definition's numbers for a day (today when None)."""
    adopted = Proposal.objects.filter(status=Proposal.Status.ADOPTED, area=None)
    settings = adopted.order_by("-adopted_at").values_list("settings", flat=True).first() or {}
    smallest = settings.get("minimum", 2)
    return Rules(
        on or directory.today(),
        current_settings().contact_days,
        smallest if isinstance(smallest, int) and smallest > 1 else 2,
    )


def schools_of(acting: Appointment | None, area: Area | None, on: date) -> QuerySet[School]:
    """The open schools the appointment may see, of one area when it is named."""
    schools = directory.schools_visible_to(acting).filter(directory.unclosed(on))
    return schools.filter(directory.within(area)) if area is not None else schools


def conditions(by: Rules) -> dict[str, Q]:
    """Each reason as a condition on schools; those of being near hold of isolated schools too."""
    on, school = by.on, OuterRef("pk")
    member = directory.live_memberships(on).filter(school=school)
    leaders = record_queries.leader_appointments()
    led = leaders.filter(directory.live(on), partnership=OuterRef("partnership"))
    begun = record_queries.memberships().filter(school=school, starts__lte=on)
    contacts = Contact.objects.filter(school=school, on__lte=on)

    def quiet(since: date) -> Q:
        touched = Exists(contacts.filter(on__gt=since)) | Exists(begun.filter(starts__gt=since))
        return ~Q(touched)

    return {
        "no_partnership": ~Q(Exists(member)),
        "no_leader": Q(Exists(member.exclude(Exists(led)))),
        "no_contact": quiet(by.silent_since),
        "small": Q(Exists(member.filter(partnership__in=_small(by)))),
        # In this order: most partnerships are led for long, and the rest is not looked at then.
        "leader_ends": Q(Exists(member.filter(partnership__in=_soon_without_leader(by))))
        & Q(Exists(member.filter(Exists(led)))),
        "contact_due": quiet(by.due_since),
        "support_ends": Q(Exists(_last_support(by)))
        & ~Q(
            Exists(contacts.filter(on__gt=by.silent_since).exclude(kind=Contact.Kind.SUPPORT))
            | Exists(begun.filter(starts__gt=by.silent_since))
        ),
    }


def isolated(by: Rules) -> Q:
    """Schools with at least one of the three reasons."""
    found = conditions(by)
    return found["no_partnership"] | found["no_leader"] | found["no_contact"]


def near(by: Rules) -> Q:
    """Schools that are not isolated, and that one event would isolate."""
    found = conditions(by)
    step = found["contact_due"] | found["small"] | found["leader_ends"] | found["support_ends"]
    return step & ~isolated(by)


def with_reasons(schools: QuerySet[School], by: Rules) -> QuerySet[School]:
    """Annotate one truth value a reason, named as the reason is."""
    flags = {
        name: ExpressionWrapper(condition, output_field=BooleanField())
        for name, condition in conditions(by).items()
    }
    return schools.annotate(**flags)


def counts_by_path(
    schools: QuerySet[School], by: Rules, *, with_near: bool = True
) -> dict[str, Counts]:
    """The path of an area -> the counts of the schools right there; two statements or three.

    The reasons are looked at one by one only where a school is isolated, which few are. `near`
    costs most: a page that does not show it leaves it out, and it is nought then.
    """
    found: dict[str, Counts] = {}

    def add(path: str, more: Counts) -> None:
        found[path] = found.get(path, Counts()) + more

    plain = schools.select_related(None).order_by()
    for row in plain.values("area__path").annotate(n=Count("pk")):
        add(row["area__path"], Counts(schools=row["n"]))
    alone = with_reasons(plain.filter(isolated(by)), by)
    for row in alone.values("area__path", *REASONS).annotate(n=Count("pk")):
        reasons = {name: row["n"] for name in REASONS if row[name]}
        add(row["area__path"], Counts(isolated=row["n"], **reasons))
    if with_near:
        for row in plain.filter(near(by)).values("area__path").annotate(n=Count("pk")):
            add(row["area__path"], Counts(near=row["n"]))
    return found


def counts(
    acting: Appointment | None,
    area: Area | None = None,
    on: date | None = None,
    *,
    with_near: bool = True,
) -> Counts:
    """The counts of the front pages and the register: of what the appointment may see."""
    by = rules(on)
    found = counts_by_path(schools_of(acting, area, by.on), by, with_near=with_near)
    return sum(found.values(), Counts())


def counts_by_area(acting: Appointment | None, areas: Iterable[Area]) -> dict[int, Counts]:
    """The key of an area -> its counts, with all below it, without `near`.

    As many statements for one area as for a thousand.
    """
    by = rules()
    found = counts_by_path(schools_of(acting, None, by.on), by, with_near=False)
    return {
        area.pk: sum((each for path, each in found.items() if path.startswith(area.path)), Counts())
        for area in areas
    }


def _small(by: Rules) -> QuerySet[Membership, dict[str, int]]:
    """Partnerships that can lose no school."""
    members = directory.live_memberships(by.on).order_by().values("partnership")
    return members.annotate(n=Count("pk")).filter(n__lte=by.smallest).values("partnership")  # type: ignore[return-value] # stubs type values() with Any


def _soon_without_leader(by: Rules) -> QuerySet[Appointment, dict[str, int]]:
    """Partnerships that nobody leads on some day until the horizon.

    The first such day is the end of an appointment on which no other one holds.
    """
    leaders = record_queries.leader_appointments()
    goes_on = leaders.filter(
        Q(ends__isnull=True) | Q(ends__gt=OuterRef("ends")),
        partnership=OuterRef("partnership"),
        starts__lte=OuterRef("ends"),
    )
    ending = leaders.filter(ends__gt=by.on, ends__lte=by.horizon).exclude(Exists(goes_on))
    return ending.values("partnership")  # type: ignore[return-value] # as above


def _last_support(by: Rules) -> QuerySet[Deployment]:
    """The only support under way at a school, where it ends before the horizon."""
    running = Deployment.objects.filter(state=Deployment.State.RUNNING, starts__lte=by.on)
    another = running.filter(receiving=OuterRef("receiving")).exclude(pk=OuterRef("pk"))
    return running.filter(receiving=OuterRef("pk"), exit_on__lte=by.horizon).exclude(
        Exists(another)
    )
