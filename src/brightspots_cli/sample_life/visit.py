"""Peer reviews of the sample after the visit: one with its workshop, two elsewhere in the area."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Mapping, Sequence

    from brightspots_web.accountability.models import PeerReview
    from brightspots_web.directory.models import Appointment, School

INVENTED = "(Invented.)"
SEEN = (
    ("lesson", True, "In four of five lessons the first minutes were reading aloud, all together."),
    ("work", True, "Every exercise book had a word from the teacher this week."),
    ("voice", True, "Eight pupils could say what they were learning, and what was hard in it."),
    ("lesson", False, "Those in the last two rows were asked once in forty minutes."),
    ("paper", False, "The plan names who is behind in March; it has no date before that."),
)
"""What peers wrote down on their phones: where, whether it works well, in what words."""
STRENGTHS = (
    (
        "Reading aloud opens every lesson, and pupils know why.",
        "Four of five lessons, a talk with eight pupils.",
    ),
    ("Teachers answer in every exercise book, each week.", "The books of two classes."),
)
WORK_ON = (
    "Whoever sits at the back is seldom asked; who is stuck is seen late.",
    "Five lessons, the plan of the school.",
)
DIFFERENTLY = (
    "We see it in some classes, not in all: two teachers draw names by lot since January. We would "
    "like to begin with them."
)
REPLY = (
    "Nobody had told us that pupils can say why they read. The last two rows surprised us. We will "
    "not change the plan for the year now; we begin with who is asked."
)
EXCELLENCE = (
    "Ten minutes of reading aloud at the beginning of every lesson, in every subject, without an "
    "adult having to ask for it."
)
NOTES = (
    "We read the findings aloud, strengths first. Of the things to work on we chose one: who is "
    "asked. Two teachers showed how they draw names; everybody tries it for three weeks."
)
STEPS = (
    ("Names are drawn by lot in every lesson", "The deputy", 21),
    ("Two teachers visit each other and count who is asked", "The teacher of year 4", 35),
)
CHECKED = (
    "In five lessons all rows were asked. One class forgot the lot and found it again while we "
    "were there. What is still open: who sees those who do not dare to speak?"
)
TALKED = 12
"""Days from the visit to the workshop."""
OUTCOMES = (
    "In four classes of six; two begin after the holidays.",
    "They visited each other twice, and go on.",
)


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Let the review that the head of the cast belongs to go on; make two elsewhere."""
    from django.db import transaction

    with transaction.atomic():
        _near(cast["head"])
        _elsewhere(rng, cast)


def _near(head: Appointment) -> None:
    """Let the review to whose team the head belongs go on, up to its workshop."""
    from brightspots_cli.sample_life import review as before
    from brightspots_web.accountability import review_queries as queries

    seen = queries.visible_to(head)
    found = seen.filter(question=before.ELSEWHERE, state="scheduled").first()
    if found is None:
        return
    Story(found).workshop(check_back=75, ago=55).first_step_done()


def _elsewhere(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Make two in the officer's area: one past its day to check back, one finished."""
    from brightspots_web.directory import people_queries

    answering = people_queries.answering()
    hosts = [answering[each.pk] for each in _schools(rng, cast) if each.pk in answering]
    but = {each.person_id for each in cast.values()}
    stories = (scheduled(host, but) for host in hosts)
    begun = islice((each for each in stories if each is not None), 2)  # and none beyond these
    overdue, finished = next(begun, None), next(begun, None)
    if overdue is not None:
        overdue.workshop(check_back=90, ago=120)
    if finished is not None:
        finished.checked(150)


def scheduled(host: Appointment, but: Collection[int]) -> Story | None:
    """Begin a review and find it a team of two, without some people; set its days."""
    from brightspots_cli.sample_life import review as before
    from brightspots_web.accountability import review_actions as actions
    from brightspots_web.accountability import review_people_queries as peers
    from brightspots_web.accountability import review_team_actions as team
    from brightspots_web.directory import queries

    about = before._about(f"{INVENTED} Who is asked in our lessons, and who never?")
    review = actions.seek_team(actions.begin(about, by=host), by=host, seen=None)
    able = [e for e in peers.candidates(review) if e.may_come and e.person.pk not in but]
    able.sort(key=lambda each: not each.outside)
    if len(able) < 2 or not able[0].outside:
        return None
    for i, each in enumerate(able[:2]):
        seat = team.invite(review, each.person, by=host, leads=i == 0)
        team.accept(seat, by=each.appointment)
    visit = actions.Visit(queries.today() + timedelta(days=9), None, before.PLAN)
    return Story(actions.schedule(review, visit, by=host, seen=None))


def _schools(rng: random.Random, cast: Mapping[str, Appointment]) -> Sequence[School]:
    """Find schools of the officer's area outside the cast's partnership, by the seed alone."""
    from brightspots_web.directory import queries

    officer, leader = cast["officer"], cast["leader"]
    if officer.area is None or leader.partnership is None:
        return []
    ours = {each.school_id for each in queries.memberships_of(leader.partnership)}
    members = queries.live_memberships().values("school")
    listed = list(
        queries.open_schools()
        .filter(area__path__startswith=officer.area.path, pk__in=members)
        .exclude(pk__in=ours)
        .select_related("area")
        .order_by("code")
    )
    rng.shuffle(listed)
    return listed


class Story:
    """What happens in one review from the day of the visit on, by the actions of the pages."""

    def __init__(self, review: PeerReview) -> None:
        from brightspots_web.accountability import review_queries
        from brightspots_web.directory import actions, people_queries, queries

        self.review = review
        self.today = queries.today()
        self.operator = actions.command_line_operator()
        answering = people_queries.answering()
        self.host = answering[review.school_id]
        self.team = [answering[each.school_id] for each in review_queries.coming(review)]

    def workshop(self, check_back: int, ago: int) -> Story:
        """Go up to the workshop, the whole lying some days back."""
        self._agreed(check_back)
        self._back(TALKED)
        self._workshop()
        self._back(ago - TALKED)
        return self

    def first_step_done(self) -> None:
        """Let the host say that the first step is done."""
        from brightspots_web.accountability import visit_after_actions as after

        step = self.review.actions.order_by("due")[0]
        on = self.today - timedelta(days=9)
        after.finish_action(step, on, f"{INVENTED} {OUTCOMES[0]}", by=self.host)

    def checked(self, ago: int) -> None:
        """Go up to the check-back; what came before lies some days further back."""
        from brightspots_web.accountability import visit_after_actions as after

        self._agreed(ago - 10)
        self._back(TALKED)
        self._workshop()
        self._back(ago - TALKED)
        steps = list(self.review.actions.all())
        outcomes = {
            each.pk: after.Outcome(i > 0, f"{INVENTED} {OUTCOMES[i]}")
            for i, each in enumerate(steps)
        }
        found = f"{INVENTED} {CHECKED}"
        after.check_back(self.review, self.today, found, outcomes, by=self.team[0], seen=None)
        self._back(10)

    def _agreed(self, check_back: int) -> None:
        from brightspots_web.accountability import visit_actions as actions
        from brightspots_web.accountability import visit_after_actions as after

        self._back((self.review.visit_on - self.today).days if self.review.visit_on else 0)
        for i, (kind, strength, words) in enumerate(SEEN):
            saw = actions.Saw(kind, f"{INVENTED} {words}", strength, self.today)
            key = UUID(int=self.review.pk * 100 + i)
            actions.keep_evidence(self.review, key, saw, by=self.team[i % len(self.team)])
        lead = self.team[0]
        for words, rests_on in STRENGTHS:
            given = actions.Found("a_strength", f"{INVENTED} {words}", rests_on)
            made = actions.add_finding(self.review, given, by=lead)
            actions.answer_finding(made, True, "", by=self.host)
        given = actions.Found("b_work_on", f"{INVENTED} {WORK_ON[0]}", WORK_ON[1])
        made = actions.add_finding(self.review, given, by=lead)
        actions.answer_finding(made, False, f"{INVENTED} {DIFFERENTLY}", by=self.host)
        after.praise(self.review, f"{INVENTED} {EXCELLENCE}", by=lead, seen=None)
        on = self.today + timedelta(days=check_back)
        actions.agree(self.review, on, by=lead, seen=None)
        after.reply(self.review, f"{INVENTED} {REPLY}", by=self.host, seen=None)

    def _workshop(self) -> None:
        from brightspots_web.accountability import visit_after_actions as after
        from brightspots_web.accountability import visit_queries as queries

        champion = next(iter(queries.champions_for(self.review)), None)
        given = after.Workshop(self.today, f"{INVENTED} {NOTES}", champion)
        for what, owner, days in STEPS:
            step = after.Step(f"{INVENTED} {what}", owner, self.today + timedelta(days=days))
            after.add_action(self.review, step, by=self.host)
        after.hold_workshop(self.review, given, by=self.host, seen=None)

    def _back(self, days: int) -> None:
        from brightspots_web.accountability import visit_history_actions as history

        self.review = history.date_review_back(self.review, days, by=self.operator)
