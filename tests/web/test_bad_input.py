"""What nobody types and some send all the same: a page answers in words, none breaks."""

import pytest

from brightspots_web.connectedness.models import Practice
from brightspots_web.notices import actions as notices
from brightspots_web.notices import queries
from tests.web import practice_helpers as practices
from tests.web import studio_helpers as studio
from tests.web.conftest import SignIn
from tests.web.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address",
    [
        "/schools/N%002/contacts/",
        "/partnerships/P%00/",
        "/practices/write/?school=N%002",
        "/practices/write/?school=N2&outcome=Read%00ing",
        "/practices/?q=four%00s",
        "/isolation/?area=North%00",
        "/schools/?q=%00",
        "/schools/?within=%00",
        "/network/?area=%00",
        "/support/queue/?area=North%00",
        "/proposals/{proposal}/move/?school=N%002&to=new",
        "/proposals/{proposal}/?q=%00",
    ],
)
def test_no_address_holds_a_null_character(
    address: str, world: World, sign_in: SignIn
) -> None:  # fmt: skip
    """PostgreSQL refuses to look for one; what stood in a filter was a page of nothing."""
    there = address.format(proposal=studio.proposed(world).pk)
    assert sign_in("minister").get(there).status_code == 404


def test_a_null_character_in_a_form_is_refused_or_left_out(world: World, sign_in: SignIn) -> None:
    proposal = studio.proposed(world)
    minister = sign_in("minister")
    sent = {"school": "N\0002", "to": "new", "version": proposal.version}
    assert minister.post(f"/proposals/{proposal.pk}/move/", sent).status_code == 404
    practice = practices.a_practice(world)
    head = sign_in("head")
    head.post(f"/practices/{practice.code}/comment/", {"words": "We try it."})
    said = Practice.objects.get().comments.get()
    minister.post(f"/practices/{practice.code}/comments/{said.pk}/hide/", {"why": "Names\0 one."})
    said.refresh_from_db()
    assert said.hidden_why == "Names one."


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_of_another_age_is_a_slip_and_is_said_so(
    day: str, world: World, sign_in: SignIn
) -> None:
    """Schools were asked until the year 9999, and a visit of the year 1 was written down."""
    proposal = studio.proposed(world)
    minister, leader = sign_in("minister"), sign_in("system_leader")
    owner = world.cast["minister"].person_id
    upper = world.partnerships["Upper"].code
    for client, address, sent in (
        (minister, "/schools/N2/contacts/new/", {"kind": "call", "on": day}),
        (leader, f"/partnerships/{upper}/meetings/new/", {"present": ["N2"], "on": day}),
        (minister, "/schools/N2/steps/new/", {"what": "Ring.", "owner": owner, "due": day}),
        (minister, f"/proposals/{proposal.pk}/ask/", {"until": day}),
        (minister, f"/proposals/{proposal.pk}/adopt/", {"on": day}),
    ):
        answer = client.post(address, sent)
        assert answer.status_code == 200, address
        assert answer.context["form"].errors, address


def test_numbers_too_long_for_any_database_are_none(world: World, sign_in: SignIn) -> None:
    client = sign_in("minister")
    person = world.cast["minister"].person
    notices.notify([person], "connectedness.step_given", {"step": 0})
    assert client.post("/notices/seen/", {"up_to": "9" * 5000}).status_code == 302
    assert queries.unseen_count(person) == 1
    page = client.get("/schools/", {"within": "9" * 5000})
    assert page.status_code == 200
    assert "School N2" not in page.content.decode()
