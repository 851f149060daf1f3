"""A leader's page: what is the leader's alone, what everybody may know, and the certificate."""

import io
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from brightspots_web.alignment.actions import Wanted, set_priorities
from brightspots_web.alignment.models import Priority
from brightspots_web.alignment.queries import live_priorities
from brightspots_web.directory.models import Person
from brightspots_web.leaders import coaching_actions as coaching
from brightspots_web.leaders import development_learning_actions as learning_actions
from brightspots_web.leaders import profile_pages as pages
from brightspots_web.leaders import profile_queries as queries
from brightspots_web.leaders.models import Application, Designation, Grade, Learning
from brightspots_web.shared import printing
from tests.web.conftest import SignIn
from tests.web.development_helpers import (
    EVIDENCE,
    answered,
    asked,
    framework,
    learning,
    past,
    rated,
    today,
)
from tests.web.world import World


def designated(world: World, who: str = "system_leader", **changed: object) -> Designation:
    acting = world.cast[who]
    application = Application.objects.create(
        person=acting.person, school=acting.school, grade=Grade.LEADER,
        state=Application.State.DESIGNATED, created_at=timezone.now(),
    )  # fmt: skip
    fields: dict[str, object] = {
        "grade": Grade.LEADER, "days": 44, "caseload": 4,
        "starts": today() - timedelta(days=400), "ends": today() + timedelta(days=700),
    }  # fmt: skip
    found = Designation.objects.create(
        person=acting.person, school=acting.school, application=application,
        **(fields | changed),
    )  # fmt: skip
    found.priorities.set(live_priorities()[:1])
    return found


def priorities(world: World) -> list[Priority]:
    wanted = [Wanted("Every child reads by ten"), Wanted("Sense of number")]
    set_priorities(wanted, by=world.cast["minister"])
    return live_priorities()


def attended(world: World, who: str = "system_leader") -> None:
    found = learning(world)
    learning_actions.take_part(found, by=world.cast[who])
    past(found)
    learning_actions.confirm(found, [world.person(who).pk], by=world.cast["district_officer"])


def test_the_own_page_holds_designation_days_caseload_competences_and_what_next(
    world: World, sign_in: SignIn
) -> None:
    priorities(world)
    designated(world)
    rated(world, 1)
    attended(world)
    page = sign_in("system_leader").get(reverse("leaders:me")).content.decode()
    for words in ("leads a partnership", "Every child reads by ten", "Of 44 in", "Of 4 at most",
                  "“beginning” as you see it", "Asking, not telling", "Done: 6 hours",
                  "Only you see this page", "You have not said yet what shows it."):  # fmt: skip
        assert words in page, words


def test_a_leader_who_is_not_designated_is_led_to_applying(world: World, sign_in: SignIn) -> None:
    page = sign_in("system_leader").get(reverse("leaders:me")).content.decode()
    assert reverse("leaders:apply") in page
    assert "not designated yet" in page


def test_a_head_without_office_finds_learning_and_no_empty_figures(
    world: World, sign_in: SignIn
) -> None:
    page = sign_in("head").get(reverse("leaders:me")).content.decode()
    assert reverse("leaders:learning") in page
    for words in ("Track record", "In office", "Days agreed"):
        assert words not in page


def test_the_track_record_says_honestly_that_there_is_none_until_something_is_known(
    world: World, sign_in: SignIn
) -> None:
    reading, _number = priorities(world)
    assert queries.track_record_of(world.person("system_leader"), reading) is None
    page = sign_in("system_leader").get(reverse("leaders:me")).content.decode()
    assert page.count("No record yet.") == 2
    assert "Until there is a comparison there is no record." in page

    def source(person: Person, priority: Priority) -> str | None:
        return "Half a month, likely between 0 and 1." if priority == reading else None

    with patch.object(queries, "_SOURCES", []):
        queries.register_track_record(source)
        page = sign_in("system_leader").get(reverse("leaders:me")).content.decode()
    assert "likely between 0 and 1" in page
    assert page.count("No record yet.") == 1


def test_others_see_the_open_facts_and_nothing_else(world: World, sign_in: SignIn) -> None:
    priorities(world)
    designated(world)
    rated(world, 1)
    answered(world)
    attended(world)
    url = reverse("leaders:profile", args=[world.person("system_leader").pk])
    for who in ("minister", "analyst", "district_officer", "other_head", "teacher", "head"):
        page = sign_in(who).get(url).content.decode()
        main = page.split("<main")[1].split("</main>")[0]
        for words in ("System Leader", "School N1", "leads a partnership", "Upper partnership",
                      "Every child reads by ten", "Asking, not telling"):  # fmt: skip
            assert words in main, (who, words)
        for words in (EVIDENCE, "beginning", "No record yet", "Of 44", "hours of each"):
            assert words not in main, (who, words)
        # There is nowhere to leave anything: no form, no rating of a person.
        assert "<form" not in main
        assert "<textarea" not in main


def test_who_leads_nothing_has_no_open_page(world: World, sign_in: SignIn) -> None:
    for who in ("head", "teacher", "district_officer", "minister", "nobody"):
        url = reverse("leaders:profile", args=[world.person(who).pk])
        assert sign_in("minister").get(url).status_code == 404, who
    head = world.person("head")
    designated(world, "head", grade=Grade.SPECIALIST)
    url = reverse("leaders:profile", args=[head.pk])
    assert "specialist in a priority" in sign_in("minister").get(url).content.decode()
    Person.objects.filter(pk=head.pk).update(is_active=False)
    assert sign_in("minister").get(url).status_code == 404


def test_a_designation_that_is_over_is_no_longer_shown(world: World, sign_in: SignIn) -> None:
    designated(world, "head", ends=today())
    url = reverse("leaders:profile", args=[world.person("head").pk])
    assert sign_in("minister").get(url).status_code == 404


def test_the_front_card_says_what_colleagues_wait_for_and_names_no_coaching(
    world: World,
) -> None:
    head = world.cast["head"]
    assert pages.front_card(head) is None
    assert pages.front_card(None) is None
    coaching.ask(head.person, by=world.cast["system_leader"], as_coach=True)
    card = pages.front_card(head)
    assert card is not None
    assert card["url"] == reverse("leaders:coaching")
    assert "coach" not in f"{card['heading']}{card['text']}{card['link']}".lower()
    assert pages.front_card(world.cast["system_leader"]) is None
    asked(world)
    card = pages.front_card(head)
    assert card is not None
    assert card["url"] == reverse("leaders:development")


# The certificate


def test_the_certificate_can_be_checked_against_the_open_page(
    world: World, sign_in: SignIn
) -> None:
    priorities(world)
    designated(world)
    framework(world)
    attended(world)
    leader = queries.leader_visible_to(
        world.cast["system_leader"], world.person("system_leader").pk
    )
    assert leader is not None
    check = pages.check_text(leader)
    own = sign_in("system_leader").get(reverse("leaders:certificate")).content.decode()
    url = reverse("leaders:profile", args=[world.person("system_leader").pk])
    assert check in own
    assert f"http://testserver{url}" in own
    assert "no seal" in own
    assert check in sign_in("teacher").get(url).content.decode()


@pytest.mark.parametrize("what", ["name", "term", "learning", "hours"])
def test_another_fact_has_another_check_text(world: World, what: str) -> None:
    held = designated(world)
    framework(world)
    attended(world)
    key = world.person("system_leader").pk

    def check() -> str:
        leader = queries.leader_visible_to(world.cast["minister"], key)
        assert leader is not None
        return pages.check_text(leader)

    before = check()
    assert check() == before
    if what == "name":
        Person.objects.filter(pk=key).update(name="Somebody Else")
    elif what == "term":
        Designation.objects.filter(pk=held.pk).update(ends=held.ends + timedelta(days=1))
    elif what == "learning":
        attended_more = learning(world, title="Another")
        learning_actions.take_part(attended_more, by=world.cast["system_leader"])
        past(attended_more)
        learning_actions.confirm(attended_more, [key], by=world.cast["district_officer"])
    else:
        Learning.objects.update(hours=60)
    assert check() != before


def test_the_pdf_says_the_same(world: World, sign_in: SignIn) -> None:
    priorities(world)
    designated(world)
    framework(world)
    attended(world)
    answer = sign_in("system_leader").get(reverse("leaders:certificate_pdf"))
    assert answer["Content-Type"] == "application/pdf"
    pdf_pages = PdfReader(io.BytesIO(answer.content)).pages
    said = " ".join(" ".join(page.extract_text() for page in pdf_pages).split())
    for words in ("System Leader", "Asking, not telling", "Every child reads by ten", "no seal"):
        assert words in said
    assert len(pdf_pages) == 1


def test_without_the_system_libraries_it_says_what_to_do(world: World, sign_in: SignIn) -> None:
    with patch.object(printing, "pdf", side_effect=printing.CannotPrintError):
        answer = sign_in("system_leader").get(reverse("leaders:certificate_pdf"))
    assert answer.status_code == 503
    assert "own print command" in answer.content.decode()
