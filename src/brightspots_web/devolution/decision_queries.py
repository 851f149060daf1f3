"""All reads of decisions: whose they are, who is asked, who may say and change what.

A decision belongs to the schools that are in its partnership, and to those that were when it was
written. Officers and the ministry see counts alone, in `decision_figure_queries.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, When
from django.utils import timezone

from brightspots_web.devolution.models import (
    Decision,
    DecisionAction,
    DecisionConsent,
    DecisionText,
)
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries, succession_queries
from brightspots_web.directory.models import Appointment, Partnership, Person, School
from brightspots_web.shared.permissions import Capability, may

State = Decision.State
STANDS = (State.PROPOSED, State.MADE)
REMIND = timedelta(days=3)
"""So long before its day an action's owner is reminded."""


# Whose decisions


def decisions_visible_to(acting: Appointment | None) -> QuerySet[Decision]:
    """Decisions this appointment may open, the newest first."""
    found = Decision.objects.select_related("partnership", "priority", "meeting", "owner")
    return found.filter(of_partnership(acting))


def of_partnership(acting: Appointment | None) -> Q:
    """Rows with `partnership` and `at` that somebody may read as a member of the partnership.

    Its leader and the people of its schools: all of them. Of a school that has left since, or
    whose partnership has ended: what was written while it was there. A school reads also for those
    whose work it carries on. Nobody else, officers and ministry included.
    """
    if acting is None or (acting.school_id is None and acting.partnership_id is None):
        return Q(pk__in=[])
    ours = Q(partnership=acting.partnership_id) if acting.partnership_id else Q(pk__in=[])
    if acting.school is None:
        return ours
    held = record_queries.memberships().filter(
        directory.line_of(acting.school_id, "school"),
        partnership=OuterRef("partnership"),
        starts__lte=directory.today(),
    )
    written = OuterRef("at__date")
    for end in ("ends", "school__closed"):
        held = held.filter(Q(**{f"{end}__isnull": True}) | Q(**{f"{end}__gt": written}))
    return ours | Q(Exists(held))


def schools_spoken_for(acting: Appointment | None) -> list[int]:
    """Keys of the own school and of those whose work it carries on."""
    if acting is None or acting.school is None:
        return []
    before = succession_queries.predecessors_of(acting.school)
    return [acting.school.pk, *(each.pk for each in before)]


def partnerships_read_by(acting: Appointment | None) -> list[Partnership]:
    """Live partnerships whose decisions and cycles somebody reads: the own one, and no officer."""
    if acting is None or (acting.school_id is None and acting.partnership_id is None):
        return []
    return list(directory.partnerships_visible_to(acting))


def partnership_read_by(acting: Appointment | None, code: str) -> Partnership | None:
    """A partnership by its code, for those who belong to it, or did while something was decided."""
    live = next((each for each in partnerships_read_by(acting) if each.code == code), None)
    if live is not None:
        return live
    earlier = decisions_visible_to(acting).filter(partnership__code=code).first()
    return earlier.partnership if earlier is not None else None


def own_partnership(acting: Appointment | None) -> Partnership | None:
    """The partnership in whose name this appointment may decide today; None where there is none."""
    if not may(acting, Capability.DECIDE_TOGETHER):
        return None
    return next(iter(partnerships_read_by(acting)), None)


def decisions_of(partnership: Partnership) -> QuerySet[Decision]:
    """Every decision of a partnership, for rows that were found by who may see them."""
    return Decision.objects.filter(partnership=partnership)


# Who may do what


def belongs(acting: Appointment | None, partnership: Partnership) -> bool:
    """Whether somebody is in a partnership today and may decide with the others."""
    own = own_partnership(acting)
    return own is not None and own.pk == partnership.pk


def leads(acting: Appointment | None, partnership: Partnership) -> bool:
    return (
        belongs(acting, partnership)
        and acting is not None
        and acting.partnership_id == partnership.pk
    )


def school_to_speak_for(acting: Appointment | None, decision: Decision) -> School | None:
    """The school whose word this appointment gives today; None for who is not asked."""
    if acting is None or acting.school_id is None or not belongs(acting, decision.partnership):
        return None
    return next((each for each in asked(decision) if each.pk == acting.school_id), None)


def may_hand_over(acting: Appointment | None, decision: Decision) -> bool:
    """The leader, and whoever owns it now: both may find another owner."""
    if decision.state not in STANDS or not belongs(acting, decision.partnership):
        return False
    owns = acting is not None and acting.person_id == decision.owner_id
    return owns or leads(acting, decision.partnership)


def may_finish(acting: Appointment | None, action: DecisionAction) -> bool:
    """Its owner, the head of its school (or of who carries it on), and the leader."""
    if acting is None:
        return False
    if acting.person_id == action.owner_id or leads(acting, action.decision.partnership):
        return True
    speaks = may(acting, Capability.DECIDE_TOGETHER)
    return speaks and action.school_id in schools_spoken_for(acting)


# One decision


@dataclass(frozen=True)
class Word:
    """What one school says: None where it has said nothing to the text as it is now."""

    school: School
    consent: DecisionConsent | None
    answered: bool
    """Whether anybody answers for the school today."""

    @property
    def agrees(self) -> bool | None:
        return self.consent.agrees if self.consent else None


def asked(decision: Decision) -> list[School]:
    """The schools of the partnership today, by name: those that are asked."""
    return [each.school for each in directory.memberships_of(decision.partnership)]


def words_of(decision: Decision) -> list[Word]:
    """The word of every school that is asked; once it is made, of those asked on that day."""
    said = {each.school_id: each for each in consents(decision)}
    now = {key: row for key, row in said.items() if row.decision_version == decision.version}
    if decision.made_at is not None or decision.state not in STANDS:
        schools = _asked_then(decision, list(now.values()))
    else:
        schools = asked(decision)
    headed = set(
        directory.heads()
        .filter(school__in=[each.pk for each in schools])
        .values_list("school", flat=True)
    )
    return [Word(each, now.get(each.pk), each.pk in headed) for each in schools]


def _asked_then(decision: Decision, said: list[DecisionConsent]) -> list[School]:
    codes = [each["code"] for each in decision.asked]
    found = {each.pk: each for each in directory.all_schools().filter(code__in=codes)}
    found |= {each.school_id: each.school for each in said}
    return sorted(found.values(), key=lambda each: (each.name, each.code))


def consents(decision: Decision) -> QuerySet[DecisionConsent]:
    return DecisionConsent.objects.filter(decision=decision).select_related("school")


def earlier_word(decision: Decision, school: School) -> DecisionConsent | None:
    """What a school said to a text that was changed since."""
    said = consents(decision).filter(school=school).first()
    return said if said is not None and said.decision_version < decision.version else None


def text_at(decision: Decision, version: int) -> DecisionText | None:
    """How it read in a version; None for the one it has now."""
    return DecisionText.objects.filter(decision=decision, version=version).first()


def earlier_texts(decision: Decision) -> list[DecisionText]:
    return list(DecisionText.objects.filter(decision=decision))


def everybody_carries_it(words: Iterable[Word]) -> bool:
    """The rule: every school asked has said its word to this text, and none objects."""
    said = [each.agrees for each in words]
    return bool(said) and all(said)


def action_visible_to(acting: Appointment | None, key: int) -> DecisionAction | None:
    """An action of a decision that may be opened."""
    seen = decisions_visible_to(acting).values("pk")
    rows = DecisionAction.objects.select_related(
        "decision__partnership", "owner", "school", "decision__priority"
    )
    return rows.filter(pk=key, decision__in=seen).first()


def actions_of(decision: Decision) -> QuerySet[DecisionAction]:
    return DecisionAction.objects.filter(decision=decision).select_related("owner", "school")


# People


def people_of(partnership: Partnership) -> dict[int, Person]:
    """Everybody of the partnership today, by key: its leaders, heads and teachers, by name."""
    schools = [each.school for each in directory.memberships_of(partnership)]
    found = [*people.leaders_of(partnership), *people.people_of(schools)]
    return {
        each.pk: each for each in sorted(found, key=lambda each: (each.name.casefold(), each.pk))
    }


def needs_owner(decision: Decision, present: Iterable[int]) -> bool:
    """Whether it still asks for an owner, and the one it had is no longer in the partnership."""
    if decision.state not in STANDS or decision.owner_id in set(present):
        return False
    going_on = decision.by_when >= directory.today() or decision.state == State.PROPOSED
    return going_on or any(each.done_on is None for each in decision.actions.all())


# Lists


@dataclass(frozen=True)
class Search:
    """What the list is narrowed to."""

    words: str = ""
    state: str = ""
    priority: str = ""
    mine: bool = False


def search(
    acting: Appointment | None, partnership: Partnership, wanted: Search
) -> QuerySet[Decision]:
    """The decisions of a partnership that fit, those that stand first, then the newest."""
    found = decisions_visible_to(acting).filter(partnership=partnership)
    if wanted.words:
        found = found.filter(
            Q(question__icontains=wanted.words) | Q(decision__icontains=wanted.words)
        )
    if wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.priority:
        found = found.filter(priority__code=wanted.priority)
    if wanted.mine and acting is not None:
        does = DecisionAction.objects.filter(decision=OuterRef("pk"), owner=acting.person_id)
        found = found.filter(Q(owner=acting.person_id) | Exists(does))
    asks_first = Case(When(state=State.PROPOSED, then=0), When(state=State.MADE, then=1), default=2)
    return with_counts(found).order_by(asks_first, "-pk")


def with_counts(found: QuerySet[Decision]) -> QuerySet[Decision]:
    """With what a list says of each: actions, words of schools."""
    open_ones = Q(actions__done_on=None)
    said = Q(consents__decision_version=F("version"))
    return found.annotate(
        n_actions=Count("actions", distinct=True),
        n_open=Count("actions", filter=open_ones, distinct=True),
        n_carry=Count("consents", filter=said & Q(consents__agrees=True), distinct=True),
        n_object=Count("consents", filter=said & Q(consents__agrees=False), distinct=True),
    ).prefetch_related("actions")


def owned_by(acting: Appointment | None) -> QuerySet[Decision]:
    """Decisions that stand and that the person owns."""
    if acting is None:
        return Decision.objects.none()
    found = decisions_visible_to(acting).filter(owner=acting.person_id, state__in=STANDS)
    return with_counts(found).order_by("by_when", "pk")


def actions_owned_by(acting: Appointment | None) -> QuerySet[DecisionAction]:
    """What the person promised to do, open first, by day; and what was done lately."""
    if acting is None:
        return DecisionAction.objects.none()
    seen = decisions_visible_to(acting).filter(state__in=STANDS).values("pk")
    lately = directory.today() - timedelta(days=90)
    return DecisionAction.objects.filter(
        Q(done_on=None) | Q(done_on__gte=lately), owner=acting.person_id, decision__in=seen
    ).select_related("decision__partnership", "school", "owner")


def waiting_for(acting: Appointment | None) -> list[Decision]:
    """Proposed decisions to which the acting person's school has not said its word yet."""
    own = own_partnership(acting)
    if own is None or acting is None or acting.school is None:
        return []
    members = {each.school_id for each in directory.memberships_of(own)}
    if acting.school_id not in members:
        return []
    said = DecisionConsent.objects.filter(
        decision=OuterRef("pk"), school=acting.school, decision_version=OuterRef("version")
    )
    found = decisions_visible_to(acting).filter(partnership=own, state=State.PROPOSED)
    return list(found.exclude(Exists(said)).order_by("pk"))


# For the worker


def actions_to_remind_of(on: date) -> list[DecisionAction]:
    """Open actions whose day is near or has come, and whose owner was not told of it yet."""
    soon = Q(due__gt=on, due__lte=on + REMIND, reminded="")
    come = Q(due__lte=on, due__gt=on - REMIND, reminded__in=["", "soon"])
    return list(
        DecisionAction.objects.filter(
            soon | come, done_on=None, owner__isnull=False, decision__state__in=STANDS
        ).select_related("decision", "owner")
    )


def proposals_waiting() -> QuerySet[Decision]:
    return Decision.objects.filter(state=State.PROPOSED).select_related("partnership")


def owners_to_look_for() -> dict[Partnership, list[Decision]]:
    """Decisions that go on and whose owner is neither leader nor head there, by partnership.

    Not those whose leader was told already. Few are left to be looked at one by one: teachers who
    own one, and people who left.
    """
    rows = Decision.objects.filter(
        directory.unclosed(prefix="partnership__"), state__in=STANDS, owner_missed_at=None
    ).select_related("partnership")
    to_do = DecisionAction.objects.filter(decision=OuterRef("pk"), done_on=None)
    rows = rows.filter(
        Q(state=State.PROPOSED) | Q(by_when__gte=directory.today()) | Q(Exists(to_do))
    )
    leads_there = directory.live_leaders().filter(
        person=OuterRef("owner"), partnership=OuterRef("partnership")
    )
    heads_there = directory.heads().filter(
        directory.live_membership(prefix="school__memberships__"),
        person=OuterRef("owner"),
        school__memberships__partnership=OuterRef("partnership"),
    )
    rows = rows.exclude(Exists(leads_there)).exclude(Exists(heads_there))
    found: dict[Partnership, list[Decision]] = {}
    for each in rows.prefetch_related("actions"):
        found.setdefault(each.partnership, []).append(each)
    return found


def same_proposal(
    partnership: Partnership, by: str, question: str, decision: str
) -> Decision | None:
    """What the same person wrote down in the last minutes, for a form sent twice."""
    since = timezone.now() - timedelta(minutes=30)
    return Decision.objects.filter(
        partnership=partnership, by=by, question=question, decision=decision, at__gte=since
    ).first()
