"""Counts of decisions and cycles by area: what is withheld, and that it cannot be worked out."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import combinations

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from brightspots_web.devolution import decision_figure_queries as queries
from brightspots_web.devolution.decision_figure_queries import CYCLES, DECISIONS, Counts, Node
from brightspots_web.devolution.models import Decision, Pdsa
from brightspots_web.directory.models import Area, Partnership, School
from tests.web.conftest import SignIn
from tests.web.world import World

LAST_MONTH = queries.period()[1] - timedelta(days=10)
MANY = Counts(decisions=20, deciding=4, finished=20, trying=4, adopted=8, adapted=6, abandoned=6)
FEW = replace(MANY, decisions=4, deciding=1, finished=4, trying=1, adopted=4, adapted=0,
              abandoned=0)  # fmt: skip


def node(key: int, counts: Counts, *children: Node) -> Node:
    total = sum((each.counts for each in children), counts)
    return Node(Area(pk=key, name=f"{key:02}"), total, list(children))


def leaf(key: int, counts: Counts) -> Node:
    return node(key, counts)


def shown(*children: Node, own: Counts | None = None) -> set[int]:
    return queries.shown(node(1, own or Counts(), *children), DECISIONS)


def test_a_count_needs_three_partnerships_and_ten_items() -> None:
    assert DECISIONS.enough(replace(MANY, decisions=10, deciding=3))
    assert not DECISIONS.enough(replace(MANY, decisions=9))
    assert not DECISIONS.enough(replace(MANY, deciding=2))
    assert not CYCLES.enough(replace(MANY, trying=2))


def test_one_small_area_takes_others_with_it_until_what_is_missing_stands_for_enough() -> None:
    assert shown(leaf(2, MANY), leaf(3, MANY), leaf(4, FEW)) == {1, 2}
    two_small = (leaf(3, FEW), leaf(4, FEW))
    assert shown(leaf(2, MANY), *two_small) == {1}
    # Three small ones hide each other: ten items of three partnerships.
    assert shown(leaf(2, MANY), *two_small, leaf(5, FEW)) == {1, 2}


def test_where_all_are_large_all_are_shown() -> None:
    assert shown(leaf(2, MANY), leaf(3, MANY)) == {1, 2, 3}


def test_an_area_without_any_is_not_told_apart_from_one_with_few() -> None:
    assert shown(leaf(2, MANY), leaf(3, MANY), leaf(4, Counts())) == {1, 2}


def test_what_is_counted_at_the_area_itself_cannot_be_had_by_subtraction() -> None:
    assert shown(leaf(2, MANY), leaf(3, MANY), own=FEW) == {1, 2}


def test_below_a_withheld_area_nothing_is_shown() -> None:
    rich = node(3, Counts(), leaf(31, MANY), leaf(32, MANY))
    assert queries.shown(node(1, Counts(), leaf(2, MANY), rich, leaf(4, FEW)), DECISIONS) == {1, 2}


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 6)).map(
            lambda pair: Counts(decisions=pair[0] if pair[1] else 0, deciding=pair[1])
        ),
        min_size=1,
        max_size=7,
    )
)
def test_no_sum_of_what_is_shown_gives_a_small_count_away(given_counts: list[Counts]) -> None:
    """Every total minus any of its parts that are shown leaves nothing, or enough."""
    children = [leaf(key, counts) for key, counts in enumerate(given_counts, start=2)]
    root = node(1, Counts(), *children)
    found = queries.shown(root, DECISIONS)
    if 1 not in found:
        assert found == set()
        return
    open_ones = [each for each in children if each.area.pk in found]
    hidden = [each for each in children if each.area.pk not in found]
    missing = root.counts - sum((each.counts for each in open_ones), Counts())
    assert not hidden or DECISIONS.enough(missing)
    assert all(DECISIONS.enough(each.counts) for each in open_ones)
    for size in range(1, len(open_ones)):
        for some in combinations(open_ones, size):
            rest = root.counts - sum((each.counts for each in some), Counts())
            assert DECISIONS.enough(rest)


def fill(world: World, area: str, partnerships: int, each: int) -> None:
    """Partnerships led from an area that made so many decisions and finished as many cycles."""
    at = timezone.make_aware(datetime.combine(LAST_MONTH, time(12)))
    for number in range(partnerships):
        code = f"{area}-{number}"
        lead = School.objects.create(code=code, name=code, area=world.areas[area])
        partnership = Partnership.objects.create(
            code=f"P-{code}", name=code, lead_school=lead, formed=date(2025, 1, 1)
        )
        for which in range(each):
            Decision.objects.create(
                partnership=partnership, question="Zebra?", decision="Zebra", owner_name="Z",
                by_when=LAST_MONTH, would_change="Z", state="made", by="Z", at=at, changed_at=at,
                made_at=at,
            )  # fmt: skip
            Pdsa.objects.create(
                partnership=partnership, title="Zebra", test="Z", prediction="Z", measure="Z",
                starts=LAST_MONTH - timedelta(days=9), study_on=LAST_MONTH, found="Z",
                act=("adopt", "adapt", "abandon")[which % 3], next_step="Z",
                finished_on=LAST_MONTH, by="Z", at=at,
            )  # fmt: skip


@pytest.fixture
def counted(world: World) -> World:
    fill(world, "Upper", 4, 6)
    fill(world, "Lower", 3, 5)
    fill(world, "East", 3, 5)
    fill(world, "West", 1, 2)
    return world


def table(sign_in: SignIn, who: str, path: str = "/decisions/figures/") -> dict[str, list[str]]:
    rows = sign_in(who).get(path).context["table"].rows
    return {getattr(row[0], "label", str(row[0])): [str(cell) for cell in row[1:]] for row in rows}


def test_the_ministry_sees_areas_and_officers_their_own(counted: World, sign_in: SignIn) -> None:
    found = table(sign_in, "minister")
    assert found["Testland"][:2] == ["56", "56"]
    # South has a small part, and North stands beside it with enough: both are shown.
    assert found["North"][0] == "39"
    assert found["South"][0] == "17"
    north = table(sign_in, "district_officer")
    assert set(north) == {"North", "Upper", "Lower"}
    assert north["Upper"][:2] == ["24", "24"]
    assert north["Upper"][4] == "8 (33 %)"


def test_a_small_area_takes_its_neighbour_with_it(counted: World, sign_in: SignIn) -> None:
    south = table(sign_in, "other_district_officer")
    assert south["South"][0] == "17"
    # 17 minus East's 15 would be West's 2.
    assert south["East"] == south["West"] == ["too few to show", "too few to show", "", "", ""]
    key = counted.areas["West"].pk
    assert table(sign_in, "minister", f"/decisions/figures/?area={key}") == {
        "West": ["too few to show", "too few to show", "", "", ""]
    }


def test_an_officer_sees_no_area_of_others(counted: World, sign_in: SignIn) -> None:
    key = counted.areas["Upper"].pk
    assert "Upper" not in table(
        sign_in, "other_district_officer", f"/decisions/figures/?area={key}"
    )
    wrong = "/decisions/figures/?area=nonsense"
    assert "South" in table(sign_in, "other_district_officer", wrong)


def test_the_file_withholds_what_the_page_withholds(counted: World, sign_in: SignIn) -> None:
    lines = sign_in("other_district_officer").get("/decisions/figures.csv").getvalue().decode()
    rows = {line.split(",")[0]: line for line in lines.splitlines()}
    assert rows["West"] == "West,,,,,,,"
    assert rows["East"] == "East,,,,,,,"
    assert rows["South"].startswith("South,17,4,17,4,")
    assert "Zebra" not in lines


def test_what_happens_this_month_is_not_counted_yet(counted: World, sign_in: SignIn) -> None:
    before = table(sign_in, "minister")
    Decision.objects.filter(pk=Decision.objects.first().pk).update(made_at=timezone.now())  # type: ignore[union-attr] # there are some
    assert int(table(sign_in, "minister")["Testland"][0]) == int(before["Testland"][0]) - 1
    assert queries.period(date(2026, 3, 31)) == (date(2025, 3, 1), date(2026, 3, 1))
    assert queries.period(date(2026, 3, 1)) == (date(2025, 3, 1), date(2026, 3, 1))


def test_what_is_a_schools_alone_is_not_counted(counted: World, sign_in: SignIn) -> None:
    of = Pdsa.objects.filter(partnership__code="P-Upper-0").first()
    assert of is not None
    Pdsa.objects.filter(pk=of.pk).update(shared=False, school=of.partnership.lead_school)
    assert table(sign_in, "minister")["Testland"][1] == "55"


def test_abandoned_is_said_to_be_good_news(counted: World, sign_in: SignIn) -> None:
    page = sign_in("minister").get("/decisions/figures/").content.decode()
    assert "it is as good news as one adopted" in page
    for wrong in ("failed", "failing", "rank", "best", "worst"):
        assert wrong not in page.partition("<main")[2].casefold()


def test_with_too_few_nothing_but_a_sentence_is_shown(world: World, sign_in: SignIn) -> None:
    fill(world, "Upper", 2, 20)
    answer = sign_in("minister").get("/decisions/figures/")
    assert "Too few for a figure to be shown here." in answer.content.decode()
    assert answer.context["figures"] == []
    for _area, *cells in answer.context["table"].rows:
        assert cells == ["too few to show", "too few to show", "", "", ""]
