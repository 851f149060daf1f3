"""Support in the sample: asked for, offered, matched, under way, reported, taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

    from brightspots_web.alignment.models import Priority
    from brightspots_web.connectedness.models import Deployment, SupportMatch, SupportRequest
    from brightspots_web.directory.models import Appointment, School

WISHES = (
    "Children in year 2 read aloud in turns; the slow ones wait. How do others do it?",
    "We have two teachers for three classes and look for a way to teach them together.",
    "Our new teachers plan alone. We would like to see how a team plans a week.",
    "Reading books are few. How do you share them among classes?",
    "Pupils count on their fingers until year 4. What comes before the written sums?",
    "We would like somebody to sit in two lessons and talk with us afterwards.",
    "How do you find out in the second week who is stuck?",
)
GIFTS = (
    "A plan for fifteen minutes of reading aloud a day, for every class.",
    "Our number games for the first two years, made from what lies on the yard.",
    "How our teachers watch each other teach, once a week, without anybody being judged.",
    "How we group children by what they can do, for one hour a day.",
)
AIMS = (
    "Every class reads aloud each day, and teachers note who is stuck.",
    "Three teachers plan each week together and know why.",
    "Number games stand in the timetable of years 1 and 2.",
)
NOTES = (
    "Sat in two lessons. The reading corner works; the noise at the door does not. We moved it.",
    "Planned next week with three teachers. They lead the next session themselves.",
    "Called: the games were played on four days. One box is lost; another is on its way.",
)
REPORT = (
    "We were there on several days. Reading aloud is in every class now. The deputy carries it "
    "on; we look again after the holidays."
)
VIEWS = (
    (4, "They listened first. What stays is the planning on Thursdays."),
    (3, "Good days, and we took home how they welcome new pupils."),
    (2, "The visits were good, the way was long, and two were put off."),
)
Story = Callable[["Life", "SupportRequest"], None]


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Ask, offer, match and support in every state; every text says it is invented."""
    from brightspots_web.alignment import queries as alignment

    Life(rng, cast, alignment.live_priorities()).go_on()


class Life:
    """Who asks and gives, and what happens to each request."""

    def __init__(
        self, rng: random.Random, cast: Mapping[str, Appointment], priorities: list[Priority]
    ) -> None:
        from brightspots_web.directory import people_queries, queries

        self.rng, self.cast, self.priorities = rng, cast, priorities
        self.minister = cast["minister"]
        self.today = queries.today()
        self.heads = people_queries.answering()
        schools = list(queries.open_schools().select_related("area").order_by("code"))
        self.schools = [each for each in schools if each.pk in self.heads]
        rng.shuffle(self.schools)
        self.turn = 0
        self.asked: set[int] = set()

    def go_on(self) -> None:
        """Offers first, then a request for each story."""
        if not self.priorities:
            return
        givers = self._givers()
        for school in givers:
            self._offer(school)
        self._of_the_cast()
        askers = [each for each in self.schools if each not in givers]
        for story in STORIES:
            for school in askers:
                if school.pk not in self.asked:
                    self.asked.add(school.pk)
                    story(self, self.ask(school))
                    break

    def _givers(self) -> list[School]:
        """Choose a fifth of the schools, that of the cast's leader among them."""
        chosen = self.schools[: max(6, len(self.schools) // 5)]
        own = self.cast["leader"].school
        asks = self.cast["head"].school
        listed = [own] if own else []
        return [*listed, *(each for each in chosen if each not in (own, asks))]

    def _offer(self, school: School) -> None:
        from brightspots_web.connectedness import support_actions as actions

        head = self.heads[school.pk]
        chosen = self.priorities if school == self.cast["leader"].school else [self._priority()]
        for priority in chosen:
            offer = actions.offer(
                school,
                by=head,
                priority=priority,
                what=invented(self.rng.choice(GIFTS)),
                days=Decimal(self.rng.choice((10, 15, 20))),
                at_once=self.rng.choice((2, 3)),
            )
        if self.rng.random() < 0.1:
            actions.set_offer_state(offer, "paused", by=head)

    def _of_the_cast(self) -> None:
        """Let the head of the sign-in page ask, and be supported by the leader beside."""
        school, leader = self.cast["head"].school, self.cast["leader"].school
        if school is None or leader is None:
            return
        self.asked.add(school.pk)
        under_way(self, self.ask(school, self.priorities[0]), giver=leader)
        if len(self.priorities) > 1:
            put_to_both(self, self.ask(school, self.priorities[1]))

    def _priority(self) -> Priority:
        self.turn += 1
        return self.priorities[self.turn % len(self.priorities)]

    def ask(self, school: School, priority: Priority | None = None) -> SupportRequest:
        """Ask for support, some weeks ago."""
        from django.utils import timezone

        from brightspots_web.connectedness import support_actions as actions

        ago = timedelta(days=self.rng.randint(12, 90), minutes=self.rng.randint(0, 600))
        return actions.ask(
            school,
            by=self.heads[school.pk],
            priority=priority or self._priority(),
            what=invented(self.rng.choice(WISHES)),
            days=Decimal(self.rng.choice((3, 4, 5, 6))),
            urgency=self.rng.choice(("soon", "term", "term", "year")),
            at=timezone.now() - ago,
        )

    def head_of(self, school: School) -> Appointment:
        """Return who answers for the school."""
        return self.heads[school.pk]

    def officer_of(self, request: SupportRequest) -> Appointment:
        """Return the cast's officer where the school is in that district, else the ministry."""
        officer = self.cast["officer"]
        inside = officer.area and request.school.area.path.startswith(officer.area.path)
        return officer if inside else self.minister


def invented(words: str) -> str:
    return f"(Invented.) {words}"


def looked_at(life: Life, request: SupportRequest) -> None:
    """Ready to match; nothing is suggested yet."""
    from brightspots_web.connectedness import support_actions as actions

    actions.triage(
        request,
        by=life.officer_of(request),
        urgency=request.urgency,
        note=invented(
            life.rng.choice(("Spoke with the head.", "Two teachers left in May.", "Far."))
        ),
    )


def suggested(life: Life, request: SupportRequest) -> list[SupportMatch]:
    """Three suggestions that only officers see."""
    from brightspots_web.connectedness import support_match_actions as matching
    from brightspots_web.connectedness.analysis import brokering

    looked_at(life, request)
    found = brokering.shortlist(request)
    return matching.keep_shortlist(request, found, by=life.officer_of(request))


def put_to_both(
    life: Life, request: SupportRequest, giver: School | None = None
) -> SupportMatch | None:
    """Put a match to both schools; with the giver named, where it is on the shortlist."""
    from brightspots_web.connectedness import support_match_actions as matching

    listed = suggested(life, request)
    if not listed:
        return None
    chosen = next((each for each in listed if giver and each.offer.school == giver), listed[0])
    return matching.put(chosen, by=life.officer_of(request))


def asker_accepted(life: Life, request: SupportRequest) -> None:
    from brightspots_web.connectedness import support_match_actions as matching

    match = put_to_both(life, request)
    if match:
        matching.accept(match, by=life.head_of(request.school))


def declined(life: Life, request: SupportRequest) -> None:
    """Let the first decline; the next on the shortlist is put."""
    from brightspots_web.connectedness import support_match_actions as matching

    match = put_to_both(life, request)
    if match:
        why = invented("Two of our teachers are on leave this term.")
        matching.decline(match, by=life.head_of(match.offer.school), why=why)


def both_accepted(
    life: Life, request: SupportRequest, giver: School | None = None
) -> SupportMatch | None:
    from brightspots_web.connectedness import support_match_actions as matching

    match = put_to_both(life, request, giver)
    if match is None:
        return None
    for school, days in ((request.school, 3), (match.offer.school, life.rng.randint(4, 30))):
        at = min(request.asked_at + timedelta(days=days), now())
        match = matching.accept(match, by=life.head_of(school), at=at)
    return match


def given_back(life: Life, request: SupportRequest) -> None:
    """Let the giver take it back: the request is in the queue as before."""
    from brightspots_web.connectedness import support_match_actions as matching

    match = both_accepted(life, request)
    if match:
        why = invented("Our deputy moved away, and I have to be here.")
        matching.withdraw_match(match, by=life.head_of(match.offer.school), why=why)


def under_way(
    life: Life, request: SupportRequest, giver: School | None = None, left: int = 60
) -> Deployment | None:
    """Visits have begun; `left` days until the agreed end."""
    from brightspots_web.connectedness import support_deployment_actions as actions

    match = both_accepted(life, request, giver)
    if match is None:
        return None
    by = life.head_of(match.offer.school)
    starts = life.today - timedelta(days=45)
    deployment = actions.begin(
        match,
        by=by,
        aim=invented(life.rng.choice(AIMS)),
        days=request.days,
        starts=starts,
        exit_on=life.today + timedelta(days=left),
    )
    kinds = ("preparation", "visit", "remote", "visit")
    for number in range(life.rng.randint(1, 4)):
        actions.log(
            deployment,
            by=by,
            kind=kinds[number],
            on=starts + timedelta(days=2 + 9 * number),
            days=Decimal("0.5") if number != 1 else Decimal(1),
            note=invented(life.rng.choice(NOTES)),
        )
    return deployment


def end_passed(life: Life, request: SupportRequest) -> None:
    under_way(life, request, left=-3)


def later_proposed(life: Life, request: SupportRequest) -> None:
    _later(life, request, agree=False)


def later_agreed(life: Life, request: SupportRequest) -> None:
    _later(life, request, agree=True)


def _later(life: Life, request: SupportRequest, *, agree: bool) -> None:
    """Ask for another month; the giver has agreed, or has not answered yet."""
    from brightspots_web.connectedness import support_extension_actions as actions

    deployment = under_way(life, request, left=9)
    if deployment is None:
        return
    extension = actions.propose_extension(
        deployment,
        by=life.head_of(deployment.receiving),
        exit_on=deployment.exit_on + timedelta(days=30),
        days=deployment.days,
        why=invented("The holidays came between. We would like to finish with the third class."),
    )
    if agree:
        actions.agree_extension(extension, by=life.head_of(deployment.giving))


def ended_early(life: Life, request: SupportRequest) -> None:
    from brightspots_web.connectedness import support_deployment_actions as actions

    deployment = under_way(life, request)
    if deployment:
        by = life.head_of(request.school)
        why = invented("We have what we need; the rest we do ourselves.")
        actions.end_early(deployment, by=by, why=why, still_wanted=False)


def reported(life: Life, request: SupportRequest, views: int = 0) -> None:
    """Done and reported; none, one or both sides have said what it was worth."""
    from brightspots_web.connectedness import support_deployment_actions as actions

    deployment = under_way(life, request, left=10)
    if deployment is None:
        return
    by = life.head_of(deployment.giving)
    more: dict[str, Any] = {"on": life.today, "days": Decimal(1)}
    actions.log(deployment, by=by, kind="visit", note=invented(NOTES[0]), **more)
    actions.finish(deployment, by=by, report=invented(REPORT))
    sides = [life.head_of(deployment.receiving), by]
    for side in sides[:views]:
        worth, words = life.rng.choice(VIEWS)
        actions.give_view(deployment, by=side, worth=worth, words=invented(words))


def one_view(life: Life, request: SupportRequest) -> None:
    reported(life, request, views=1)


def both_views(life: Life, request: SupportRequest) -> None:
    reported(life, request, views=2)


def taken_back(life: Life, request: SupportRequest) -> None:
    from brightspots_web.connectedness import support_actions as actions

    why = invented("A school next door helps us already.")
    actions.withdraw_request(request, by=life.head_of(request.school), why=why)


def only_asked(life: Life, request: SupportRequest) -> None:
    """Nobody has looked at it yet."""


def now() -> Any:
    from django.utils import timezone

    return timezone.now()


def _proposed(agree: bool | None) -> Story:
    """Propose in place of the school's own request; the head answers, or has not yet."""

    def story(life: Life, request: SupportRequest) -> None:
        from brightspots_web.connectedness import support_actions as actions

        head = life.head_of(request.school)
        actions.withdraw_request(request, by=head, why=invented("Talked over with the officer."))
        proposed = actions.propose_support(
            request.school,
            by=life.officer_of(request),
            priority=request.priority,
            what=invented("As we talked about: somebody who plans with your team."),
            note=invented("Agreed by telephone to send this."),
        )
        if agree is not None:
            why = "" if agree else invented("Not this term: we move to the new building.")
            actions.answer_proposal(proposed, by=head, agree=agree, why=why)

    return story


STORIES: tuple[Story, ...] = (
    *(only_asked, only_asked, only_asked, looked_at, looked_at, looked_at, looked_at),
    *(suggested, suggested, put_to_both, put_to_both, asker_accepted, declined),
    *(both_accepted, both_accepted, given_back, under_way, under_way, under_way),
    *(end_passed, ended_early, reported, one_view, both_views, both_views),
    *(_proposed(None), _proposed(True), _proposed(False), taken_back),
    *(later_proposed, later_agreed),
)  # type: ignore[assignment] # stories may give back what they made
