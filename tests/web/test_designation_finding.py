"""Finding leaders: by evidence and never ranked, areas with few, asking, saying not now."""

import io
import re
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.insight import bright_spot_actions, improving_queries
from brightspots_web.insight.models import Estimate
from brightspots_web.insight.queries import current_run
from brightspots_web.leaders import designation_actions as applying
from brightspots_web.leaders import finding_actions as actions
from brightspots_web.leaders import finding_area_queries as areas
from brightspots_web.leaders import finding_queries as queries
from brightspots_web.leaders.models import Grade, Nomination
from brightspots_web.shared import audit
from brightspots_web.shared.permissions import Role
from tests.web import designation_helpers as helpers
from tests.web.bright_spot_helpers import a_run
from tests.web.conftest import SignIn
from tests.web.designation_helpers import told
from tests.web.world import FORMED, World

FINDING = reverse("leaders:finding")


def found(world: World, who: str = "minister", **wanted: str) -> list[queries.Found]:
    return queries.search(world.cast[who], queries.Search(**wanted), current_run())  # type: ignore[arg-type] # texts alone


def schools(world: World, who: str = "minister", **wanted: str) -> list[str]:
    return [each.name.removeprefix("School ") for each in found(world, who, **wanted)]


def rise(code: str, world: World, first: float = -0.6, last: float = 0.6) -> None:
    """Let a school's figures go from one height to another over the years."""
    rows = Estimate.objects.filter(school=world.schools[code], subject="Reading")
    for year, height in ((2021, first), (2023, last)):
        rows.filter(year=year).update(estimate=height, lower=height - 0.2, upper=height + 0.2)


def confirmed(code: str, world: World) -> None:
    for state in ("visited", "confirmed"):
        bright_spot_actions.take_step(
            world.schools[code], "Reading", by=world.cast["minister"], to=state,
            on=helpers.today(), note="Seen.",
        )  # fmt: skip


# By evidence


def test_bright_spots_and_schools_that_rise_in_a_live_priority(world: World) -> None:
    helpers.ground(world)
    # E1 sings as well, which is no priority; N5 is worth a visit: too little to ask a person on.
    assert schools(world) == ["L1", "N2", "E1"]
    confirmed("N2", world)
    rise("N6", world)
    by_name = {each.name: each.kinds for each in found(world)}
    assert by_name["School N2"] == {queries.CONFIRMED}
    assert by_name["School L1"] == {queries.CANDIDATE}
    assert by_name["School N6"] == {queries.RISES}
    assert schools(world, kind="rises") == ["N6"]
    assert schools(world, kind="confirmed") == ["N2"]


def test_the_order_is_by_area_and_name_whatever_the_figures_say(world: World) -> None:
    helpers.ground(world)
    before = schools(world)
    Estimate.objects.filter(school=world.schools["E1"], year=None).update(
        estimate=2.0, lower=1.8, upper=2.2, probability=0.999
    )
    assert schools(world) == before
    places = [(each.area, each.name) for each in found(world)]
    assert places == sorted(places)


def test_each_sees_what_is_in_sight(world: World) -> None:
    helpers.ground(world)
    rise("N6", world)
    rise("E2", world)
    assert schools(world, "district_officer") == ["L1", "N2", "N6"]
    assert schools(world, "other_district_officer") == ["E1", "E2"]
    for who in ("head", "system_leader", "analyst", "teacher"):
        assert schools(world, who) == [], who


def test_a_rise_needs_intervals_that_lie_apart(world: World) -> None:
    helpers.ground(world)
    rise("N6", world, first=0.0, last=0.39)
    assert "N6" not in schools(world)
    rise("N6", world, first=0.0, last=0.41)
    assert "N6" in schools(world)
    rise("N6", world, first=0.41, last=0.0)
    assert "N6" not in schools(world)


def test_figures_that_are_withheld_name_nobody(world: World, sign_in: SignIn) -> None:
    helpers.priorities(world)
    a_run(world, small=("N2", "N6"))
    rise("N6", world)
    assert schools(world) == ["L1", "E1"]
    page = sign_in("minister").get(reverse("leaders:finding_school", args=["N2"]))
    words = page.content.decode()
    assert "There is no figure that can be shown" in words
    assert "more than expected" not in words
    rows = improving_queries.rises([world.schools["N6"].pk], ["Reading"], current_run())
    assert rows == {}


def test_the_page_says_who_how_sure_by_how_many_and_how_things_stand(
    world: World, sign_in: SignIn
) -> None:
    helpers.ground(world)
    rise("N2", world)
    words = sign_in("district_officer").get(FINDING).content.decode()
    for said in (
        "about 5.0 points more than expected; likely between 3.0 and 7.0 points more",
        "180 pupils, 3 years.",
        "97% likely to be ahead by 1.2 points or more",
        "It rises: from −6.0 (−8.0 to −4.0) in 2021 to +6.0 (+4.0 to +8.0) in 2023",
        "Candidate: nobody has visited yet.",
        "not asked yet",
        "no order of people follows",
        "Figures published on",
        ">Head<",
        "nobody at present",  # L1 has no head
    ):
        assert said in words, said


def test_how_things_stand_from_nobody_asked_to_designated(world: World) -> None:
    helpers.ground(world)
    head = world.person("head").pk

    def standing() -> str:
        return queries.standings_of([head]).get(head, (queries.FREE, None))[0]

    assert standing() == queries.FREE
    actions.invite(world.person("head"), world.schools["N2"], None, by=world.cast["minister"])
    assert standing() == queries.ASKED
    actions.not_now(why="", by=world.cast["head"])
    assert standing() == queries.NOT_NOW
    draft = helpers.a_draft(world)
    assert standing() == queries.NOT_NOW  # a draft is nobody's to know
    applying.ask_backing(draft, by=world.cast["head"], seen=None)
    assert standing() == queries.APPLIES
    applying.withdraw(draft, by=world.cast["head"], seen=None)
    helpers.designated(world)
    assert standing() == queries.DESIGNATED
    assert schools(world, standing="designated") == ["N2"]
    leader = world.person("other_system_leader").pk
    assert queries.standings_of([leader])[leader][0] == queries.LEADS


def test_closed_schools_are_asked_no_more(world: World, sign_in: SignIn) -> None:
    helpers.ground(world)
    School.objects.filter(code="N2").update(closed=helpers.today())
    assert schools(world) == ["L1", "E1"]
    page = sign_in("minister").get(reverse("leaders:finding_school", args=["N2"]))
    assert page.status_code == 404


def test_without_an_analysis_or_a_school_that_fits_the_page_says_what_to_do(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in("minister")
    assert "No analysis is published yet" in client.get(FINDING).content.decode()
    helpers.ground(world)
    words = client.get(FINDING, {"kind": "rises"}).content.decode()
    assert "Clear the filter" in words
    assert client.get(FINDING, {"area": "Nowhere"}).status_code == 200
    words = client.get(FINDING, {"area": "Lower"}).content.decode()
    assert "School L1" in words
    assert "School N2" not in words


def test_the_file_has_what_the_page_has(world: World, sign_in: SignIn) -> None:
    helpers.ground(world)
    answer = sign_in("district_officer").get(reverse("leaders:finding_export", args=["csv"]))
    text = b"".join(answer).decode()  # type: ignore[call-overload] # it streams
    assert "North > Upper,N2,School N2,Head,Every child reads," in text
    assert "School E1" not in text
    assert "no order of people follows" in text
    nowhere = reverse("leaders:finding_export", args=["xlsx"]) + "?area=Nowhere"
    assert sign_in("district_officer").get(nowhere).status_code == 404
    sheet = sign_in("minister").get(reverse("leaders:finding_export", args=["xlsx"]))
    assert io.BytesIO(sheet.content).read(2) == b"PK"


def test_as_many_statements_for_many_schools_as_for_few(world: World, sign_in: SignIn) -> None:
    helpers.ground(world)
    run = current_run()
    client = sign_in("minister")
    client.get(FINDING)

    def ran() -> int:
        with CaptureQueriesContext(connection) as statements:
            assert client.get(FINDING).status_code == 200
        return len(statements)

    few = ran()
    for at in range(30):
        school = School.objects.create(
            code=f"M{at}", name=f"School M{at}", area=world.areas["West"], phase="primary"
        )
        person = Person.objects.create_user(f"m{at}@test.invalid", None, name=f"Head M{at}")
        Appointment.objects.create(person=person, role=Role.HEAD, school=school, starts=FORMED)
        like = Estimate.objects.get(school=world.schools["N2"], subject="Reading", year=None)
        like.pk, like.school, like.run = None, school, run  # type: ignore[assignment] # there is one
        like.save(force_insert=True)
    assert ran() == few
    assert few <= 40
    assert len(found(world)) == 33


# Where leaders are few


def test_schools_for_each_leader_area_by_area(world: World, sign_in: SignIn) -> None:
    helpers.designated(world)
    listed = areas.areas_to_show(world.cast["minister"], None)
    north, south = areas.supply(world.cast["minister"], listed)
    assert (north.area.name, north.schools, north.leaders, north.per_leader) == (
        "North", 10, 1, 10.0,
    )  # fmt: skip
    assert (north.few, north.wanted, north.undesignated) == (True, 1, 1)
    assert (south.schools, south.leaders, south.per_leader, south.few) == (4, 0, None, True)
    page = sign_in("minister").get(reverse("leaders:finding_areas"))
    words = page.content.decode()
    assert "few: 1 more would be enough" in words
    assert "no leader" in words
    inner = areas.areas_to_show(world.cast["district_officer"], None)
    lower, upper = areas.supply(world.cast["district_officer"], inner)
    assert (lower.area.name, lower.leaders) == ("Lower", 0)
    assert (upper.per_leader, upper.few) == (6.0, False)  # six is not more than six


def test_specialists_and_schools_that_closed_do_not_count(world: World) -> None:
    helpers.designated(world, grade=Grade.SPECIALIST)
    School.objects.filter(code="E1").update(closed=helpers.today())
    listed = areas.areas_to_show(world.cast["minister"], None)
    north, south = areas.supply(world.cast["minister"], listed)
    assert north.leaders == 0
    assert south.schools == 3


def test_the_areas_take_as_many_statements_for_many(world: World, sign_in: SignIn) -> None:
    client = sign_in("minister")
    counts = []
    for area in ("", "North"):
        with CaptureQueriesContext(connection) as ran:
            assert client.get(reverse("leaders:finding_areas"), {"area": area}).status_code == 200
        counts.append(len(ran))
    assert max(counts) <= 25
    with patch.object(directory, "inner_areas", lambda *_args: list(world.areas.values())):
        with CaptureQueriesContext(connection) as ran:
            client.get(reverse("leaders:finding_areas"))
        assert len(ran) <= counts[0]


# Asking


def test_asking_somebody_by_the_evidence(world: World, sign_in: SignIn) -> None:
    helpers.ground(world)
    url = reverse("leaders:finding_school", args=["N2"])
    client = sign_in("district_officer")
    page = client.get(url)
    form = page.context["form"]
    assert form.initial == {"priority": "every-child-reads", "person": str(world.person("head").pk)}
    assert [label for _key, label in form.fields["person"].choices] == [
        "Head, Head teacher", "Teacher, Teacher",
    ]  # fmt: skip
    sent = {**form.initial, "words": "Your team plans well."}
    for _press in range(2):
        assert client.post(url, sent).status_code == 302
    asked = Nomination.objects.get()
    assert (asked.kind, asked.person, asked.by_person) == (
        Nomination.Kind.EVIDENCE, world.person("head"), world.person("district_officer"),
    )  # fmt: skip
    assert "Would you consider leading? You are asked." in told(world, "head")
    words = sign_in("head").get(reverse("leaders:asked")).content.decode()
    assert "Your team plans well." in words
    assert "about 5.0 points more than expected" in words
    assert "Begin an application" in words
    assert "Your team" not in sign_in("teacher").get(reverse("leaders:asked")).content.decode()
    assert "asked on" in client.get(FINDING).content.decode()


def test_a_senior_teacher_is_asked_as_well_and_nobody_elsewhere(world: World) -> None:
    helpers.ground(world)
    officer, n2 = world.cast["district_officer"], world.schools["N2"]
    assert actions.invite(world.person("teacher"), n2, None, by=officer).person.name == "Teacher"
    with pytest.raises(ValidationError, match="holds no appointment at School N2"):
        actions.invite(world.person("partner_head"), n2, None, by=officer)
    for who in ("other_district_officer", "head", "analyst"):
        with pytest.raises(PermissionDenied):
            actions.invite(world.person("head"), n2, None, by=world.cast[who])


def test_not_now_is_a_good_answer_and_is_respected_for_half_a_year(
    world: World, sign_in: SignIn
) -> None:
    helpers.ground(world)
    officer, head, n2 = world.cast["district_officer"], world.person("head"), world.schools["N2"]
    actions.invite(head, n2, None, by=officer)
    actions.nominate(head, words="A good listener.", by=world.cast["partner_head"])
    client = sign_in("head")
    client.post(reverse("leaders:not_now"), {"why": "We are building."})
    assert not Nomination.objects.filter(declined_at=None).exists()
    assert any("says “not now”" in each for each in told(world, "district_officer"))
    assert (
        "We are building."
        in sign_in("district_officer").get(reverse("leaders:nominations")).content.decode()
    )
    for act in (
        lambda: actions.invite(head, n2, None, by=officer),
        lambda: actions.invite(head, n2, None, by=world.cast["minister"]),
        lambda: actions.nominate(head, words="Please.", by=world.cast["partner_head"]),
    ):
        with pytest.raises(ValidationError, match="ask again after"):
            act()
    # The person may change their mind at any time; after half a year others may ask again.
    actions.put_forward(words="I thought about it.", by=world.cast["head"])
    Nomination.objects.update(declined_at=timezone.now() - queries.ASK_AGAIN - timedelta(days=1))
    assert actions.invite(head, n2, None, by=officer).declined_at is None
    assert actions.not_now(why="", by=world.cast["teacher"]) == 0
    assert audit.first_broken_link() is None


def test_colleagues_of_the_partnership_nominate_with_words(world: World, sign_in: SignIn) -> None:
    url = reverse("leaders:nominate")
    page = sign_in("partner_head").get(url)
    names = [label for _key, label in page.context["form"].fields["person"].choices]
    assert names == [
        "choose", "myself: Partner Head", "Head, School N2", "System Leader, School N1",
        "Teacher, School N2",
    ]  # fmt: skip
    sent = {"person": str(world.person("head").pk), "words": " "}
    assert sign_in("partner_head").post(url, sent).status_code == 200
    assert not Nomination.objects.exists()
    sent["words"] = "She listens."
    assert sign_in("partner_head").post(url, sent).status_code == 302
    assert any("put forward to lead" in each for each in told(world, "district_officer"))
    assert told(world, "other_district_officer") == []
    elsewhere = {"person": str(world.person("other_head").pk), "words": "x"}
    assert sign_in("partner_head").post(url, elsewhere).status_code == 200
    with pytest.raises(PermissionDenied):
        actions.nominate(world.person("other_head"), words="x", by=world.cast["partner_head"])
    with pytest.raises(PermissionDenied):
        actions.nominate(world.person("partner_head"), words="x", by=world.cast["partner_head"])
    words = sign_in("head").get(reverse("leaders:asked")).content.decode()
    assert "She listens." in words
    assert re.search(r"by a colleague", words)


def test_somebody_designated_is_not_asked(world: World) -> None:
    helpers.designated(world)
    with pytest.raises(ValidationError, match="designated already"):
        actions.invite(world.person("head"), world.schools["N2"], None, by=world.cast["minister"])


def test_nominations_are_read_within_sight(world: World, sign_in: SignIn) -> None:
    actions.put_forward(words="From N2.", by=world.cast["head"])
    actions.put_forward(words="From E2.", by=world.cast["other_head"])
    url = reverse("leaders:nominations")
    for who, north, south in (("minister", True, True), ("district_officer", True, False),
                              ("other_district_officer", False, True)):  # fmt: skip
        words = sign_in(who).get(url).content.decode()
        assert ("From N2." in words, "From E2." in words) == (north, south), who
        filed = sign_in(who).get(reverse("leaders:nominations_export", args=["csv"]))
        text = b"".join(filed).decode()  # type: ignore[call-overload] # it streams
        assert ("From N2." in text, "From E2." in text) == (north, south), who
    assert "From N2." not in sign_in("minister").get(url, {"kind": "peer"}).content.decode()
    assert "From N2." not in sign_in("minister").get(url, {"answer": "not_now"}).content.decode()


def test_nominations_take_as_many_statements_for_many(world: World, sign_in: SignIn) -> None:
    client = sign_in("minister")
    url = reverse("leaders:nominations")
    counts = []
    for n in (1, 15):
        for at in range(n):
            person = Person.objects.create_user(f"p{n}{at}@test.invalid", None, name=f"P{at}")
            Nomination.objects.create(
                person=person, school=world.schools["N4"], kind="self", by="x",
                appointment=f"{n}{at}", at=timezone.now(),
            )  # fmt: skip
        with CaptureQueriesContext(connection) as ran:
            assert client.get(url).status_code == 200
        counts.append(len(ran))
    assert counts[0] == counts[1]
