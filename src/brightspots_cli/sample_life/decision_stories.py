"""What schools of the sample ask themselves, decide and try: invented, and said to be so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Story:
    """A question a group has, and what it makes of it."""

    question: str
    options: tuple[str, ...]
    decision: str
    would_change: str


@dataclass(frozen=True)
class Trial:
    """A small test: what is predicted, by what it is measured, what is found."""

    title: str
    test: str
    prediction: str
    measure: str
    unit: str
    up: bool
    act: str
    found: str = ""
    next_step: str = ""


BOOKS = Story(
    "How do we find early who is stuck in reading?",
    (
        "A reading test every month: takes two lessons, and says it late",
        "Each teacher by ear: quick, but we hear different things",
        "Two teachers look at ten exercise books together every Friday",
    ),
    "In every school of the partnership two teachers look at ten exercise books together on "
    "Fridays, write down who is stuck and with what, and teach these pupils in fours from Monday.",
    "If after six weeks the books show us nobody whom we did not know of anyway, or if it takes "
    "more than an hour a week.",
)
VISITS = Story(
    "Do we open our reading lessons to each other?",
    (
        "One open day a term, for everybody",
        "Pairs of schools, one lesson every two weeks",
    ),
    "Each school visits one reading lesson at a neighbour every two weeks. The visitor leaves two "
    "questions and no mark.",
    "If teachers say after a month that a visit is an inspection to them.",
)
EARLIER = Story(
    "What do we do about pupils who are away on market days?",
    ("Call the parents", "Move the test to another day", "Begin market days with a game of number"),
    "Market days begin with a game of number in all classes, so that nobody wants to miss them.",
    "If as many are away after eight weeks as before.",
)
ELSEWHERE = (BOOKS, VISITS, EARLIER)
FOURS = Trial(
    "Fours by turns in year 3",
    "Four pupils at a time come to the front table for ten minutes, in year 3, for nine weeks. The "
    "others practise in pairs.",
    "By the end of the term 8 of 12 pupils read the page of the week aloud without help; now it "
    "is 4.",
    "pupils who read the page of the week aloud",
    "of 12",
    True,
    "adopt",
    "From the fourth week on more of them read it than before, and it has stayed so: 8 to 9 of 12. "
    "The two weeks before the pairs knew what to do were worse, as nobody had foreseen.",
    "Year 4 begins after the holidays, with two weeks of practising in pairs first. The head "
    "finds the hour on Fridays.",
)
QUIET = Trial(
    "Ten quiet minutes after the break",
    "Every day after the break all read by themselves for ten minutes, the teacher too.",
    "After six weeks lessons begin within three minutes; now it takes about eight.",
    "minutes until the lesson begins",
    "",
    False,
    "",
)
SATURDAY = Trial(
    "Reading on Saturday mornings",
    "Pupils of year 5 who read slowly come on Saturday mornings for two hours, for five weeks.",
    "20 of 24 come each time, and read ten words a minute more in the end.",
    "pupils who came",
    "of 24",
    True,
    "abandon",
    "Fewer came each time: those with a long way, and those who are needed at home, which are just "
    "the ones we meant. We would not have known without counting.",
    "We leave Saturdays. The same teachers read with these pupils on Wednesdays in school time.",
)
CARDS = Trial(
    "Word cards at the door",
    "Every pupil reads one card aloud on the way in. Six weeks, years 2 and 3.",
    "In six weeks half of the pupils read 20 of 25 cards without stopping.",
    "cards read without stopping",
    "of 25",
    True,
    "adapt",
    "It helped those who read a little already; for the others the queue was too quick.",
    "The same cards, but in the morning circle, and each pupil chooses the card.",
)
CIRCLE = Trial(
    "Word cards in the morning circle",
    "Each pupil chooses a card in the morning circle and reads it to a partner. Six weeks.",
    "Those who read fewer than 5 cards at the door read 10 by the end.",
    "cards read without stopping",
    "of 25",
    True,
    "",
)
SHIFT = (4, 5, 3, 4, 4, 3, 2, 3, 6, 7, 7, 8, 7, 8, 9, 8)
RUNNING = (8.5, 7, 8, 6.5, 6, 6.5, 5)
FEWER = (21, 18, 15, 14, 11)
CLIMB = (6, 7, 9, 8, 10, 11)
