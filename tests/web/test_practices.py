"""Practices: written up, published by somebody else, changed, translated, talked about, found."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from brightspots_web.alignment.actions import Wanted, set_priorities
from brightspots_web.alignment.queries import live_priorities
from brightspots_web.connectedness import practice_actions as actions
from brightspots_web.connectedness import practice_adoption_actions as adopting
from brightspots_web.connectedness import practice_queries as queries
from brightspots_web.connectedness import practice_talk_actions as talk
from brightspots_web.connectedness.models import Practice, PracticeComment
from brightspots_web.directory.models import Appointment
from brightspots_web.insight.models import BrightSpot
from brightspots_web.notices import queries as notices
from brightspots_web.shared import audit
from brightspots_web.shared.pupil_names import may_name_pupil
from tests.web.conftest import SignIn
from tests.web.practice_helpers import (
    a_confirmed_spot,
    a_draft,
    a_practice,
    adopted,
    head_of,
    text,
    today,
)
from tests.web.world import World

ASKED = {"school": "N2", "outcome": "Reading"}


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def url(page: str, practice: Practice, *more: object) -> str:
    return reverse(f"connectedness:{page}", args=[practice.code, *more])


def fields(**changed: str) -> dict[str, object]:
    words = text(**changed)
    return {name: getattr(words, name) for name in actions.LONGEST} | {"language": "en"}


# Writing up a bright spot


def test_the_bright_spots_page_leads_to_the_writing_when_it_is_confirmed(
    world: World, sign_in: SignIn
) -> None:
    a_confirmed_spot(world)
    spot = reverse("insight:bright_spot", args=["N2", "Reading"])
    asked = f"{reverse('connectedness:practice_write')}?school=N2&amp;outcome=Reading"
    for who in ("head", "minister", "district_officer", "system_leader"):
        assert asked in sign_in(who).get(spot).content.decode(), who
    assert asked not in sign_in("teacher").get(spot).content.decode()
    BrightSpot.objects.update(state=BrightSpot.State.VISITED)
    assert asked not in sign_in("head").get(spot).content.decode()


def test_the_form_knows_the_circumstances_the_figure_and_how_sure_it_is(
    world: World, sign_in: SignIn
) -> None:
    a_confirmed_spot(world)
    page = sign_in("head").get(reverse("connectedness:practice_write"), ASKED)
    initial = page.context["form"].initial
    assert "School N2, Upper." in initial["context"]
    assert "primary" in initial["context"]
    assert "about 5.0 points more than expected; likely between 3.0 and 7.0" in initial["evidence"]
    assert "180 pupils" in initial["evidence"]
    assert "The books show it too." in initial["evidence"]


def test_only_a_confirmed_spot_of_ones_own_school_is_written_up(
    world: World, sign_in: SignIn
) -> None:
    write = reverse("connectedness:practice_write")
    assert sign_in("head").get(write, ASKED).status_code == 404
    a_confirmed_spot(world)
    for who, status in (("head", 200), ("partner_head", 404), ("other_district_officer", 404),
                        ("analyst", 200), ("teacher", 403)):  # fmt: skip
        assert sign_in(who).get(write, ASKED).status_code == status, who
    assert sign_in("head").get(write, ASKED | {"outcome": "Singing"}).status_code == 404


def test_publishing_moves_the_bright_spot_by_insights_own_step(world: World) -> None:
    a_confirmed_spot(world)
    spot = queries.spot_to_write_up(world.cast["head"], "N2", "Reading")
    practice = actions.write(
        world.schools["N2"], text(), by=world.cast["head"], language="en", spot=spot
    )
    assert "practice written up" in actions.publish(
        practice, by=world.cast["district_officer"], seen=practice.version
    )
    kept = BrightSpot.objects.get(school=world.schools["N2"])
    assert kept.state == BrightSpot.State.WRITTEN_UP
    assert "Fours by turns" in kept.steps.last().note  # type: ignore[union-attr] # there are some
    assert audit.first_broken_link() is None


def test_a_leader_who_may_not_move_it_is_told_who_can(world: World) -> None:
    a_confirmed_spot(world)
    spot = queries.spot_to_write_up(world.cast["head"], "N2", "Reading")
    practice = actions.write(
        world.schools["N2"], text(), by=world.cast["head"], language="en", spot=spot
    )
    said = actions.publish(practice, by=world.cast["system_leader"], seen=practice.version)
    assert "District Officer can record" in said
    assert BrightSpot.objects.get(school=world.schools["N2"]).state == BrightSpot.State.CONFIRMED
    practice.refresh_from_db()
    assert practice.state == Practice.State.PUBLISHED


# Who publishes


def test_the_writer_does_not_publish_and_those_who_may_are_told(world: World) -> None:
    practice = a_draft(world)
    for who in ("head", "teacher", "analyst", "other_head", "other_system_leader"):
        with pytest.raises(PermissionDenied):
            actions.publish(practice, by=world.cast[who], seen=None)
    for who in ("system_leader", "district_officer"):
        assert any("Have a look and publish it" in each for each in told(world, who)), who
    assert told(world, "other_district_officer") == []
    actions.publish(practice, by=world.cast["system_leader"], seen=None)
    assert any("is published" in each for each in told(world, "head"))


def test_a_leader_does_not_publish_what_the_leader_wrote(world: World) -> None:
    practice = a_draft(world, code="N1")
    assert practice.written_by.startswith("System Leader")
    with pytest.raises(PermissionDenied):
        actions.publish(practice, by=world.cast["system_leader"], seen=None)


def test_where_nobody_else_could_the_writer_publishes(world: World) -> None:
    Appointment.objects.exclude(role__in=["head", "teacher"]).delete()
    practice = a_draft(world)
    assert queries.publishers_of(practice) == []
    with pytest.raises(PermissionDenied):
        actions.publish(practice, by=world.cast["partner_head"], seen=None)
    actions.publish(practice, by=world.cast["head"], seen=None)
    practice.refresh_from_db()
    assert practice.state == Practice.State.PUBLISHED


# Changing


def test_two_people_never_overwrite_each_other(world: World, sign_in: SignIn) -> None:
    practice = a_practice(world)
    head, officer = sign_in("head"), sign_in("district_officer")
    old = head.get(url("practice_change", practice)).context["form"].initial["seen"]
    sent = fields(title="The officer's title") | {"seen": old}
    assert officer.post(url("practice_change", practice), sent).status_code == 302
    late = head.post(url("practice_change", practice), fields(title="The head's") | {"seen": old})
    assert late.status_code == 409
    page = late.content.decode()
    assert "The head&#x27;s" in page  # not lost
    assert "The officer&#x27;s title" in page  # and what is there now
    practice.refresh_from_db()
    assert practice.title == "The officer's title"
    again = {**fields(title="Both"), "seen": late.context["form"].data["seen"]}
    assert head.post(url("practice_change", practice), again).status_code == 302


def test_what_is_missing_or_too_long_is_said_beside_its_field(
    world: World, sign_in: SignIn
) -> None:
    head = sign_in("head")
    sent = fields(title=" ", summary="x" * 301)
    page = head.post(reverse("connectedness:practice_write"), sent)
    assert page.status_code == 200
    assert set(page.context["form"].errors) == {"title", "summary"}
    with pytest.raises(ValidationError) as problem:
        actions.write(world.schools["N2"], text(title="", evidence="x" * 4001),
                      by=world.cast["head"], language="xx")  # fmt: skip
    assert set(problem.value.message_dict) == {"title", "evidence"}
    assert Practice.objects.count() == 0


def test_pressed_twice_it_is_written_once_and_codes_differ(world: World) -> None:
    assert a_draft(world).pk == a_draft(world).pk
    other = a_draft(world, summary="Another.")
    assert other.code == "fours-by-turns-2"
    assert a_draft(world, title="write").code == "write-2"
    assert a_draft(world, title="القراءة").code == "practice"


def test_no_longer_recommended_stays_readable_with_the_reason(
    world: World, sign_in: SignIn
) -> None:
    practice = a_practice(world)
    actions.retire(practice, by=world.cast["minister"], why="It did not last.", seen=None)
    teacher = sign_in("other_head")
    page = teacher.get(url("practice", practice)).content.decode()
    assert "It did not last." in page
    assert "Take it up at our school" not in page
    assert teacher.post(url("practice_comment", practice), {"words": "But"}).status_code == 403
    assert any("no longer recommended" in each for each in told(world, "head"))


# Languages


def test_the_page_offers_the_readers_language_first_and_says_when_it_shows_another(
    world: World, sign_in: SignIn
) -> None:
    practice = a_practice(world, title="Kusoma pamoja")
    Practice.objects.update(language="sw")
    reader = sign_in("teacher")
    page = reader.get(url("practice", practice)).content.decode()
    assert "You read this in Kiswahili: it is not shown in English." in page
    practice.refresh_from_db()
    english = actions.translate(
        practice, text(title="Reading together"), by=world.cast["head"], language="en"
    )
    assert "Reading together" not in reader.get(url("practice", practice)).content.decode()
    actions.publish(english, by=world.cast["minister"], seen=None)
    page = reader.get(url("practice", practice)).content.decode()
    assert "Reading together" in page
    assert "it was written in Kiswahili" in page
    page = reader.get(url("practice", practice), {"language": "sw"}).content.decode()
    assert "<h1>Kusoma pamoja</h1>" in page.replace("\n", "")
    with pytest.raises(ValidationError, match="already"):
        actions.translate(practice, text(title="x"), by=world.cast["head"], language="en")


# Following, notices, comments


def test_followers_and_the_source_schools_head_hear_what_happens(world: World) -> None:
    practice = a_practice(world)
    talk.follow(practice, by=world.cast["teacher"])
    talk.follow(practice, by=world.cast["teacher"])
    first = adopted(world, practice, "N3")
    adopted(world, practice, "E2", first)
    for who in ("teacher", "head"):
        assert "School N3 took up “Fours by turns”." in told(world, who), who
        assert "School E2 took up “Fours by turns”." in told(world, who), who
    assert "School E2 took up “Fours by turns”." in told(world, "partner_head")  # who passed it on
    assert "School N3 took up “Fours by turns”." not in told(world, "partner_head")  # who did it
    talk.comment(practice, by=world.cast["other_head"], words="It helps.")
    actions.change(practice, text(evidence="More."), by=world.cast["minister"], seen=None)
    adopting.stop(first, by=head_of(world, "N3"), on=today(), why="No room.", seen=None)
    for words in ("Somebody wrote about", "was changed", "School N3 no longer uses"):
        assert any(words in each for each in told(world, "teacher")), words
    talk.unfollow(practice, by=world.cast["teacher"])
    before = told(world, "teacher")
    adopted(world, practice, "L1")
    assert told(world, "teacher") == before


@pytest.mark.parametrize(
    "words",
    [
        "The pupil Amina Were reads better now.",
        "We saw that Amina Were reads better.",
        "One girl, Achieng, was stuck.",
        "Talk with the pupil named Juma about it.",
        "Look at admission no. 4711.",
        "Yesterday in class 4 Juma K. explained it.",
        "L'élève Chloé lit mieux.",
    ],
)
def test_what_looks_like_a_pupils_name_is_asked_about(words: str) -> None:
    assert may_name_pupil(words)


@pytest.mark.parametrize(
    "words",
    [
        "Pupils read better now.",
        "Every pupil reads aloud. The girls too.",
        "We learned it from School N2 in Upper district.",
        "Ask Mr Otieno Odhiambo or Dr. Wanjiru.",
        "On Monday We plan.",
        "IN CAPITALS IT IS EASIER TO READ.",
        "",
    ],
)
def test_other_words_are_let_be(words: str) -> None:
    assert may_name_pupil(words, ["School N2", "Upper", "Monday"]) == ""


def test_a_name_is_asked_about_and_let_through_when_it_is_nobodys(
    world: World, sign_in: SignIn
) -> None:
    practice = a_practice(world)
    teacher, words = sign_in("teacher"), "We use the song of Amina Were."
    page = teacher.post(url("practice_comment", practice), {"words": words})
    assert page.status_code == 200
    assert "“Amina Were” looks like the name of a pupil" in page.content.decode()
    assert words in page.content.decode()
    assert 'type="checkbox" name="names_no_pupil"' in page.content.decode()
    assert PracticeComment.objects.count() == 0
    sent = {"words": words, "names_no_pupil": "on"}
    assert teacher.post(url("practice_comment", practice), sent).status_code == 302
    assert teacher.post(url("practice_comment", practice), sent).status_code == 302
    assert PracticeComment.objects.count() == 1


def test_an_officer_hides_a_comment_with_a_reason_and_it_is_logged(
    world: World, sign_in: SignIn
) -> None:
    practice = a_practice(world)
    said = talk.comment(practice, by=world.cast["other_head"], words="Come to me instead.")
    officer = sign_in("district_officer")
    officer.post(url("practice_hide", practice, said.pk), {"why": ""})
    assert PracticeComment.objects.get().hidden_at is None
    officer.post(url("practice_hide", practice, said.pk), {"why": "Not about it."})
    page = sign_in("teacher").get(url("practice", practice)).content.decode()
    assert "Come to me instead." not in page
    assert "Not about it." in officer.get(url("practice", practice)).content.decode()
    entries = sign_in("minister").get("/audit/", {"q": "hide_comment"}).content.decode()
    assert "connectedness.hide_comment" in entries
    # What is hidden is not there for those who may not see it.
    again = sign_in("other_head").post(url("practice_hide", practice, said.pk), {"why": "x"})
    assert again.status_code == 404


# Pages


def test_the_page_shows_the_lineage_to_everybody_and_links_only_what_may_be_opened(
    world: World, sign_in: SignIn
) -> None:
    practice = a_practice(world)
    first = adopted(world, practice, "N3")
    adopted(world, practice, "E2", first, adapted="In threes <b>.")
    page = sign_in("other_head").get(url("practice", practice)).content.decode()
    for words in ("School N3", "School E2", "In threes &lt;b&gt;.", "1 school"):
        assert words in page, words
    assert "/schools/E2/" in page  # the own one
    assert "/schools/N3/" not in page


def test_the_schools_page_shows_what_it_gave_and_took(world: World, sign_in: SignIn) -> None:
    practice = a_practice(world)
    adopted(world, practice, "N3")
    given = sign_in("head").get(reverse("home:school", args=["N2"])).content.decode()
    taken = sign_in("partner_head").get(reverse("home:school", args=["N3"])).content.decode()
    assert "reached 1 school" in given
    assert "from School N2, since" in taken
    for page in (given, taken):
        assert url("practice", practice) in page


def test_the_library_and_a_page_ask_few_questions_of_the_database(
    world: World, sign_in: SignIn, django_assert_max_num_queries: object
) -> None:
    practice = a_practice(world)
    previous = adopted(world, practice, "N3")
    for code in ("N4", "N5", "E2", "L1"):
        previous = adopted(world, practice, code, previous)
        a_practice(world, title=f"Practice {code}")
    teacher = sign_in("teacher")
    with django_assert_max_num_queries(22):  # type: ignore[operator] # the plugin's own type
        assert teacher.get(reverse("connectedness:practices"), {"q": "practice"}).status_code == 200
    with django_assert_max_num_queries(32):  # type: ignore[operator] # as above
        assert teacher.get(url("practice", practice)).status_code == 200


def test_files_have_what_the_pages_have(world: World, sign_in: SignIn) -> None:
    practice = a_practice(world, title="=Fours")
    adopted(world, practice, "N3", adapted="In threes.")
    a_draft(world, title="Draft")
    client = sign_in("teacher")
    answer = client.get(reverse("connectedness:practices_export", args=["csv"]))
    listed = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined] # streams
    assert "'=Fours" in listed
    assert "Draft" not in listed
    answer = client.get(url("practice_schools_export", practice, "csv"))
    schools = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined] # as above
    assert "N3,School N3,Upper,N2,School N2,1" in schools
    assert "In threes." in schools


def test_the_priority_of_a_practice_narrows_the_library(world: World, sign_in: SignIn) -> None:
    set_priorities(
        [Wanted("Every child reads", subject="Reading"), Wanted("Numbers", subject="Maths")],
        by=world.cast["minister"],
    )
    reading = live_priorities()[0]
    practice = a_practice(world)
    a_practice(world, title="Another")
    actions.change(
        practice, text(), by=world.cast["head"], seen=None, priority=reading
    )  # fmt: skip
    page = sign_in("teacher").get(
        reverse("connectedness:practices"), {"priority": reading.code}
    ).content.decode()  # fmt: skip
    assert "Fours by turns" in page
    assert "Another" not in page


def test_a_day_to_come_is_refused_on_the_page_and_nothing_typed_is_lost(
    world: World, sign_in: SignIn
) -> None:
    practice = a_practice(world)
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    page = sign_in("partner_head").post(
        url("practice_adopt", practice), {"on": tomorrow, "adapted": "In threes."}
    )
    assert page.status_code == 200
    assert "This day is still to come" in page.content.decode()
    assert "In threes." in page.content.decode()
