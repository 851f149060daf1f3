"""Leaders in the sample: designated by panels, asked by the evidence, applying, their terms."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from brightspots_web.alignment.models import Priority
    from brightspots_web.directory.models import Appointment, School
    from brightspots_web.leaders.models import Application, Designation

DIRECTOR = "director@leaders.sample.invalid"
"""Somebody of the ministry who backs applications where a district has no officer."""
PANELS = 6
"""So many leaders were decided on by panels; the others were leaders before."""
BEFORE = "(Invented.) Designated before the system kept its leaders here."
STATEMENTS = (
    "Our teachers plan on Thursdays and look at exercise books first. I would like to show it to "
    "neighbours and learn how they do it.",
    "Five years ago half of year 3 could not read. Now most can, by small steps that others can "
    "take as well.",
    "I have sat in lessons for years and ask two questions after each. Heads nearby ask me how.",
    "We are a small school with three languages. What we found out about books may help others.",
)
REASONS = (
    "You showed how your teachers work together without you. The panel saw it in the books.",
    "You listen before you advise, and say what did not work. That is what partners need.",
    "Your record is steady over years, and your deputy can carry the school on your days away.",
)
VIEWS = (
    "The teachers spoke more than the head did. That says a lot.",
    "Clear about what can be shared and what was luck.",
    "Ready. The first term should begin with two schools, then more.",
)
PEER = "Two of our teachers spent a day there and came back with a plan. That school can lead."
SELF = "I would like to help schools with many languages; we have learnt a lot about it."
NOT_NOW = "We are building two classrooms. Please ask again next year."


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Designate those who lead, and leave a few people on their way; every text says invented."""
    from django.db import transaction

    life = Life(rng, cast)
    with transaction.atomic():  # one wait for the disk instead of a thousand
        life.serve_for_years()
        life.designate()
        life.on_their_way()
        life.ask()


class Life:
    """Who leads, who applies and who is asked, by the same actions as the pages use."""

    def __init__(self, rng: random.Random, cast: Mapping[str, Appointment]) -> None:
        from brightspots_web.alignment import queries as alignment
        from brightspots_web.directory import actions, leadership_queries, queries

        self.rng, self.cast, self.today = rng, cast, queries.today()
        self.operator = actions.command_line_operator()
        person = actions.register_person(DIRECTOR, "The ministry's director of schools")
        self.director = actions.appoint(person, "minister", by=self.operator)
        self.priorities = alignment.live_priorities()
        schools = list(queries.open_schools().select_related("area").order_by("code"))
        held = leadership_queries.heads_first([each.pk for each in schools])
        everybody = list(held.select_related("school__area", "partnership", "area"))
        self.leaders = [each for each in everybody if each.role == "system_leader"]
        self.heads = [each for each in everybody if each.role == "head"]
        self.rng.shuffle(self.heads)

    def serve_for_years(self) -> None:
        """Heads did not begin on the day the register was read: they have served for years."""
        from brightspots_web.directory import actions, history_actions

        since = {each.pk: self._years_ago(1, 14) for each in self.heads}
        since[self.cast["head"].pk] = self._years_ago(5, 9)
        since[self.cast["teacher"].pk] = self._years_ago(4, 12)
        history_actions.date_back_service(since, by=self.operator)
        for each in self.leaders:
            starts = self._years_ago(6, 18)
            actions.appoint(
                each.person, "head", by=self.operator, school=each.school, starts=starts,
                ends=each.starts,
            )  # fmt: skip

    def _years_ago(self, fewest: int, most: int) -> date:
        return self.today - timedelta(days=self.rng.randint(365 * fewest + 10, 365 * most))

    def designate(self) -> None:
        """Let panels designate all who lead but one, who waits for it; one term ends soon."""
        from brightspots_web.leaders import designation_life_actions as terms

        own = self.cast["leader"].pk
        others = sorted(self.leaders, key=lambda each: (each.pk == own, each.pk))
        waiting = others[:1] if len(others) > 3 else []
        chosen = [each for each in others if each not in waiting]
        for at, leader in enumerate(chosen):
            # Terms of three years began over the last two and a half; the first ends soon.
            ago = 1005 if at == 0 else self.rng.randint(40, 820)
            starts = self.today - timedelta(days=ago)
            if len(chosen) - at > PANELS and leader.school is not None:
                terms.take_over(
                    leader, starts=starts, days=self.rng.choice((30, 36, 40, 44)),
                    priorities=self._best(leader.school), reason=BEFORE, by=self.operator,
                )  # fmt: skip
            else:
                terms.date_back(self._designated(leader), starts, by=self.operator)
        for leader in waiting:
            self._panel(self._handed_in(leader), views=1)

    def _designated(self, applicant: Appointment) -> Designation:
        from brightspots_web.leaders import designation_queries, panel_actions

        application = self._panel(self._handed_in(applicant), views=3)
        reason = f"(Invented.) {self.rng.choice(REASONS)}"
        panel_actions.decide(
            application, panel_actions.Decision(designated=True, reason=reason),
            by=self.cast["minister"], seen=None,
        )  # fmt: skip
        found = designation_queries.live_designation(applicant.person)
        assert found is not None, "the decision designates from today"  # noqa: S101
        return found

    def _draft(self, applicant: Appointment) -> Application:
        from brightspots_web.leaders import designation_actions as applying
        from brightspots_web.leaders.models import Grade

        draft = applying.begin(by=applicant)
        strong = list(draft.priorities.all()) or self._best(draft.school)
        specialist = applicant.role == "teacher"
        written = applying.Written(
            grade=Grade.SPECIALIST if specialist else Grade.LEADER,
            priorities=strong,
            stays_until=self.today + timedelta(days=self.rng.randint(800, 2200)),
            days=self.rng.choice((30, 36, 40, 44)),
            statement=f"(Invented.) {self.rng.choice(STATEMENTS)}",
            governors_by="(Invented.) The chair of the school's governors",
            governors_on=self.today - timedelta(days=self.rng.randint(20, 60)),
        )
        return applying.change(draft, written, by=applicant, seen=None)

    def _best(self, school: School) -> list[Priority]:
        """Find the priority in which a school is furthest above what is expected, if in any."""
        from brightspots_web.leaders import designation_evidence_queries as evidence

        rows = evidence.evidence_of(school, self.priorities)["rows"]
        above = [each for each in rows if each["known"] and each["estimate"] > 0]
        best = max(above, key=lambda each: each["estimate"])["priority"] if above else ""
        return [each for each in self.priorities if each.code == best]

    def _handed_in(self, applicant: Appointment) -> Application:
        """Backed and handed in; the ministry takes it without what a young school cannot have."""
        from brightspots_web.leaders import designation_actions as applying
        from brightspots_web.leaders import designation_criteria_queries as criteria

        draft = applying.ask_backing(self._draft(applicant), by=applicant, seen=None)
        draft = applying.back(draft, by=self._backer(applicant.school), seen=None)
        lacking = [each.key for each in criteria.missing(draft)]
        if lacking:
            why = "(Invented.) The school is small and new; what it does was seen on visits."
            draft = applying.take_without(
                draft, lacking, why=why, by=self.cast["minister"], seen=None
            )
        return applying.hand_in(draft, by=applicant, seen=None)

    def _backer(self, school: School | None) -> Appointment:
        """Find the officer over the school, or the ministry's director where there is none."""
        officer = self.cast["officer"]
        if school is None or officer.area is None:
            return self.director
        here = school.area.path.startswith(officer.area.path)
        return officer if here else self.director

    def _panel(self, application: Application, *, views: int) -> Application:
        """Call the analyst and two heads whom nothing binds; some have said their view."""
        from django.core.exceptions import ValidationError

        from brightspots_web.leaders import panel_actions
        from brightspots_web.leaders.models import PanelMember

        minister, analyst = self.cast["minister"], self.cast["analyst"]
        others = [each for each in self.heads if each.pk != self.cast["head"].pk]
        sits: list[tuple[PanelMember, Appointment]] = []
        for each in [*self.rng.sample(others, min(len(others), 12)), analyst]:
            if len(sits) >= 2 and each is not analyst:
                continue
            try:
                member = panel_actions.call(application, each.person, by=minister, seen=None)
            except ValidationError:
                continue  # something binds them
            sits.append((member, each))
        for member, by in sits[:views]:
            panel_actions.declare_free(member, by=by)
            reason = f"(Invented.) {self.rng.choice(VIEWS)}"
            panel_actions.say(member, PanelMember.View.YES, reason=reason, by=by)
        return application

    def on_their_way(self) -> None:
        """Leave a draft that waits for the officer's backing: the cast's head stays free."""
        from brightspots_web.leaders import designation_actions as applying

        officer = self.cast["officer"]
        here = [
            each
            for each in self.heads
            if each.pk != self.cast["head"].pk and self._backer(each.school) == officer
        ]
        strong = [each for each in here if each.school and self._best(each.school)]
        for applicant in [*strong, *here][:1]:
            applying.ask_backing(self._draft(applicant), by=applicant, seen=None)

    def ask(self) -> None:
        """Ask a few by the evidence; a colleague and one head speak up; one says not now."""
        from brightspots_web.directory import leadership_queries
        from brightspots_web.insight import queries as insight
        from brightspots_web.leaders import finding_actions, finding_queries

        minister, leader = self.cast["minister"], self.cast["leader"]
        run = insight.current_run()
        search = finding_queries.Search(standing=finding_queries.FREE)
        found = finding_queries.search(minister, search, run)
        mine = {self.cast[who].school_id for who in ("head", "leader", "teacher")}
        once = {each.school: each for each in found if each.head and each.school not in mine}
        chosen = sorted(once.values(), key=lambda each: each.school)
        chosen = chosen[: min(5, (len(chosen) + 1) // 2)]
        for at, each in enumerate(chosen):
            assert each.head is not None, "chosen so"  # noqa: S101
            held = leadership_queries.serving([each.school]).filter(person=each.head).first()
            if held is None or held.school is None:
                continue
            finding_actions.invite(
                each.head, held.school, each.priority, by=minister,
                words="(Invented.) Others could learn from your school. Would you consider it?",
            )  # fmt: skip
            if at == 1:
                finding_actions.not_now(why=f"(Invented.) {NOT_NOW}", by=held)
        peers = [
            each
            for each in finding_queries.colleagues(leader)
            if each.role == "head" and each.pk != self.cast["head"].pk
        ]
        free = finding_queries.standings_of([each.person_id for each in peers])
        peers = [each for each in peers if each.person_id not in free]
        if peers:
            finding_actions.nominate(peers[0].person, words=f"(Invented.) {PEER}", by=leader)
        taken = finding_queries.standings_of([each.person_id for each in self.heads])
        free_heads = [each for each in self.heads if each.person_id not in taken]
        free_heads = [each for each in free_heads if each.pk != self.cast["head"].pk]
        if free_heads:
            finding_actions.put_forward(words=f"(Invented.) {SELF}", by=free_heads[0])
