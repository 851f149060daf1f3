"""How leaders grow: the framework, views side by side, who sees them, what is said of a group."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from brightspots_web.leaders import development_framework_actions as framework_actions
from brightspots_web.leaders import development_group_queries as group
from brightspots_web.leaders import development_keeping_actions as keeping
from brightspots_web.leaders import development_next, development_queries
from brightspots_web.leaders import development_rating_actions as rating
from brightspots_web.leaders.development_framework_actions import Text
from brightspots_web.leaders.development_rating_actions import Said
from brightspots_web.leaders.models import Application, Competence, CompetenceRating, Grade
from brightspots_web.notices import queries as notices
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web.conftest import SignIn
from tests.web.development_helpers import (
    EVIDENCE,
    answered,
    asked,
    competence,
    framework,
    more_leaders,
    rated,
    today,
)
from tests.web.permission_matrix import CAST
from tests.web.world import World

NEW = Text("Listening", "Hearing what is meant.", ("I a.", "I b.", "I c.", "I d."))


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def page(client_of: SignIn, who: str, name: str = "development", *args: object) -> str:
    return client_of(who).get(reverse(f"leaders:{name}", args=args)).content.decode()


# The framework


def test_a_framework_begins_with_five_in_four_sentences_each_and_begins_once(world: World) -> None:
    made = framework(world)
    assert [each.code for each in made] == [
        "diagnosing", "coaching", "brokering", "reviewing", "using-data",
    ]  # fmt: skip
    for each in made:
        assert len(set(each.levels)) == 4
        assert each.what_it_is
    assert framework_actions.begin(by=world.cast["minister"]) == []
    assert Competence.objects.count() == 5


@pytest.mark.parametrize("who", ["analyst", "district_officer", "system_leader", "head"])
def test_nobody_but_the_ministry_writes_the_framework(world: World, who: str) -> None:
    framework(world)
    acting = world.cast[who]
    for act in (
        lambda: framework_actions.begin(by=acting),
        lambda: framework_actions.add(NEW, by=acting),
        lambda: framework_actions.change(competence(), NEW, by=acting, seen=None),
        lambda: framework_actions.move(competence(), by=acting, up=True),
        lambda: framework_actions.retire(competence(), by=acting, seen=None),
        lambda: framework_actions.bring_back(competence(), by=acting, seen=None),
    ):
        with pytest.raises(PermissionDenied):
            act()


def test_a_competence_is_added_at_the_end_once_and_needs_four_sentences(world: World) -> None:
    framework(world)
    minister = world.cast["minister"]
    added = framework_actions.add(NEW, by=minister)
    assert framework_actions.add(NEW, by=minister) == added
    assert development_queries.framework()[-1] == added
    with pytest.raises(ValidationError) as problem:
        framework_actions.add(Text("B", "", ("I a.", "", "I c.", "x" * 401)), by=minister)
    assert set(problem.value.error_dict) == {"what_it_is", "level_2", "level_4"}
    with pytest.raises(ValidationError, match="say the same"):
        framework_actions.add(Text("B", "b", ("I a.", "I a.", "I c.", "I d.")), by=minister)
    with pytest.raises(ValidationError, match="of this name"):
        framework_actions.add(Text("Listening", "Other.", NEW.levels), by=minister)


def test_a_change_that_was_overtaken_answers_409_with_what_was_written(
    world: World, sign_in: SignIn
) -> None:
    framework(world)
    seen = competence().version
    framework_actions.change(competence(), NEW, by=world.cast["minister"], seen=seen)
    fields = {"name": "Coaching well", "what_it_is": "It.", "seen": seen} | {
        f"level_{at}": f"I can {at}." for at in range(1, 5)
    }
    url = reverse("leaders:competence_change", args=["coaching"])
    answer = sign_in("minister").post(url, fields)
    assert answer.status_code == 409
    assert "Coaching well" in answer.content.decode()
    assert "I a." in answer.content.decode()
    assert competence().name == "Listening"
    again = answer.context["form"].data | fields | {"seen": answer.context["form"].data["seen"]}
    assert sign_in("minister").post(url, again).status_code == 302
    assert competence().name == "Coaching well"


def test_competences_change_places_and_are_taken_out_and_brought_back(world: World) -> None:
    framework(world)
    minister = world.cast["minister"]
    framework_actions.move(competence("coaching"), by=minister, up=True)
    framework_actions.move(competence("coaching"), by=minister, up=True)  # the first stays first
    assert development_queries.framework()[0].code == "coaching"
    framework_actions.retire(competence("coaching"), by=minister, seen=None)
    assert "coaching" not in [each.code for each in development_queries.framework()]
    framework_actions.bring_back(competence("coaching"), by=minister, seen=None)
    assert development_queries.framework()[-1].code == "coaching"
    for each in development_queries.framework()[:-1]:
        framework_actions.retire(each, by=minister, seen=None)
    with pytest.raises(ValidationError, match="last one"):
        framework_actions.retire(competence("coaching"), by=minister, seen=None)


def test_taking_one_out_keeps_what_was_said_and_asks_nobody_any_more(
    world: World, sign_in: SignIn
) -> None:
    rated(world)
    asked(world)
    framework_actions.retire(competence(), by=world.cast["minister"], seen=None)
    assert development_queries.to_answer(world.cast["head"]) == []
    shown = page(sign_in, "system_leader")
    assert EVIDENCE in shown
    assert "no longer in the framework" in shown
    assert reverse("leaders:rate", args=["coaching"]) not in shown


# Rating oneself


def test_a_rating_needs_evidence_and_a_level_that_there_is(world: World) -> None:
    framework(world)
    leader = world.cast["system_leader"]
    for said, key in ((Said(2, "  "), "evidence"), (Said(5, "We did."), "level"),
                      (Said(2, "x" * 2001), "evidence")):  # fmt: skip
        with pytest.raises(ValidationError) as problem:
            rating.rate_self(competence(), said, by=leader)
        assert set(problem.value.error_dict) == {key}
    assert not CompetenceRating.objects.exists()


def test_the_newest_counts_and_the_earlier_ones_stay(world: World, sign_in: SignIn) -> None:
    rated(world, 2)
    assert rated(world, 2) == rated(world, 2)  # pressed again, it is there once
    rating.rate_self(competence(), Said(3, "Now two of them did."), by=world.cast["system_leader"])
    standing = development_queries.standings(
        world.person("system_leader"), world.cast["system_leader"]
    )[1]
    assert standing.own is not None
    assert standing.own.level == 3
    assert [each.level for each in standing.earlier] == [2]
    assert CompetenceRating.objects.count() == 2
    assert EVIDENCE in page(sign_in, "system_leader")


def test_a_rating_keeps_the_sentence_it_was_given_for(world: World, sign_in: SignIn) -> None:
    before = rated(world, 2).said
    framework_actions.change(competence(), NEW, by=world.cast["minister"], seen=None)
    shown = page(sign_in, "system_leader")
    assert before in shown
    assert "how it read that day" in shown


def test_sentences_changed_meanwhile_are_read_before_one_chooses(
    world: World, sign_in: SignIn
) -> None:
    framework(world)
    seen = competence().version
    framework_actions.change(competence(), NEW, by=world.cast["minister"], seen=None)
    data = {"level": "2", "evidence": "We met weekly.", "seen": seen}
    answer = sign_in("system_leader").post(reverse("leaders:rate", args=["coaching"]), data)
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert "We met weekly." in shown
    assert "I b." in shown  # the new sentences stand there
    assert not CompetenceRating.objects.exists()


def test_an_applicant_rates_and_a_head_who_is_none_does_not(world: World) -> None:
    framework(world)
    head = world.cast["head"]
    assert not development_queries.may_grow(head)
    with pytest.raises(PermissionDenied):
        rating.rate_self(competence(), Said(1, "We did."), by=head)
    application = Application.objects.create(
        person=head.person, school=world.schools["N2"], grade=Grade.LEADER,
        created_at=timezone.now(),
    )  # fmt: skip
    assert development_queries.may_grow(head)
    Application.objects.filter(pk=application.pk).update(state=Application.State.WITHDRAWN)
    assert not development_queries.may_grow(head)


# Colleagues


def test_a_colleague_is_asked_once_answers_and_both_stand_side_by_side(
    world: World, sign_in: SignIn
) -> None:
    rated(world, 2)
    asked(world)
    asked(world)
    assert CompetenceRating.objects.filter(level=None).count() == 1
    assert any("asks how you see them" in each for each in told(world, "head"))
    said = {competence().pk: Said(4, "He asked until I saw it.")}
    rating.answer(world.person("system_leader").pk, said, by=world.cast["head"])
    assert any("how they see you" in each for each in told(world, "system_leader"))
    shown = page(sign_in, "system_leader")
    assert EVIDENCE in shown
    assert "He asked until I saw it." in shown
    assert "The views go from “developing” to “leading”" in shown
    assert "worth a talk" in shown
    # Nothing is averaged: neither 3 nor "embedding" is said of it.
    standing = development_queries.standings(
        world.person("system_leader"), world.cast["system_leader"]
    )[1]
    assert (standing.levels, standing.apart) == ([2, 4], 2)


def test_a_level_without_evidence_and_evidence_without_a_level_are_not_taken(
    world: World, sign_in: SignIn
) -> None:
    asked(world, codes=("coaching", "brokering"))
    key, other = (f"c{competence(code).pk}" for code in ("coaching", "brokering"))
    url = reverse("leaders:answer", args=[world.person("system_leader").pk])
    client = sign_in("head")
    answer = client.post(url, {f"{key}_level": "3", f"{other}_evidence": "I saw it."})
    assert answer.status_code == 200
    assert set(answer.context["form"].errors) == {f"{key}_evidence", f"{other}_level"}
    assert client.post(url, {}).status_code == 200
    assert client.post(url, {f"{key}_level": "3", f"{key}_evidence": "Yes."}).status_code == 302
    assert [row.competence.code for row in development_queries.to_answer(world.cast["head"])] == [
        "brokering"  # what was left open can be answered later
    ]


def test_a_colleague_whose_sentences_changed_reads_them_again(
    world: World, sign_in: SignIn
) -> None:
    asked(world)
    key = f"c{competence().pk}"
    data = {f"{key}_level": "3", f"{key}_evidence": "I saw it.", f"{key}_seen": 1}
    framework_actions.change(competence(), NEW, by=world.cast["minister"], seen=None)
    url = reverse("leaders:answer", args=[world.person("system_leader").pk])
    answer = sign_in("head").post(url, data)
    assert answer.status_code == 409
    assert "I saw it." in answer.content.decode()
    assert "I c." in answer.content.decode()
    again = data | {f"{key}_seen": answer.context["form"].data[f"{key}_seen"]}
    assert sign_in("head").post(url, again).status_code == 302


def test_nobody_answers_what_was_not_asked_and_taking_back_ends_it(world: World) -> None:
    asked(world)
    leader = world.person("system_leader").pk
    said = {competence().pk: Said(1, "Never.")}
    with pytest.raises(PermissionDenied):
        rating.answer(leader, said, by=world.cast["partner_head"])
    with pytest.raises(PermissionDenied):
        rating.answer(leader, {competence("brokering").pk: Said(1, "No.")}, by=world.cast["head"])
    rating.take_back(world.person("head").pk, by=world.cast["system_leader"])
    with pytest.raises(PermissionDenied):
        rating.answer(leader, said, by=world.cast["head"])


def test_declining_tells_the_leader_and_leaves_nothing(world: World) -> None:
    asked(world)
    rating.decline(world.person("system_leader").pk, by=world.cast["head"])
    assert not CompetenceRating.objects.exists()
    assert any("cannot say" in each for each in told(world, "system_leader"))


def test_strangers_and_more_than_twelve_are_not_asked(world: World) -> None:
    framework(world)
    leader = world.cast["system_leader"]
    with pytest.raises(PermissionDenied):
        rating.ask([world.person("other_head")], [competence()], by=leader)
    rating.ask([world.person("other_system_leader")], [competence()], by=leader)
    many = [each.person for each in more_leaders(world, 12)]
    with pytest.raises(ValidationError, match="At most 12"):
        rating.ask(many, [competence()], by=leader)


def test_colleagues_are_those_nearby_and_leaders_elsewhere_by_name(
    world: World, sign_in: SignIn
) -> None:
    framework(world)
    near = development_queries.people_to_ask(world.cast["system_leader"])
    names = {str(each.person) for each in near.values()}
    assert names == {"Head", "Partner Head", "Teacher", "District Officer"}
    found = development_queries.people_to_ask(world.cast["system_leader"], "other sys")
    assert "Other System Leader" in {str(each.person) for each in found.values()}
    url = reverse("leaders:ask_colleagues")
    client = sign_in("system_leader")
    assert "Other System Leader" not in client.get(url).content.decode()
    assert "Other System Leader" in client.get(url, {"q": "other sys"}).content.decode()


# Who sees it

PLACES = (
    ("development", []), ("development_of", ["pk"]), ("me", []), ("profile", ["pk"]),
    ("development_export", ["csv"]),
)  # fmt: skip


def test_nobody_reads_a_rating_but_the_leader_and_who_it_is_shared_with(
    world: World, sign_in: SignIn
) -> None:
    rated(world, 1)
    answered(world, 4)
    person = world.person("system_leader")
    readers = set(CAST) - {"system_leader", "anonymous"}
    for who in readers:
        for name, args in PLACES:
            args = [person.pk if each == "pk" else each for each in args]
            answer = sign_in(who).get(reverse(f"leaders:{name}", args=args))
            body = answer.getvalue().decode()
            assert EVIDENCE not in body, (who, name)
            # The colleague finds the own words on the own page, and nowhere else.
            own_words = (who, name) == ("head", "development")
            assert ("I found it myself" in body) == own_words, (who, name)
    rating.share(world.person("district_officer"), by=world.cast["system_leader"])
    shown = page(sign_in, "district_officer", "development_of", person.pk)
    assert EVIDENCE in shown
    assert "I found it myself" in shown
    rating.stop_sharing(world.person("district_officer").pk, by=world.cast["system_leader"])
    url = reverse("leaders:development_of", args=[person.pk])
    assert sign_in("district_officer").get(url).status_code == 404


def test_the_audit_trail_says_that_and_not_what(world: World, sign_in: SignIn) -> None:
    rated(world, 1)
    answered(world, 4)
    trail = sign_in("minister").get(reverse("shared:audit")).content.decode()
    assert "leaders.rate_self" in trail
    for words in (EVIDENCE, "I found it myself"):
        assert words not in trail
    for entry in AuditEntry.objects.filter(action__startswith="leaders.", role="system_leader"):
        assert "coaching" not in f"{entry.target}{entry.detail}"
        assert "level" not in entry.detail
    assert audit.first_broken_link() is None


def test_ones_own_ratings_can_be_taken_along(world: World, sign_in: SignIn) -> None:
    rated(world, 1)
    answered(world, 4)
    url = reverse("leaders:development_export", args=["csv"])
    text = sign_in("system_leader").get(url).getvalue().decode()
    assert EVIDENCE in text
    assert "I found it myself" in text
    other = sign_in("other_system_leader").get(url).getvalue().decode()
    assert EVIDENCE not in other


# The group


def last_month() -> date:
    return today().replace(day=1) - timedelta(days=5)


def all_rated(world: World, number: int, *, low: str = "using-data") -> None:
    """So many leaders in Upper rated everything last month, one competence lowest."""
    framework(world)
    for acting in more_leaders(world, number):
        for each in Competence.objects.all():
            level = 1 if each.code == low else 3
            rating.rate_self(each, Said(level, "We did."), by=acting)
    before = timezone.now() - (today() - last_month()) - timedelta(days=1)
    CompetenceRating.objects.update(at=before)


def test_of_four_leaders_nothing_is_said(world: World, sign_in: SignIn) -> None:
    all_rated(world, 4)
    for who in ("minister", "district_officer"):
        found = group.group_of(world.cast[who])
        assert found.rated is None
        assert found.named == []
        shown = page(sign_in, who)
        assert "Fewer than 5" in shown
        assert "lowest most often" not in shown


def test_of_seven_it_says_at_least_five_and_names_what_most_put_lowest(
    world: World, sign_in: SignIn
) -> None:
    all_rated(world, 7)
    found = group.group_of(world.cast["district_officer"])
    assert (found.rated, [each.code for each in found.named]) == (5, ["using-data"])
    shown = page(sign_in, "district_officer")
    assert "At least 5 of them" in shown
    # No count of them, no level, nobody's name.
    for rest in ("7 of", "of 7", "L0", "We did."):
        assert rest not in shown
    assert group.group_of(world.cast["other_district_officer"]).rated is None


def test_what_was_said_this_month_changes_nothing_yet(world: World) -> None:
    all_rated(world, 5)
    before = group.group_of(world.cast["minister"])
    for code in ("coaching", "brokering"):
        rating.rate_self(competence(code), Said(1, "New."), by=world.cast["system_leader"])
    assert group.group_of(world.cast["minister"]) == before


def test_where_more_than_two_are_named_alike_none_stands_out(world: World) -> None:
    framework(world)
    codes = ["coaching", "brokering", "reviewing"]
    for at, acting in enumerate(more_leaders(world, 6)):
        for each in Competence.objects.all():
            level = 1 if each.code == codes[at % 3] else 3
            rating.rate_self(each, Said(level, "We did."), by=acting)
    CompetenceRating.objects.update(at=timezone.now() - timedelta(days=40))
    found = group.group_of(world.cast["minister"])
    assert (found.rated, found.named) == (5, [])


# What next


def test_what_next_says_why_the_weightiest_first(world: World) -> None:
    framework(world)
    leader = world.cast["system_leader"]
    for code, level in (("diagnosing", 4), ("coaching", 3), ("brokering", 1), ("reviewing", 4)):
        rating.rate_self(competence(code), Said(level, EVIDENCE), by=leader)
    asked(world, codes=("diagnosing", "coaching", "reviewing"))
    said = {competence(code).pk: Said(level, "Seen.") for code, level in
            (("diagnosing", 2), ("coaching", 3), ("reviewing", 4))}  # fmt: skip
    rating.answer(leader.person_id, said, by=world.cast["head"])
    found = development_next.next_for(leader)
    assert [each.competence.code for each in found] == ["using-data", "diagnosing", "brokering"]
    assert found[0].reasons == ["You have not said yet what shows it."]
    assert "from “developing” to “leading”" in found[1].reasons[0]
    assert "“beginning”" in found[2].reasons[0]
    assert "No colleague has said" in found[2].reasons[1]


def test_an_old_view_is_asked_for_anew(world: World) -> None:
    rated(world, 4)
    answered(world, 4)
    CompetenceRating.objects.update(at=timezone.now() - timedelta(days=500))
    standing = development_queries.standings(
        world.person("system_leader"), world.cast["system_leader"]
    )[1]
    ((weight, said),) = development_next.reasons(standing)
    assert weight == development_next.GROWN_OLD
    assert "What shows it today?" in said


# Keeping


def test_ratings_are_kept_for_five_years(world: World) -> None:
    rated(world, 2)
    rated(world, 3, code="brokering")
    old = CompetenceRating.objects.first()
    assert old is not None
    at = timezone.now() - timedelta(days=5 * 365 + 3)
    CompetenceRating.objects.filter(pk=old.pk).update(asked_at=at, at=at)
    assert keeping.forget()["ratings"] == 1
    assert not CompetenceRating.objects.filter(pk=old.pk).exists()
    assert keeping.forget()["ratings"] == 0


def test_a_rating_overtaken_in_the_action_saves_nothing(world: World) -> None:
    framework(world)
    with pytest.raises(OvertakenError):
        rating.rate_self(competence(), Said(2, "We did.", seen=99), by=world.cast["system_leader"])
    assert not CompetenceRating.objects.exists()


def test_the_own_page_asks_the_database_no_more_often_for_more_colleagues(
    world: World, sign_in: SignIn
) -> None:
    rated(world, 2)
    client = sign_in("system_leader")
    url = reverse("leaders:development")
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for acting in more_leaders(world, 6):
        rating.ask([acting.person], [competence()], by=world.cast["system_leader"])
        said = {competence().pk: Said(3, "Seen.")}
        rating.answer(world.person("system_leader").pk, said, by=acting)
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few)
