"""The end of a cycle on a page, on paper and in files: by name, side by side, to who may read."""

import csv
import io
import re
from typing import Any
from uuid import uuid4

import pypdf
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from brightspots_web.accountability import ceremony_page_actions as actions
from brightspots_web.accountability import ceremony_page_queries as queries
from brightspots_web.accountability import ceremony_pages as pages
from brightspots_web.accountability.pledge_models import Pledge, PledgeScore, PledgeSet
from brightspots_web.insight.models import Run
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import pledge_helpers as helpers
from tests.web.bright_spot_helpers import BRIGHT, a_run
from tests.web.conftest import SignIn
from tests.web.world import World

OTHER_PROMISE = "Pupils of our neighbours borrow a book a week."
LEARNED = "Reading aloud to a friend works; reading alone after lunch does not."


def self_scored(pledge: Pledge, score: int = 8, **more: Any) -> Pledge:
    """As its school's own score leaves it."""
    given = {
        "state": Pledge.State.SCORED,
        "self_score": score,
        "self_reason": "Two classes of three read daily.",
        "self_known": pledge.baseline,
        "self_by": "Head of School N2",
        "self_at": timezone.now(),
    }
    Pledge.objects.filter(pk=pledge.pk).update(**given | more)
    return helpers.fresh(pledge)


def a_peer(
    world: World, pledge: Pledge, code: str, score: int | None = None, **more: Any
) -> PledgeScore:
    """Somebody of another school who was asked, and has scored if a score is given."""
    given: dict[str, Any] = {
        "name": f"Head of School {code}",
        "school": world.schools[code],
        "asked_at": timezone.now(),
        "asked_by": "Head of School N2",
    }
    if score is not None:
        given |= {
            "score": score,
            "reason": f"Seen by a peer of {code}.",
            "scored_at": timezone.now(),
            "known": pledge.baseline,
            "state": PledgeScore.State.SCORED,
        }
    return PledgeScore.objects.create(pledge=pledge, **given | more)


def address(world: World) -> str:
    return pages.url("P-UPPER", helpers.a_cycle(world).pk)


def read(client: Client, world: World) -> str:
    answer = client.get(address(world))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def lines(client: Client, world: World) -> list[dict[str, str]]:
    """The lines of the file, without the note below them."""
    answer = client.get(address(world).removesuffix("/") + ".csv")
    assert answer.status_code == 200
    text = b"".join(answer).decode("utf-8-sig")  # type: ignore[arg-type] # a stream
    return [row for row in csv.DictReader(io.StringIO(text)) if row["Promise"]]


def printed(client: Client, world: World) -> str:
    answer = client.get(address(world).removesuffix("/") + ".pdf")
    assert answer["Content-Type"] == "application/pdf"
    sheets = pypdf.PdfReader(io.BytesIO(answer.content)).pages
    return " ".join(" ".join(each.extract_text().split()) for each in sheets)


def told_of(world: World, who: str) -> list[str]:
    """The promises that somebody reads on the page."""
    found = pages.read(world.cast[who], world.partnerships["Upper"], helpers.a_cycle(world))
    return [each.promise for each in found.promises]


# What stands on the page


def test_schools_stand_by_name_with_scores_side_by_side_and_nothing_averaged(
    world: World, sign_in: SignIn
) -> None:
    a_run(world)
    later = helpers.vowed(world, by="partner_head", promise="We sing each morning.")
    pledge = self_scored(
        helpers.witnessed(world), outcome=Pledge.Outcome.PARTLY, outcome_words="Half of it."
    )
    a_peer(world, pledge, "N5", 5)
    a_peer(world, pledge, "N4", 4)
    page = read(sign_in("teacher"), world)
    assert page.index(">School N2<") < page.index(">School N3<")
    assert page.index("8 of 10") < page.index("4 of 10") < page.index("5 of 10")
    assert "they do not see it alike" in page
    assert "School N2 says: partly kept." in page
    assert "Half of it." in page
    assert "Seen by a peer of N4." in page
    assert "+5.0 points (likely between +3.0 and +7.0), from 180 results of pupils" in page
    assert "tied to anybody’s pay" in page
    assert set(re.findall(r"[\d.]+ of 10", page)) == {"8 of 10", "4 of 10", "5 of 10"}
    assert "Its school has not scored it yet." in page
    assert later.promise in page


def test_alphabetical_also_where_a_later_name_promised_first_and_scored_higher(
    world: World,
) -> None:
    self_scored(helpers.vowed(world, by="partner_head"), 10)
    self_scored(helpers.vowed(world), 1)
    found = pages.read(
        world.cast["system_leader"], world.partnerships["Upper"], helpers.a_cycle(world)
    )
    names = [each["set"].school.name for each in pages.page(found)["schools"]]
    assert names == ["School N2", "School N3"]
    assert not any("score" in each for each in pages.page(found)["schools"])


def test_a_half_that_does_not_stand_is_said(world: World) -> None:
    of_set = helpers.a_set(world, complete=False)

    def missing() -> str:
        found = pages.read(world.cast["head"], world.partnerships["Upper"], helpers.a_cycle(world))
        (school,) = pages.page(found)["schools"]
        return str(school["missing"])

    assert "nothing is promised for another school" in missing()
    other = helpers.vowed(world, "other")
    assert missing() == ""
    Pledge.objects.filter(set=of_set).exclude(pk=other.pk).update(
        state="withdrawn", withdrawn_why="Rebuilt."
    )
    assert "nothing is promised for the own school" in missing()


def test_a_score_set_aside_does_not_count_and_is_told_of(world: World, sign_in: SignIn) -> None:
    pledge = self_scored(helpers.vowed(world), 7)
    a_peer(world, pledge, "N4", 2, state=PledgeScore.State.ASIDE, why="They are cousins.")
    a_peer(world, pledge, "N5")
    page = read(sign_in("partner_head"), world)
    assert "2 of 10" not in page
    assert "set aside for a conflict of interest" in page
    assert "1 peer is asked and has not scored yet." in page
    assert [row["Score"] for row in lines(sign_in("partner_head"), world)] == ["", "7"]


def test_a_value_of_an_analysis_taken_back_is_marked(world: World, sign_in: SignIn) -> None:
    run = a_run(world)
    helpers.vowed(world)
    assert "taken back since" not in read(sign_in("head"), world)
    Run.objects.filter(pk=run.pk).update(withdrawn_at=timezone.now())
    assert "(This analysis was taken back since.)" in read(sign_in("head"), world)
    (line,) = lines(sign_in("head"), world)
    assert line["Analysis taken back since"] == "yes"


def test_where_a_promise_goes_on_is_told_to_those_who_may_read_it(world: World) -> None:
    old = self_scored(helpers.vowed(world, audience="system"), outcome=Pledge.Outcome.CARRIED)
    then = helpers.a_cycle(world, "Next year", 240, 600)
    of_set = PledgeSet.objects.create(
        school=world.schools["N2"], partnership=world.partnerships["Upper"], cycle=then,
        by="x", at=timezone.now(),
    )  # fmt: skip
    new = helpers.fresh(old)
    new.pk, new.set, new.state = None, of_set, Pledge.State.DRAFT
    new.carried_from, new.audience, new.outcome = old, Pledge.Audience.PARTNERSHIP, ""
    new.self_score, new.self_reason = None, ""
    new.save()

    def carried(who: str, cycle: Any) -> list[tuple[str, bool]]:
        found = pages.read(world.cast[who], world.partnerships["Upper"], cycle)
        rows = [row for school in pages.page(found)["schools"] for row in school["promises"]]
        return [(link.label, bool(link.url)) for row in rows for link in row["carried"]]

    now = helpers.a_cycle(world)
    assert carried("head", now) == [], "a draft is told of on no page of others"
    Pledge.objects.filter(pk=new.pk).update(state=Pledge.State.VOWED)
    assert carried("partner_head", now) == [("goes on in Next year", True)]
    assert carried("other_head", now) == []
    Pledge.objects.filter(pk=new.pk).update(audience="system")
    Pledge.objects.filter(pk=old.pk).update(audience="partnership")
    assert carried("other_head", then) == [("carried over from This year", False)]


# Who reads what


def test_a_head_elsewhere_finds_no_ceremony_and_reads_only_what_was_told_wider(
    world: World, sign_in: SignIn
) -> None:
    of_set = helpers.a_set(world)
    stranger = sign_in("other_head")
    for end in ("/", ".pdf", ".csv", ".xlsx"):
        assert stranger.get(address(world).removesuffix("/") + end).status_code == 404
    assert "P-UPPER" not in stranger.get(reverse("accountability:ceremonies")).content.decode()
    helpers.withdrawn(world, "own", by="partner_head", promise="We sing each morning.")
    Pledge.objects.filter(set=of_set, half="own").update(audience="system")
    page = read(stranger, world)
    assert helpers.PROMISE in page
    assert "School N3" not in page
    assert "The school is rebuilt." not in page
    assert len(lines(stranger, world)) == 1
    assert "P-UPPER" in stranger.get(reverse("accountability:ceremonies")).content.decode()
    assert told_of(world, "minister") == [helpers.PROMISE]


def test_what_was_withdrawn_stands_with_its_reason_and_a_draft_does_not(
    world: World, sign_in: SignIn
) -> None:
    helpers.withdrawn(world)
    helpers.drafted(world, "other", promise=OTHER_PROMISE)
    for who in ("head", "partner_head"):
        page = read(sign_in(who), world)
        assert "The school is rebuilt." in page
        assert OTHER_PROMISE not in page
        assert "Nothing that was promised stands." in page
    assert lines(sign_in("head"), world)[0]["Why it was withdrawn"] == "The school is rebuilt."
    assert sign_in("other_head").get(address(world)).status_code == 404


def test_the_value_of_another_school_is_hidden_from_those_who_may_not_open_it(
    world: World, sign_in: SignIn
) -> None:
    a_run(world, {("N3", "Reading"): BRIGHT})
    pledge = self_scored(helpers.vowed(world, "other", audience="system", target=9.0))
    a_peer(world, pledge, "N4", 5)
    member, stranger = sign_in("head"), sign_in("other_head")
    page = read(member, world)
    assert page.count("+5.0 points") == 1
    assert page.count("Known then: the same as the baseline") == 2  # own score, peer
    page = read(stranger, world)
    assert "5.0 points" not in page
    assert "180 results" not in page
    assert "may open the page of that school" in page
    assert [row["Published value"] for row in lines(member, world)] == ["5.0"] * 3
    for row in lines(stranger, world):
        hidden = ("Published value", "Likely from", "Likely to", "Results of pupils")
        assert [row[name] for name in hidden] == [""] * 4
    assert "5.0 points" not in printed(stranger, world)
    PledgeScore.objects.update(known=pledge.baseline | {"value": 7.0, "run": str(uuid4())})
    assert "Known then: +7.0 points (likely between" in read(member, world)
    assert "7.0 points" not in read(stranger, world)


def test_a_peer_who_has_not_scored_sees_no_other_peers_score_anywhere(
    world: World, sign_in: SignIn
) -> None:
    pledge = self_scored(helpers.vowed(world))
    a_peer(world, pledge, "N4", 3)
    mine = a_peer(world, pledge, "N3", person=world.person("partner_head"))
    peer, leader = sign_in("partner_head"), sign_in("system_leader")
    assert "3 of 10" in read(leader, world)
    for text in (read(peer, world), printed(peer, world)):
        assert "8 of 10" in text
        assert "3 of 10" not in text
        assert "Seen by a peer of N4." not in text
    assert "shown once you have given your own score" in read(peer, world)
    assert [row["Score"] for row in lines(peer, world)] == ["", "8"]
    PledgeScore.objects.filter(pk=mine.pk).update(
        state=PledgeScore.State.SCORED, score=6, reason="x", scored_at=timezone.now()
    )
    assert "3 of 10" in read(peer, world)


def test_without_promises_the_page_says_so_and_an_unknown_cycle_is_not_found(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in("head")
    listed = client.get(reverse("accountability:ceremonies")).content.decode()
    assert "No ceremony to read yet" in listed
    page = read(client, world)
    assert "Nothing is promised here that you may read" in page
    assert 'id="learned"' not in page
    assert ".pdf" not in page
    assert printed(client, world)
    assert lines(client, world) == []
    cycle = helpers.a_cycle(world).pk
    for code, key in (("P-UPPER", cycle + 1), ("P-NOBODY", cycle), ("P-EAST", cycle)):
        assert client.get(pages.url(code, key)).status_code == 404
    listed = client.get(reverse("accountability:ceremonies")).content.decode()
    assert "Upper partnership, This year" in listed


# On paper and in files


def test_the_file_says_what_the_page_says(world: World, sign_in: SignIn) -> None:
    a_run(world)
    pledge = self_scored(helpers.vowed(world))
    a_peer(world, pledge, "N4", 5)
    helpers.vowed(world, "other", promise=OTHER_PROMISE)
    client = sign_in("partner_head")
    page, found = read(client, world), lines(client, world)
    assert [(row["Promise"], row["Who scores"], row["Score"]) for row in found] == [
        (helpers.PROMISE, "", ""),
        (helpers.PROMISE, "School N2 itself", "8"),
        (helpers.PROMISE, "A peer of School N4", "5"),
        (OTHER_PROMISE, "", ""),
    ]
    for row in found:
        assert row["Promise"] in page
        assert row["Why"] in page
        assert row["Both halves promised"] == "yes"
    assert found[0]["Published value"] == "5.0"
    assert found[0]["Results of pupils"] == "180"
    answer = client.get(address(world).removesuffix("/") + ".xlsx")
    assert answer.content[:2] == b"PK"


def test_on_paper_all_stands_and_nothing_is_to_press(world: World, sign_in: SignIn) -> None:
    a_run(world)
    pledge = self_scored(helpers.vowed(world))
    a_peer(world, pledge, "N4", 5)
    helpers.vowed(world, by="partner_head", promise="We sing each morning.")
    actions.tell_learned(pledge.set, LEARNED, by=world.cast["head"], seen=None)
    text = printed(sign_in("head"), world)
    for expected in (
        "Upper partnership", helpers.PROMISE, "We sing each morning.", "8 of 10", "5 of 10",
        "they do not see it alike", LEARNED, "tied to anybody’s pay", "+5.0 points",
    ):  # fmt: skip
        assert expected in text
    for button in ("Print it", "Tell it", "Download", "What did your school learn"):
        assert button not in text


def test_the_page_costs_the_same_for_few_promises_as_for_many(
    world: World, sign_in: SignIn
) -> None:
    a_run(world)
    a_peer(world, self_scored(helpers.vowed(world, "other")), "N4", 5)
    client = sign_in("teacher")
    client.get(address(world))
    with CaptureQueriesContext(connection) as few:
        client.get(address(world))
    a_peer(world, self_scored(helpers.vowed(world)), "N4", 5)
    for by, half in (("partner_head", "own"), ("system_leader", "own"), ("system_leader", "other")):
        a_peer(world, self_scored(helpers.vowed(world, half, by=by)), "N5", 5)
    with CaptureQueriesContext(connection) as many:
        client.get(address(world))
    assert len(many) <= len(few)


# What a school learned


def learned_url(world: World) -> str:
    return address(world) + "learned/"


def test_the_head_tells_what_was_learned_and_the_partnership_reads_it(
    world: World, sign_in: SignIn
) -> None:
    of_set = helpers.a_set(world)
    client = sign_in("head")
    assert "What did your school learn?" in read(client, world)
    sent = {"learned": LEARNED, "seen": of_set.version}
    answer = client.post(learned_url(world), sent)
    assert answer.status_code == 302
    of_set.refresh_from_db()
    assert (of_set.learned, of_set.version) == (LEARNED, 2)
    assert of_set.learned_by == world.cast["head"].label
    assert client.post(learned_url(world), sent).status_code == 302  # sent twice, said once
    entries = AuditEntry.objects.filter(action="accountability.tell_learned")
    assert entries.count() == 1
    assert "friend" not in str(entries.values())
    page = read(sign_in("partner_head"), world)
    assert LEARNED in page
    assert "Tell it" not in page
    assert {row["What the school learned"] for row in lines(client, world)} == {LEARNED}
    client.post(learned_url(world), {"learned": " ", "seen": 2})
    of_set.refresh_from_db()
    assert (of_set.learned, of_set.learned_by) == ("", "")


def test_who_does_not_answer_for_the_school_tells_nothing(world: World, sign_in: SignIn) -> None:
    of_set = helpers.a_set(world)
    for who, status in (("partner_head", 403), ("teacher", 403), ("minister", 403),
                        ("system_leader", 403), ("other_head", 404)):  # fmt: skip
        answer = sign_in(who).post(learned_url(world), {"learned": LEARNED})
        assert answer.status_code == status, who
        with pytest.raises(PermissionDenied):
            actions.tell_learned(of_set, LEARNED, by=world.cast[who], seen=None)
    of_set.refresh_from_db()
    assert of_set.learned == ""


def test_nothing_is_learned_from_a_draft(world: World, sign_in: SignIn) -> None:
    of_set = helpers.drafted(world).set
    assert 'id="learned"' not in read(sign_in("head"), world)
    assert sign_in("head").post(learned_url(world), {"learned": LEARNED}).status_code == 403
    with pytest.raises(PermissionDenied):
        actions.tell_learned(of_set, LEARNED, by=world.cast["head"], seen=None)


def test_an_overtaken_word_comes_back_beside_the_one_that_was_quicker(
    world: World, sign_in: SignIn
) -> None:
    of_set = helpers.a_set(world)
    actions.tell_learned(of_set, "Theirs was quicker.", by=world.cast["head"], seen=1)
    with pytest.raises(OvertakenError):
        actions.tell_learned(of_set, LEARNED, by=world.cast["head"], seen=1)
    client = sign_in("head")
    answer = client.post(learned_url(world), {"learned": LEARNED, "seen": 1})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert LEARNED in page
    assert page.count("Theirs was quicker.") == 2  # in the list, and beside the form
    assert 'name="seen" value="2"' in page
    assert client.post(learned_url(world), {"learned": LEARNED, "seen": 2}).status_code == 302


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("The girl Amina Otieno reads now.", "looks like the name of a pupil"),
        ("x" * 2001, "2000"),
        ("  ", "Write what you learned"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    world: World, sign_in: SignIn, typed: str, problem: str
) -> None:
    of_set = helpers.a_set(world)
    client = sign_in("head")
    answer = client.post(learned_url(world), {"learned": typed, "seen": 1})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert problem in page
    assert typed.strip() in page
    of_set.refresh_from_db()
    assert of_set.learned == ""
    with pytest.raises(ValidationError):
        actions.tell_learned(of_set, typed, by=world.cast["head"], seen=1)
    if "pupil" in problem:
        sent = {"learned": typed, "seen": 1, "names_no_pupil": "on"}
        assert client.post(learned_url(world), sent).status_code == 302


# The list, and the ways there


def test_the_list_names_partnerships_under_their_cycle_the_newest_first(
    world: World, sign_in: SignIn
) -> None:
    helpers.vowed(world, audience="system")
    helpers.vowed(world, by="other_head", audience="system", target=1.0)
    last = helpers.a_cycle(world, "Last year", -500, -60)
    PledgeSet.objects.filter(school=world.schools["E2"]).update(cycle=last)
    listed = [queries.as_ceremony(row) for row in queries.ceremonies(world.cast["minister"])]
    assert [(each.cycle_name, each.code) for each in listed] == [
        ("This year", "P-UPPER"), ("Last year", "P-EAST"),
    ]  # fmt: skip
    page = sign_in("minister").get(reverse("accountability:ceremonies")).content.decode()
    assert page.index("This year") < page.index("Last year")
    assert page.index("Upper partnership") < page.index("East partnership")


def test_ways_lead_there_from_the_overview_and_the_promises(world: World, sign_in: SignIn) -> None:
    there = reverse("accountability:ceremonies")
    for name in ("accountability:home", "accountability:pledges"):
        assert f'href="{there}"' in sign_in("teacher").get(reverse(name)).content.decode()


def test_without_an_appointment_nothing_is_read(world: World) -> None:
    helpers.vowed(world, audience="system")
    cycle = helpers.a_cycle(world)
    assert queries.own_set(None, world.partnerships["Upper"], cycle) is None
    assert queries.ceremony_with(None, "P-UPPER", cycle.pk) is None
    assert not queries.ceremonies(None).exists()
