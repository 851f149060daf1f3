"""Small data in the sample: notes, two drawings, observations, preparing, use of data."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from PIL.ImageDraw import ImageDraw

    from brightspots_web.alignment.models import Priority
    from brightspots_web.devolution.models import DataNote, Rubric
    from brightspots_web.devolution.note_photos import Photo
    from brightspots_web.directory.models import Appointment, School

ELSEWHERE = 12
"""So many schools of other partnerships have notes, too."""
READING = (
    ("seen", "In the first lesson two girls read to each other and stopped at every long word. "
             "Nobody had told them to.", ("class 3", "pairs")),
    ("heard", "“I know what it says, I do not know what it means.” A boy in class 4, about "
              "rivers.", ("meaning", "class 4")),
    ("hunch", "Those who read slowly sit far from the board. I would like to change places for a "
              "week and look.", ("seats",)),
    ("seen", "Of 14 exercise books I looked at, 11 copy the text and 3 have a sentence of their "
             "own.", ("writing", "class 3")),
    ("heard", "“At home I read the packets in the shop.” We asked where they read.", ("at home",)),
    ("seen", "The reading corner was full in the break, with children of all ages.", ("corner",)),
    ("hunch", "When I wait ten seconds after a question, others answer than usual.", ("waiting",)),
    ("seen", "Pupils guess a word from its first letter when the picture is small.", ("meaning",)),
)  # fmt: skip
NUMBER = (
    ("seen", "With stones on the floor everybody in class 2 could show 17. On paper, half could.",
     ("class 2", "things to hold")),
    ("heard", "“I count on because I forget the first one.” A girl, asked how she adds.",
     ("how they add",)),
    ("hunch", "Our number words are easier in the language of home. We could begin there.",
     ("language",)),
    ("seen", "The older ones explained the game to the younger ones better than I had.",
     ("pairs", "class 2")),
)  # fmt: skip
FORM = (
    {"question": "Did every pupil read aloud to somebody?", "kind": "yes_no"},
    {"question": "How many pupils explained a word to another?", "kind": "count"},
    {"question": "How long did pupils think before they answered?", "kind": "scale", "most": 4},
)
FORM_OF_ALL = (
    {"question": "Was there something to hold or to move for each pair?", "kind": "yes_no"},
    {"question": "How many ways of finding the answer were talked about?", "kind": "count"},
)
QUESTIONS = (
    "What do you do with those who guess?",
    "Who has tried to change the seats?",
    "How do you find the time for pairs?",
)


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Write notes in the cast's partnership and at some schools elsewhere; then what came of it."""
    from brightspots_web.alignment import queries as alignment
    from brightspots_web.connectedness import queries as connectedness
    from brightspots_web.directory import people_queries

    live = {each.subject: each for each in alignment.live_priorities()}
    heads = people_queries.answering()
    partnership = cast["leader"].partnership
    members = [each.school for each in connectedness.members_of(partnership)] if partnership else []
    forms = make_forms(cast, live)
    for school in members:
        if school.pk in heads:
            write_notes(rng, heads[school.pk], live, rng.randint(4, 6), share=3)
            observe(rng, heads[school.pk], forms)
    draw_photographs(rng, heads, members, live)
    of_the_teacher(rng, cast["teacher"], live)
    others = sorted(set(heads) - {school.pk for school in members})
    for key in rng.sample(others, min(ELSEWHERE, len(others))):
        write_notes(rng, heads[key], live, rng.randint(1, 3), share=1)
    prepare(rng, cast, heads, members)
    count_use(rng)


def keep(rng: random.Random, by: Appointment, words: str, ago: int, **more: Any) -> DataNote:
    """One note, labelled as invented, with a key that is the same each time."""
    from brightspots_web.devolution import note_actions
    from brightspots_web.directory import queries as directory

    photo = more.pop("photo", None)
    said = note_actions.Said(
        f"{words} (Invented.)" if words else "", directory.today() - timedelta(days=ago), **more
    )
    key = UUID(int=rng.getrandbits(128), version=4)
    return note_actions.write(said, by=by, client_key=key, photo=photo, names_nobody=True)


def pass_on(note: DataNote, by: Appointment) -> None:
    """Share a note where its school is in a partnership."""
    from brightspots_web.devolution import note_queries, note_share_actions

    if note_queries.partnership_now(note.school) is not None:
        note_share_actions.share(note, by=by, seen=None)


def write_notes(
    rng: random.Random, by: Appointment, live: Mapping[str, Priority], count: int, *, share: int
) -> None:
    """So many notes of a school over about three months, the first few of them shared."""
    stock = [("reading", *each) for each in READING] + [("mathematics", *each) for each in NUMBER]
    for place, (subject, kind, words, tags) in enumerate(rng.sample(stock, count)):
        note = keep(
            rng, by, words, rng.randint(2, 90), kind=kind, tags=tags, priority=live.get(subject)
        )
        if place < share:
            pass_on(note, by)


def make_forms(cast: Mapping[str, Appointment], live: Mapping[str, Priority]) -> list[Rubric]:
    """Make the leader's form for the partnership, and the ministry's for all schools."""
    from brightspots_web.devolution import rubric_actions
    from brightspots_web.devolution.rubric_actions import Form

    ten_minutes = Form(
        "Ten minutes in a reading lesson",
        FORM,
        "(Invented.) Sit among the pupils, look for ten minutes, say thank you.",
        live.get("reading"),
    )
    first_years = Form(
        "Number in the first years",
        FORM_OF_ALL,
        "(Invented.) In any lesson of classes 1 to 3.",
        live.get("mathematics"),
    )
    return [
        rubric_actions.make(ten_minutes, by=cast["leader"]),
        rubric_actions.make(first_years, by=cast["minister"]),
    ]


def observe(rng: random.Random, by: Appointment, forms: Sequence[Rubric]) -> None:
    """Observe every three weeks or so with the first form, twice with the second."""
    for form, weeks in ((forms[0], (2, 5, 8, 11)), (forms[1], (3, 7))):
        for week in weeks:
            answers: dict[str, object] = {}
            for item in form.items:
                # Slowly more of it, and never the same everywhere.
                more = (12 - week) / 12
                if item["kind"] == "yes_no":
                    answers[item["code"]] = rng.random() < 0.3 + 0.5 * more
                elif item["kind"] == "scale":
                    answers[item["code"]] = min(4, 1 + int(rng.random() * (2 + 2 * more)))
                else:
                    answers[item["code"]] = int(rng.random() * (3 + 4 * more))
            note = keep(
                rng, by, "", 7 * week + rng.randint(0, 4), kind="observation", rubric=form,
                observed=answers, priority=form.priority,
            )  # fmt: skip
            if rng.random() < 0.8:
                pass_on(note, by)


def of_the_teacher(rng: random.Random, teacher: Appointment, live: Mapping[str, Priority]) -> None:
    """Write what the teacher of the cast saw: one note waits for the head, one does not."""
    from brightspots_web.devolution import note_share_actions

    keep(rng, teacher, "I am not sure that the pairs help the quiet ones.", 3, kind="hunch",
         tags=("pairs",), priority=live.get("reading"))  # fmt: skip
    asked = keep(
        rng, teacher, "Three who never raise a hand read to a younger child without a stop.", 6,
        tags=("pairs", "quiet ones"), priority=live.get("reading"),
    )  # fmt: skip
    note_share_actions.suggest(asked, by=teacher)


def draw_photographs(
    rng: random.Random,
    heads: Mapping[int, Appointment],
    members: Sequence[School],
    live: Mapping[str, Priority],
) -> None:
    """Two drawings in the place of photographs, at the first two schools that have a head."""
    writers = [heads[school.pk] for school in members if school.pk in heads]
    pictures = (
        ("A number line to 20 on the floor, from stones and chalk.", number_line(), "mathematics",
         "A line of twenty chalk marks on the ground, a stone on every fifth"),
        ("What one page looks like: copied lines, and two of the pupil's own.", exercise_book(),
         "reading", "A page of an exercise book: ten copied lines in grey, two others in blue"),
    )  # fmt: skip
    for by, (words, photo, subject, says) in zip(writers, pictures, strict=False):
        note = keep(rng, by, words, 9, photo=photo, says=f"{says} (invented, drawn)",
                    priority=live.get(subject), tags=("things to see",))  # fmt: skip
        pass_on(note, by)


def number_line() -> Photo:
    def draw(on: ImageDraw) -> None:
        on.line((40, 300, 760, 300), fill="#f7f7f5", width=6)
        for at in range(21):
            x = 40 + 36 * at
            on.line((x, 275, x, 325), fill="#f7f7f5", width=4)
            if at % 5 == 0:
                on.ellipse((x - 22, 225, x + 22, 265), fill="#a7afbf", outline="#566072", width=3)

    return _drawn("#8c6f52", draw)


def exercise_book() -> Photo:
    def draw(on: ImageDraw) -> None:
        on.rectangle((120, 40, 680, 560), fill="#fdfdf8", outline="#d5d9e1", width=3)
        for line in range(12):
            y = 80 + 40 * line
            own = line in {4, 9}
            on.line((150, y + 18, 650, y + 18), fill="#d5d9e1", width=1)
            end = 420 if own else 640 - 23 * (line % 3)
            for x in range(156, end, 34):
                on.line((x, y + 4, x + 22, y + 10), fill="#21409a" if own else "#7b8496", width=4)

    return _drawn("#b7a58c", draw)


def _drawn(ground: str, draw: Callable[[ImageDraw], None]) -> Photo:
    from PIL import Image, ImageDraw

    from brightspots_web.devolution.note_photos import made_anew

    picture = Image.new("RGB", (800, 600), ground)
    draw(ImageDraw.Draw(picture))
    out = BytesIO()
    picture.save(out, "PNG")
    return made_anew(BytesIO(out.getvalue()))


def prepare(
    rng: random.Random,
    cast: Mapping[str, Appointment],
    heads: Mapping[int, Appointment],
    members: Sequence[School],
) -> None:
    """Let about half of the schools look before the coming meeting; the cast has not yet."""
    from brightspots_web.devolution import meeting_queries, preparation_actions, preparation_queries

    partnership = cast["leader"].partnership
    meeting = meeting_queries.next_meeting(partnership) if partnership else None
    if meeting is None:
        return
    of_the_cast = {each.person_id for each in cast.values()}
    for place, school in enumerate(members):
        head = heads.get(school.pk)
        if head is None or head.person_id in of_the_cast or place % 2:
            continue
        if preparation_queries.may_prepare(head, meeting):
            question = rng.choice(QUESTIONS)
            preparation_actions.prepare(meeting, by=head, question=f"{question} (Invented.)")


def count_use(rng: random.Random) -> None:
    """Count how data was used in about the last four months: a little more with the weeks."""
    from brightspots_web.devolution import use_actions
    from brightspots_web.devolution.use_history_actions import Used, write_back
    from brightspots_web.directory import actions
    from brightspots_web.directory import queries as directory
    from brightspots_web.shared.permissions import Role

    today = directory.today()
    first = (today - timedelta(days=100)).replace(day=1)
    counted: list[Used] = []
    schools: dict[int, int] = {}
    areas = {}
    for school in directory.open_schools().select_related("area"):
        schools[school.area_id] = schools.get(school.area_id, 0) + 1
        areas[school.area_id] = school.area
    above = next(iter(areas.values())).parent
    days = [first + timedelta(days=n) for n in range(0, (today - first).days, 3)]
    usual = {
        Role.HEAD: (0.9, 0.25), Role.TEACHER: (0.35, 0.2), Role.SYSTEM_LEADER: (0.4, 0.15),
    }  # fmt: skip
    for place, on in enumerate(days):
        grown = 0.5 + place / len(days)
        for key, area in sorted(areas.items()):
            for role, (looked, written) in usual.items():
                for what, often in (
                    (use_actions.LOOKED, looked),
                    (use_actions.CONTRIBUTED, written),
                ):
                    times = int(schools[key] * often * grown * rng.uniform(0.3, 1.4))
                    if times:
                        counted.append(Used(on, area, role, what, times))
        for role, often in (
            (Role.MINISTER, 6), (Role.ANALYST, 9), (Role.DISTRICT_OFFICER, 12),
        ):  # fmt: skip
            at = above if role == Role.DISTRICT_OFFICER else None
            counted.append(Used(on, at, role, use_actions.LOOKED, rng.randint(1, often)))
    write_back(counted, by=actions.command_line_operator())
