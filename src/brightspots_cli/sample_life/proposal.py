"""Two agreements: the one whose priorities are at work, and the next in its consultation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from brightspots_web.alignment.agreement_actions import Calendar
    from brightspots_web.alignment.models import Agreement, PriorityProposal
    from brightspots_web.alignment.proposal_actions import Text
    from brightspots_web.directory.models import Appointment

INVENTED = "(Invented.)"
IMPROVEMENT, ACCOUNTABILITY = "improvement", "accountability"


@dataclass(frozen=True)
class Said:
    """What somebody says to a proposal, and what its author answers."""

    who: str
    words: str
    answer: str = ""
    amendment: bool = False
    taken_up: bool = False


@dataclass(frozen=True)
class Story:
    """A proposal as its author writes it; `who` is one of the cast, or another head by number."""

    who: str
    title: str
    why: str
    subject: str = ""
    drivers: str = ""
    indicators: Sequence[str] = ()
    said: Sequence[Said] = ()


PAST = (
    Story(
        "leader",
        "Every child reads by ten",
        "A child who cannot read by ten learns little of anything after.",
        "reading",
        "Teachers know how each child reads\nChildren read every day",
        said=(
            Said("teacher", "By ten is late for those who start at five. But yes.",
                 "It is the last day, not the first: who can earlier, does."),
            Said("officer", "Name books: half of our schools have none to read in.",
                 "Books are a driver now.", amendment=True, taken_up=True),
        ),
    ),
    Story(
        "1",
        "Sense of number in the early years",
        "What is missed with numbers in the first years is rarely made up.",
        "mathematics",
        "Numbers are things before they are signs\nChildren say how they found it",
        said=(Said("head", "We see it in the fourth year: they count on their fingers.",
                   "So do ours. Thank you."),),
    ),
    Story(
        "2",
        "Every pupil speaks in every lesson",
        "In most lessons a few answer and the others wait for the bell.",
        said=(Said("leader", "How would anybody measure that?",
                   "Two visitors and a list of names. It takes an hour."),),
    ),
    Story(
        "officer",
        "Older pupils write to be understood",
        "They copy well and say little of their own. Writing is thinking on paper.",
    ),
    Story(
        "minister",
        "Lessons begin with what pupils got wrong",
        "Whoever looks at yesterday's mistakes knows what to teach today.",
        said=(Said("3", "The bright spots we visited do this.", "It is where we have it from."),),
    ),
)  # fmt: skip
INDICATORS = {
    "Pupils who say aloud how they found an answer": (IMPROVEMENT, "%"),
    "Pages read alone in a month, as pupils count them": (IMPROVEMENT, "pages"),
    "Schools that may need help in reading, by the fourth year": (ACCOUNTABILITY, "schools"),
}
EXPLAIN, PAGES, FOURTH = INDICATORS
OURS = "Children explain how they found it"
TALK = "Children explain and talk about numbers"
LEARN = "Reading to learn from the fourth year on"
BOOKS = "Books that children can read by themselves"
FRIDAY = "A test every Friday"
NEXT = (
    Story(
        "head",
        OURS,
        "Our pupils get sums right and cannot say why. The next year's sums are then new to them. "
        "Where they explain to each other they remember, as far as we see.",
        "mathematics",
        "A wrong answer is worth a talk\n  One mistake of the week on the board\n"
        "Pairs explain to each other\n  Ten minutes in each lesson\n    One speaks, one asks why",
        (EXPLAIN,),
        (
            Said("leader", "Say for which years. In the first two they show it with things.",
                 "From the third year on. We put it in.", amendment=True, taken_up=True),
            Said("4", "In which language? Ours explain well in their own.",
                 "In the one they think in. That is the point of it."),
            Said("officer", "Leave the ten minutes out: schools have different timetables.",
                 "Without a time it does not happen. We keep it as an idea to try.",
                 amendment=True),
            Said("teacher", "With 60 in the room pairs are loud. Could it be groups of four, in "
                 "turn?", amendment=True),
            Said("5", "We would join in. Who shows us how to begin?"),
        ),
    ),
    Story(
        "1",
        TALK,
        "We hear more of what children understand when they talk about numbers than in any test.",
        "mathematics",
        "Teachers ask why\nChildren have something to show it with",
        said=(Said("6", "Very near to what another school proposed."),),
    ),
    Story(
        "leader",
        LEARN,
        "From the fourth year on everything is learnt by reading. Who reads slowly then falls "
        "behind in all of it, and nobody teaches reading any more.",
        "reading",
        "Every teacher teaches reading\n  Ten new words a week, in every subject\n"
        "Pupils read long texts\n  A page a day, to somebody who asks",
        (PAGES, FOURTH),
        (
            Said("7", "Teachers of science have never learnt to teach reading.",
                 "Neither had we. It is a driver: we would learn it from each other."),
            Said("head", "Begin in the third year, or the fourth is too late.",
                 "The third is in the priority of today. We do not do it twice.",
                 amendment=True),
            Said("teacher", "Where do the long texts come from?"),
        ),
    ),
    Story(
        "officer",
        "Children read first in the language of their home",
        "In half of our schools children learn to read in a language they do not speak. They "
        "learn to say it aloud, and not what it says.",
        "reading",
        said=(
            Said("8", "We have four languages in one class. Which one?"),
            Said("minister", "What would the change at the fourth year look like?"),
        ),
    ),
    Story(
        "minister",
        "Teachers see each other teach every month",
        "Schools that do well open their classrooms. It costs an hour a month and no money.",
        drivers="Heads make the hour free\nTwo questions left behind, never a mark",
        said=(
            Said("9", "In a school with three teachers somebody has to take two classes.",
                 "Schools of a partnership could take turns: we add it as an idea.",
                 amendment=True, taken_up=True),
            Said("leader", "This is how, not what pupils get better at. Is it a priority?"),
        ),
    ),
    Story(
        "3",
        "Every child writes something of its own each day",
        "They copy from the board for hours. Ten minutes of own words a day would be a beginning.",
        said=(Said("10", "Who reads it all?"),),
    ),
    Story(
        "2",
        BOOKS,
        "Where there are no books, reading is learnt from the board and forgotten at home.",
        "reading",
        said=(Said("head", "A box of forty did it with us.", "That is what we think of."),),
    ),
    Story(
        "5",
        FRIDAY,
        "What is tested is learnt.",
        "mathematics",
        said=(Said("11", "Then Friday is lost for learning."),),
    ),
)  # fmt: skip


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Agree on the cycle at work in the past, and talk about the next one today."""
    from django.db import transaction

    life = Life(rng, cast)
    with transaction.atomic():  # one wait for the disk instead of a hundred
        life.at_work()
        life.next_one()


class Life:
    """Agreements of the sample, by the same actions as the pages use; then time is let pass."""

    def __init__(self, rng: random.Random, cast: Mapping[str, Appointment]) -> None:
        from brightspots_web.directory import actions, partnership_queries, queries

        self.rng, self.cast = rng, cast
        self.operator = actions.command_line_operator()
        self.today = queries.today()
        self.codes: dict[str, str] = {}
        schools = queries.open_schools().order_by("code").values_list("pk", flat=True)
        taken = {each.school_id for each in cast.values()}
        found: dict[int, Appointment] = {}
        for each in partnership_queries.heads_of(list(schools)).order_by("role", "pk"):
            if each.school_id is not None and each.school_id not in taken:
                found.setdefault(each.school_id, each)
        self.heads = rng.sample([found[key] for key in sorted(found)], 12)

    def _who(self, who: str) -> Appointment:
        return self.heads[int(who)] if who.isdecimal() else self.cast[who]

    def _calendar(self, begins: int, work: int, length: int) -> Calendar:
        """Days from today: when proposals begin, when work does, how long the cycle is."""
        from brightspots_web.alignment.agreement_actions import Calendar

        after = {"propose": 0, "consult": 40, "ballot": 85, "adopt": 106}
        days: dict[str, Any] = {f"{name}_from": self.today + timedelta(days=begins + n)
                for name, n in after.items()}  # fmt: skip
        starts = self.today + timedelta(days=work)
        ends = starts + timedelta(days=length)
        return Calendar(
            "", starts, ends, **days, work_from=starts, review_from=ends - timedelta(days=60)
        )

    def _agreement(self, name: str, calendar: Calendar) -> Agreement:
        from dataclasses import replace

        from brightspots_web.alignment import agreement_actions

        named = replace(calendar, name=name)
        return agreement_actions.make_agreement(named, by=self.cast["minister"])

    def _named(self, later: int) -> str:
        """As school years are called, `2026/27`: the one at work, or so many years later."""
        year = (self.today - timedelta(days=120)).year + later
        return f"{year}/{(year + 1) % 100:02d}"

    def at_work(self) -> None:
        """Proposed and talked about nine months ago, voted on since; work began in between."""
        passed = 262
        agreement = self._agreement(self._named(0), self._calendar(-10, passed - 120, 365))
        proposals = {story: self._proposed(agreement, story) for story in PAST}
        agreement = self._pass(agreement, 45)
        for story, proposal in proposals.items():
            self._talk(proposal, story, story.said)
        self._pass(agreement, passed - 45)

    def next_one(self) -> None:
        """Proposed two months ago; people have talked about it for three weeks."""
        from brightspots_web.directory import indicator_actions
        from brightspots_web.directory.indicator_actions import Measure

        self.codes = {
            name: indicator_actions.add(Measure(name, purpose, unit), by=self.cast["minister"]).code
            for name, (purpose, unit) in INDICATORS.items()
        }
        agreement = self._agreement(self._named(1), self._calendar(-15, 245 + 45, 365))
        proposals = {story.title: (story, self._proposed(agreement, story)) for story in NEXT}
        agreement = self._pass(agreement, 30)
        for part, days in ((0, 9), (1, 6), (2, 0)):
            for story, proposal in proposals.values():
                self._talk(proposal, story, story.said[part::3])
            if part == 0:
                self._merged(proposals[BOOKS][1], proposals[LEARN][1])
            if part == 1:
                self._withdrawn(proposals[FRIDAY][1])
            if days:
                agreement = self._pass(agreement, days)
        self._wished(proposals[TALK][1], proposals[OURS][1])
        for story, proposal in proposals.values():
            if story.subject and story.title not in {BOOKS, FRIDAY}:
                self._renewed(proposal, story)

    def _pass(self, agreement: Agreement, days: int) -> Agreement:
        from brightspots_web.alignment import history_actions

        return history_actions.let_time_pass(agreement, days, by=self.operator)

    def _text(self, story: Story) -> Text:
        from brightspots_web.alignment.proposal_actions import Text

        return Text(
            story.title,
            f"{INVENTED} {story.why}",
            story.subject,
            tuple(self.codes[name] for name in story.indicators),
            story.drivers,
        )

    def _proposed(self, agreement: Agreement, story: Story) -> PriorityProposal:
        from brightspots_web.alignment import proposal_actions, proposal_queries

        by = self._who(story.who)
        voice = proposal_queries.voices_of(by)[-1 if story.who.isdecimal() else 0]
        draft = proposal_actions.write_draft(agreement, voice, self._text(story), by=by)
        return proposal_actions.propose(draft, by=by, seen=None)

    def _talk(self, proposal: PriorityProposal, story: Story, said: Sequence[Said]) -> None:
        from brightspots_web.alignment import proposal_talk_actions as talk

        for each in said:
            kind = talk.Kind.AMENDMENT if each.amendment else talk.Kind.COMMENT
            comment = talk.comment(
                proposal, by=self._who(each.who), words=f"{INVENTED} {each.words}", kind=kind,
                names_no_pupil=True,
            )  # fmt: skip
            if each.answer:
                talk.answer(
                    comment, by=self._who(story.who), words=f"{INVENTED} {each.answer}",
                    taken_up=each.taken_up if each.amendment else None, seen=None,
                    names_no_pupil=True,
                )  # fmt: skip

    def _merged(self, gone: PriorityProposal, into: PriorityProposal) -> None:
        from brightspots_web.alignment import proposal_merge_actions as merging

        words = f"{INVENTED} Books are what yours begins with. Shall we go on together?"
        wish = merging.wish(gone, into, by=self._who("2"), words=words)
        merging.agree(wish, by=self.cast["leader"])

    def _wished(self, one: PriorityProposal, into: PriorityProposal) -> None:
        from brightspots_web.alignment import proposal_merge_actions as merging

        words = f"{INVENTED} We want the same, and would bring the questions teachers ask."
        merging.wish(one, into, by=self._who("1"), words=words)

    def _withdrawn(self, proposal: PriorityProposal) -> None:
        from brightspots_web.alignment import proposal_actions

        proposal_actions.withdraw(
            proposal, by=self._who("5"), seen=None,
            why=f"{INVENTED} It was said, rightly, that a test is not yet teaching.",
        )  # fmt: skip

    def _renewed(self, proposal: PriorityProposal, story: Story) -> None:
        """Take the figures as they are published now, as a proposer may until people vote."""
        from brightspots_web.alignment import proposal_actions

        proposal_actions.change(
            proposal, self._text(story), by=self._who(story.who), seen=None, renew=True
        )
