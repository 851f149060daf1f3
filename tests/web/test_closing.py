"""A school closes: the page where it is written down, who hears of it, what the pages say."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from brightspots_web.connectedness import closing_actions as actions
from brightspots_web.directory.models import School, Succession
from brightspots_web.notices import queries as notices
from brightspots_web.notices.models import Notice
from tests.web.conftest import SignIn
from tests.web.world import World

DAY = timedelta(days=1)


def post(sign_in: SignIn, who: str = "district_officer", **data: object) -> object:
    url = reverse("connectedness:close_school", args=["N2"])
    day = timezone.localdate() + 10 * DAY
    return sign_in(who).post(url, {"on": day.isoformat(), **data}, follow=True)


def test_what_is_written_down_stands_on_both_schools_pages(world: World, sign_in: SignIn) -> None:
    answer = post(sign_in, successor_0="N3", successor_1="school n4")
    assert "Its work will be carried on by School N3, School N4" in answer.content.decode()  # type: ignore[attr-defined] # a response
    page = sign_in("partner_head").get(reverse("home:school", args=["N3"])).content.decode()
    assert "This school carries on the work of" in page
    assert reverse("home:school", args=["N2"]) in page
    assert Succession.objects.filter(kind="split").count() == 2


def test_words_that_name_no_school_or_several_are_shown_again_with_the_reason(
    world: World, sign_in: SignIn
) -> None:
    School.objects.filter(code__in=["E1", "E2"]).update(name="Twin")
    answer = post(sign_in, successor_0="Nowhere", successor_1="Twin").content.decode()  # type: ignore[attr-defined] # a response
    assert "No open school has this code or name" in answer
    assert "Write the code of one: E1, E2" in answer
    assert 'value="Nowhere"' in answer
    assert School.objects.get(code="N2").closed is None


def test_everybody_concerned_is_told_once_and_nobody_else(world: World) -> None:
    actions.close_school(
        world.schools["N2"],
        on=timezone.localdate() + 10 * DAY,
        successors=[world.schools["E2"]],
        by=world.cast["minister"],
    )
    told = set(Notice.objects.values_list("person__email", flat=True))
    assert told == {
        f"{who}@test.invalid"
        for who in (
            "head", "teacher", "partner_head", "system_leader", "other_head", "district_officer",
        )
    }  # fmt: skip
    (line,) = notices.lines(list(Notice.objects.filter(person=world.person("head"))))
    assert "carried on by School E2" in str(line)


def test_a_closing_taken_back_is_no_longer_said(world: World) -> None:
    actions.close_school(
        world.schools["N2"], on=timezone.localdate() + DAY, by=world.cast["minister"]
    )
    School.objects.filter(code="N2").update(closed=None)
    assert notices.lines(list(Notice.objects.filter(person=world.person("head")))) == []


def test_a_school_that_stays_says_nothing_of_closing(world: World, sign_in: SignIn) -> None:
    url = reverse("home:school", args=["N2"])
    assert "Before and after" not in sign_in("head").get(url).content.decode()
    officer = sign_in("district_officer").get(url).content.decode()
    assert reverse("connectedness:close_school", args=["N2"]) in officer
