"""What waits for a person stands on their own front page, and on nobody else's."""

from django.urls import reverse

from tests.web import decision_helpers as decisions
from tests.web import note_helpers as notes
from tests.web.conftest import SignIn
from tests.web.world import World

HEADING = "For you now"


def front(sign_in: SignIn, who: str) -> str:
    return sign_in(who).get("/", follow=True).content.decode()


def test_where_nothing_waits_nothing_is_said(world: World, sign_in: SignIn) -> None:
    for who in ("minister", "district_officer", "head", "teacher"):
        assert HEADING not in front(sign_in, who)


def test_a_decision_waits_for_the_heads_who_have_not_spoken(world: World, sign_in: SignIn) -> None:
    decision = decisions.proposed(world, by="head")
    url = reverse("devolution:decision", args=[decision.pk])
    assert url in front(sign_in, "partner_head")
    for who in ("head", "teacher", "other_head", "minister", "district_officer"):
        assert HEADING not in front(sign_in, who)


def test_a_meeting_to_come_waits_for_its_people_alone(world: World, sign_in: SignIn) -> None:
    meeting = notes.a_meeting(world)
    url = reverse("devolution:meeting", args=[meeting.pk])
    for who in ("system_leader", "head", "teacher"):
        assert url in front(sign_in, who), who
    for who in ("other_head", "minister", "district_officer"):
        assert url not in front(sign_in, who), who


def test_another_schools_page_says_nothing_of_what_waits_for_me(
    world: World, sign_in: SignIn
) -> None:
    notes.a_meeting(world)
    page = sign_in("head").get(reverse("home:school", args=["N3"])).content.decode()
    assert HEADING not in page
