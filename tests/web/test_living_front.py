"""The front pages of all tiers speak of the live priorities, each in its own words."""

from typing import Any

import pytest
from django.urls import reverse

from brightspots_web.alignment import living_pages, queries
from brightspots_web.insight import area_need_queries as needs
from brightspots_web.insight.models import AreaFigure
from tests.web import living_helpers as living
from tests.web.conftest import SignIn
from tests.web.world import World

pytestmark = pytest.mark.django_db
CARD = 'class="priorities-here"'


def shown(sign_in: SignIn, who: str, name: str, *args: Any) -> str:
    return sign_in(who).get(reverse(name, args=args)).content.decode()


def card(page: str) -> str:
    return page.split(CARD)[1].split("</section>")[0]


class TestBeforeThereAreAny:
    def test_no_page_speaks_of_priorities(self, world: World, sign_in: SignIn) -> None:
        north = world.areas["North"].pk
        for who, name, *args in (
            ("minister", "home:ministry"),
            ("district_officer", "home:area", north),
            ("system_leader", "connectedness:partnership", "P-UPPER"),
            ("head", "home:school", "N2"),
        ):
            assert CARD not in shown(sign_in, str(who), str(name), *args)
        assert living_pages.front_card(world.cast["minister"]) is None
        assert living_pages.front_card(None) is None


class TestTheMinistry:
    def test_reads_who_would_gain_and_how_many_have_made_it_theirs(
        self, world: World, sign_in: SignIn
    ) -> None:
        living.published(world)
        reading, _number = living.priorities(world)
        living.an_aim(world, reading)
        living.a_sense(world, reading)
        page = shown(sign_in, "minister", "home:ministry")
        for part in ("Early reading", "Nine in ten read a page aloud", "About 70 pupils a year",
                     "(likely 6 to 134)", "As of ", "1 of 3 partnerships"):  # fmt: skip
            assert part in card(page), part
        assert living.WORDS not in page
        # Named above the key figures too, which keep their place on the first screen.
        assert page.index("Early reading") < page.index('class="figures"') < page.index(CARD)

    def test_reads_that_no_analysis_speaks_of_it(self, world: World, sign_in: SignIn) -> None:
        living.priorities(world)
        page = card(shown(sign_in, "minister", "home:ministry"))
        assert page.count("No published analysis speaks of it yet.") == 2


class TestAnArea:
    def test_reads_the_same_within_it(self, world: World, sign_in: SignIn) -> None:
        living.published(world)
        living.priorities(world)
        page = card(shown(sign_in, "district_officer", "home:area", world.areas["North"].pk))
        assert "About 50 pupils a year" in page
        assert "of 10 schools" in page
        assert "partnerships have written" not in page  # of two nobody is counted

    def test_reads_nothing_that_is_withheld(self, world: World, sign_in: SignIn) -> None:
        living.published(world)
        living.priorities(world)
        AreaFigure.objects.filter(area=world.areas["North"]).update(suppressed=True)
        page = card(shown(sign_in, "district_officer", "home:area", world.areas["North"].pk))
        assert "Too few schools have figures here" in page
        assert "About 50" not in page


class TestAPartnership:
    def test_reads_its_own_words_or_that_there_are_none_yet(
        self, world: World, sign_in: SignIn
    ) -> None:
        reading, number = living.priorities(world)
        living.a_sense(world, reading, words=living.WORDS + " And so on." * 40)
        place = ("connectedness:partnership", "P-UPPER")
        leader, teacher = (
            card(shown(sign_in, who, *place)) for who in ("system_leader", "teacher")
        )
        for page in (leader, teacher):
            assert living.WORDS in page
            assert len(page) < 3_000  # the rest of a long one is a press away
            assert "has not said yet what it means here" in page
        write = reverse("alignment:sense", args=[number.code, "P-UPPER"])
        assert write in leader
        assert write not in teacher

    def test_others_are_told_nothing_of_what_is_missing(
        self, world: World, sign_in: SignIn
    ) -> None:
        living.priorities(world)
        page = shown(sign_in, "district_officer", "connectedness:partnership", "P-UPPER")
        assert "has not said yet" not in card(page)


class TestASchool:
    def test_its_people_read_where_it_stands_and_what_their_partnership_says(
        self, world: World, sign_in: SignIn
    ) -> None:
        living.published(world)
        reading, _number = living.priorities(world)
        living.a_sense(world, reading)
        page = card(shown(sign_in, "head", "home:school", "N2"))
        assert "About 5.0 points more than expected; likely between 3.0 and 7.0 points more" in page
        assert "180 pupils." in page
        assert "No published figure of this school speaks of it." in page
        assert living.WORDS in page

    def test_others_who_may_open_it_read_no_words_of_the_partnership(
        self, world: World, sign_in: SignIn
    ) -> None:
        living.published(world)
        reading, _number = living.priorities(world)
        living.a_sense(world, reading)
        page = shown(sign_in, "district_officer", "home:school", "N2")
        assert "About 5.0 points more" in card(page)
        assert living.WORDS not in page

    def test_its_outcomes_stand_in_the_order_of_the_priorities(
        self, world: World, sign_in: SignIn
    ) -> None:
        living.published(world)
        reading, number = living.priorities(world)
        number.subject = "Singing"
        number.save()
        reading.subject = ""
        reading.save()
        page = shown(sign_in, "other_head", "home:school", "E2")
        headings = [part.split("<")[0] for part in page.split('id="outcome-')[1:]]
        assert [each.split(">")[1] for each in headings] == ["Singing", "Reading"]

    def test_the_printed_page_leaves_the_partnerships_words_out(
        self, world: World, sign_in: SignIn
    ) -> None:
        """What is printed is passed on; the words are the partnership's."""
        from brightspots_web.home import school_page

        reading, _number = living.priorities(world)
        living.a_sense(world, reading)
        context = school_page.page(world.schools["N2"], world.cast["head"])
        assert context["priorities_card"] is not None
        from django.template.loader import render_to_string

        html = render_to_string("home/school.html", context | {"on_paper": True})
        assert living.WORDS not in html


def test_a_front_card_asks_few_questions_whatever_the_tier(
    world: World, django_assert_max_num_queries: Any
) -> None:
    living.published(world)
    reading, _number = living.priorities(world)
    living.a_sense(world, reading)
    assert len(queries.live_priorities()) == 2
    for who, most in (("minister", 6), ("district_officer", 6), ("system_leader", 4), ("head", 11)):
        with django_assert_max_num_queries(most):
            found = living_pages.front_card(world.cast[who])
        assert found is not None
        assert [each.title for each in found.priorities] == ["Early reading", "Number sense"]


def test_what_is_added_up_over_a_nation_is_added_up_once_for_each_analysis(
    world: World, django_assert_num_queries: Any
) -> None:
    run = living.published(world)
    first = needs.needs_within(None, ["Reading"], run)
    with django_assert_num_queries(1):
        assert needs.needs_within(None, ["Reading"], run) == first
    other = living.published(world)  # another analysis is added up anew
    with django_assert_num_queries(2):
        needs.needs_within(None, ["Reading"], other)
