"""The outline of a driver diagram: what people write, and what they hear when it cannot be read."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from brightspots_web.alignment import driver_outline as outline
from brightspots_web.alignment.driver_outline import parse, tidy, written
from brightspots_web.shared.charts.drivers import Driver

THREE_DEEP = (
    Driver("See how each child reads", (Driver("A monthly check", (Driver("On one page"),)),)),
    Driver("Books", (Driver("A box for each class"),)),
)
TEXT = """See how each child reads
  A monthly check
    On one page
Books
  A box for each class"""


def said(text: str) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        parse(text)
    return refused.value.messages


def test_lines_two_blanks_deeper_belong_to_the_line_above() -> None:
    assert parse(TEXT) == THREE_DEEP
    assert written(THREE_DEEP) == TEXT


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("  ", "\t"),
        TEXT.replace("\n", "\r\n"),
        "\n".join(f"    {line}" for line in TEXT.splitlines()),
        "\n\n".join(TEXT.splitlines()) + "\n\n",
        "- See how each child reads\n  - A monthly check\n    * On one page\n- Books\n"
        "  • A box for each class\n  -",
        "- See how each child reads\n-- A monthly check\n--- On one page\n- Books\n"
        "-- A box for each class",
        TEXT.replace("  ", "\u00a0\u00a0"),
    ],
    ids=["tabs", "windows", "margin", "empty lines", "bullets", "dashes", "hard blanks"],
)
def test_what_keyboards_and_other_programs_make_of_it_is_read_alike(text: str) -> None:
    assert parse(text) == THREE_DEEP
    assert tidy(text) == TEXT


def test_a_minus_that_is_no_bullet_stays() -> None:
    assert parse("-5 degrees\n*stars* count") == (Driver("-5 degrees"), Driver("*stars* count"))


def test_nothing_is_no_drivers() -> None:
    assert parse(" \n\t\n - ") == ()


def test_each_problem_names_its_line_and_how_to_mend_it() -> None:
    assert said("One\n\n  Two\n      Three") == [
        "Line 4 is four blanks deeper than line 3: two at most."
    ]
    assert said("One\n Two") == ["Line 2 stands one blank from the edge: two for each step deeper."]
    assert "Line 1 is the first" in said("  One\nTwo")[0]
    assert "Line 4 is deeper than an idea" in said("One\n  Two\n    Three\n      Four")[0]
    assert said("x" * 141) == ["Line 1 has 141 characters: 140 at most."]


def test_forty_lines_are_read_and_one_more_is_not() -> None:
    assert len(parse("\n".join(f"Driver {n}" for n in range(40)))) == 40
    assert "There are 41 lines" in said("\n".join(f"Driver {n}" for n in range(41)))[0]


def test_at_most_five_problems_are_named_at_once() -> None:
    assert len(said("One\n" + "\n".join(" x" for _n in range(20)))) == 5


LABEL = (
    st.text(min_size=1, max_size=30)
    .map(lambda text: " ".join(text.replace("\0", "").split()))
    .filter(lambda text: text and not outline._BULLET.match(text))
)
IDEA = st.builds(Driver, LABEL)
SECOND = st.builds(Driver, LABEL, st.lists(IDEA, max_size=3).map(tuple))
FIRST = st.builds(Driver, LABEL, st.lists(SECOND, max_size=2).map(tuple))


@given(st.lists(FIRST, max_size=4).map(tuple))
def test_what_is_written_is_read_as_it_was(drivers: tuple[Driver, ...]) -> None:
    assert parse(written(drivers)) == drivers


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    messages: list[str] = []
    try:
        read = parse(text)
    except ValidationError as refused:
        messages = refused.messages
    else:
        assert parse(written(read)) == read
    assert all("line" in each.lower() for each in messages)
