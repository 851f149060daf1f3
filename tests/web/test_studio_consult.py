"""Schools are asked about a proposal; it is adopted on a day, for an area or all, or called off."""

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from brightspots_web.connectedness import (
    actions,
    studio_actions,
    studio_consult_actions,
    studio_consult_queries,
    studio_queries,
)
from brightspots_web.connectedness.models import ConsultationReply, Proposal
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Membership, Partnership, School
from brightspots_web.notices import queries as notices
from brightspots_web.notices.models import Notice
from brightspots_web.shared.overtaken import OvertakenError
from tests.web.conftest import SignIn
from tests.web.studio_helpers import GROUPS, label, proposed, together
from tests.web.world import World


def soon(days: int = 14) -> date:
    return timezone.localdate() + timedelta(days=days)


@pytest.fixture
def proposal(world: World) -> Proposal:
    return proposed(world)


@pytest.fixture
def asked(world: World, proposal: Proposal) -> Proposal:
    studio_consult_actions.consult(proposal, soon(), by=world.cast["district_officer"], version=1)
    proposal.refresh_from_db()
    return proposal


def reply(world: World, proposal: Proposal, who: str, answer: str = "agrees", **terms: Any) -> Any:
    return studio_consult_actions.reply(proposal, by=world.cast[who], answer=answer, **terms)


def members_on(day: date) -> dict[str, set[str]]:
    """Code of the partnership -> codes of its schools, on a day."""
    found: dict[str, set[str]] = {}
    rows = directory.live_memberships(day).values_list("partnership__code", "school__code")
    for partnership, school in rows:
        found.setdefault(partnership, set()).add(school)
    return found


TODAY = {
    "P-UPPER": {"N1", "N2", "N3", "N4", "N5", "N6"},
    "P-LOWER": {"L1", "L2", "L3", "L4"},
    "P-EAST": {"E1", "E2", "E3"},
}


def after(proposal: Proposal) -> dict[str, set[str]]:
    return {
        "P-LOWER": TODAY["P-LOWER"],  # the same schools and leader: it stays
        "P-EAST": TODAY["P-EAST"],  # outside the area
        f"{proposal.pk}-{label(proposal, 'N1')}": set(GROUPS["N1"]),
        f"{proposal.pk}-{label(proposal, 'N5')}": set(GROUPS["N5"]),
    }


# Asking and answering


def test_heads_are_told_find_it_on_their_front_page_and_answer(
    world: World, asked: Proposal, sign_in: SignIn
) -> None:
    told = {notice.person.email.split("@")[0] for notice in Notice.objects.all()}
    assert told == {"head", "partner_head", "system_leader"}
    lines = notices.lines(list(Notice.objects.filter(person=world.person("head"))))
    assert "A partnership is proposed for your school" in str(lines[0])
    client = sign_in("head")
    front = client.get(reverse("home:school", args=["N2"])).content.decode()
    url = reverse("connectedness:consultation", args=[asked.pk])
    assert url in front
    page = client.get(url).content.decode()
    for name in GROUPS["N1"]:
        assert f"School {name}" in page
    assert "School N5" not in page
    data = {"answer": "agrees", "about": "N1,N2,N3,N4", "seen": ""}
    done = client.post(url, data, follow=True).content.decode()
    assert "Thank you." in done
    assert "your school agrees" in done
    given = ConsultationReply.objects.get()
    assert (given.school.code, given.answer, given.about) == ("N2", "agrees", GROUPS["N1"])
    assert url not in client.get(reverse("home:school", args=["N2"])).content.decode()


def test_a_concern_needs_words(world: World, asked: Proposal, sign_in: SignIn) -> None:
    with pytest.raises(ValidationError, match="few words"):
        reply(world, asked, "head", "concern", reason="  ")
    url = reverse("connectedness:consultation", args=[asked.pk])
    data = {"answer": "concern", "reason": "", "about": "N1,N2,N3,N4", "seen": ""}
    page = sign_in("head").post(url, data).content.decode()
    assert "Say in a few words" in page
    assert not ConsultationReply.objects.exists()


def test_an_answer_about_something_else_is_not_taken_and_not_lost(
    world: World, asked: Proposal, sign_in: SignIn
) -> None:
    studio_actions.move(
        asked, world.schools["N4"], label(asked, "N5"),
        by=world.cast["district_officer"], version=None,
    )  # fmt: skip
    with pytest.raises(OvertakenError):
        reply(world, asked, "head", about=GROUPS["N1"])
    url = reverse("connectedness:consultation", args=[asked.pk])
    data = {"answer": "concern", "reason": "Far.", "about": "N1,N2,N3,N4", "seen": ""}
    page = sign_in("head").post(url, data)
    text = page.content.decode()
    assert page.status_code == 409
    assert "changed while you were reading" in text
    assert "Far." in text
    assert 'value="N1,N2,N3"' in text


def test_two_who_answer_for_a_school_do_not_overwrite_each_other_unseen(
    world: World, asked: Proposal
) -> None:
    other = Appointment.objects.create(
        person=world.person("nobody"), role="head", school=world.schools["N2"],
        starts=timezone.localdate(),
    )  # fmt: skip
    reply(world, asked, "head", seen="")
    with pytest.raises(OvertakenError, match="answered for your school"):
        studio_consult_actions.reply(
            asked, by=other, answer="concern", reason="No.", about=GROUPS["N1"], seen=""
        )
    assert ConsultationReply.objects.get().answer == "agrees"


def test_answers_are_out_of_date_once_the_partnership_changes(
    world: World, asked: Proposal
) -> None:
    reply(world, asked, "head")
    reply(world, asked, "system_leader", "concern", reason="The bridge.")
    before = Notice.objects.count()
    studio_actions.move(
        asked, world.schools["L4"], label(asked, "N5"),
        by=world.cast["district_officer"], version=None,
    )  # fmt: skip
    counts = studio_consult_queries.tally(studio_consult_queries.answers(asked))
    assert (counts.agree, counts.concern, counts.silent, counts.out_of_date) == (1, 1, 8, 0)
    assert Notice.objects.count() == before  # nobody answers for L4, N5 or their partners
    studio_actions.move(
        asked, world.schools["N4"], label(asked, "N5"),
        by=world.cast["district_officer"], version=None,
    )  # fmt: skip
    rows = {row.school.code: row for row in studio_consult_queries.answers(asked)}
    assert {code for code, row in rows.items() if row.out_of_date} == {"N1", "N2"}
    assert Notice.objects.filter(kind=studio_actions.CHANGED).count() == 3


def test_nobody_answers_after_the_day_or_for_another_school(
    world: World, asked: Proposal, sign_in: SignIn
) -> None:
    for who in ("other_head", "teacher", "minister"):
        with pytest.raises(PermissionDenied):
            reply(world, asked, who)
    Proposal.objects.update(consult_until=soon(-1))
    with pytest.raises(ValidationError, match="until"):
        reply(world, asked, "head")
    url = reverse("connectedness:consultation", args=[asked.pk])
    page = sign_in("head").get(url).content.decode()
    assert "The time to answer is over" in page
    assert "Send the answer" not in page


def test_schools_are_not_asked_until_yesterday(world: World, proposal: Proposal) -> None:
    with pytest.raises(ValidationError, match="past"):
        studio_consult_actions.consult(proposal, soon(-1), by=world.cast["minister"], version=None)


def test_the_officer_sees_and_takes_along_what_schools_say(
    world: World, asked: Proposal, sign_in: SignIn
) -> None:
    reply(world, asked, "head", "concern", reason="=The bridge.")
    client = sign_in("district_officer")
    url = reverse("connectedness:replies", args=[asked.pk])
    assert "The bridge." in client.get(url, {"show": "concern"}).content.decode()
    assert "The bridge." not in client.get(url, {"show": "silent"}).content.decode()
    assert client.get(url, {"show": "nonsense"}).status_code == 200
    export = reverse("connectedness:replies_export", args=[asked.pk, "csv"])
    text = b"".join(client.get(export)).decode("utf-8-sig")
    rows = {row["Code"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["N2"]["Answer"] == "has a concern"
    assert rows["N2"]["In their words"] == "'=The bridge."  # no formula in a spreadsheet
    assert rows["N3"]["Answer"] == ""


# Adopting


def test_until_the_day_the_old_hold_and_on_it_the_new(world: World, proposal: Proposal) -> None:
    day = soon()
    actions.adopt(proposal, by=world.cast["district_officer"], on=day, version=1)
    assert members_on(timezone.localdate()) == TODAY
    assert members_on(day - timedelta(days=1)) == TODAY
    assert members_on(day) == after(proposal)
    seen = directory.partnerships_visible_to(world.cast["minister"])
    assert set(seen.values_list("code", flat=True)) == set(TODAY)
    partners = directory.schools_visible_to(world.cast["head"]).values_list("code", flat=True)
    assert set(partners) == TODAY["P-UPPER"]
    leader = Appointment.objects.get(pk=world.cast["system_leader"].pk)
    assert leader.ends == day
    assert directory.live_leaders().filter(pk=leader.pk).exists()
    proposal.refresh_from_db()
    assert (proposal.status, proposal.adopt_on) == ("adopted", day)


def test_every_school_is_in_one_partnership_on_every_day(world: World, proposal: Proposal) -> None:
    actions.adopt(proposal, by=world.cast["minister"], on=soon(10))
    second = proposed(world, {"N2": ["N1", "N2"], "L1": GROUPS["L1"]}, job=8)
    actions.adopt(second, by=world.cast["minister"], on=soon(20))
    for day in (0, 9, 10, 19, 20, 400):
        schools = list(directory.live_memberships(soon(day)).values_list("school", flat=True))
        assert len(schools) == len(set(schools)), day
    assert members_on(soon(19)) == after(proposal)
    assert members_on(soon(20))[f"{second.pk}-{label(second, 'N2')}"] == {"N1", "N2"}


def test_a_plan_is_not_laid_upon_another(world: World, proposal: Proposal) -> None:
    actions.adopt(proposal, by=world.cast["minister"], on=soon(10))
    second = proposed(world, {"N2": ["N1", "N2"]}, job=8)
    for day in (soon(10), soon(3), timezone.localdate()):
        with pytest.raises(ValidationError, match="Call those off first"):
            actions.adopt(second, by=world.cast["minister"], on=day)
    assert members_on(soon(10)) == after(proposal)


def test_called_off_it_is_as_if_it_had_never_been(world: World, proposal: Proposal) -> None:
    before = (
        list(Membership.objects.order_by("pk").values()),
        list(Partnership.objects.order_by("pk").values()),
        list(Appointment.objects.order_by("pk").values()),
    )
    actions.adopt(proposal, by=world.cast["district_officer"], on=soon(), version=1)
    actions.call_off(proposal, by=world.cast["district_officer"], version=2)
    now = (
        list(Membership.objects.order_by("pk").values()),
        list(Partnership.objects.order_by("pk").values()),
        list(Appointment.objects.order_by("pk").values()),
    )
    assert now == before
    proposal.refresh_from_db()
    assert (proposal.status, proposal.adopt_on, proposal.version) == ("proposed", None, 3)
    actions.adopt(proposal, by=world.cast["district_officer"], version=3)
    assert members_on(timezone.localdate()) == after(proposal)
    with pytest.raises(ValidationError, match="have begun"):
        actions.call_off(proposal, by=world.cast["district_officer"])


@pytest.mark.parametrize("left", [5, 30, 400])
def test_called_off_an_appointment_ends_when_it_was_to_end_anyway(
    world: World, proposal: Proposal, left: int
) -> None:
    """Before, on and after the day of the plan: nobody leads longer than was agreed."""
    led = Appointment.objects.filter(role="system_leader", partnership=world.partnerships["Upper"])
    led.update(ends=soon(left))
    actions.adopt(proposal, by=world.cast["district_officer"], on=soon(30), version=1)
    assert set(led.values_list("ends", flat=True)) == {min(soon(left), soon(30))}
    actions.call_off(proposal, by=world.cast["district_officer"], version=2)
    assert set(led.values_list("ends", flat=True)) == {soon(left)}


def test_what_reaches_across_the_border_is_left_alone_and_said(
    world: World, sign_in: SignIn
) -> None:
    """E1 of South joins Lower: its schools in North belong to nobody's proposal for North."""
    Membership.objects.filter(school__code="E1").update(partnership=world.partnerships["Lower"])
    within = studio_queries.schools_to_form(world.areas["North"])
    assert set(within.values_list("code", flat=True)) == TODAY["P-UPPER"]
    proposal = proposed(world, {"N1": GROUPS["N1"], "N5": GROUPS["N5"]})
    page = sign_in("district_officer").get(reverse("connectedness:proposal", args=[proposal.pk]))
    assert "These partnerships stay as they are" in page.content.decode()
    assert "Lower partnership" in page.content.decode()
    actions.adopt(proposal, by=world.cast["district_officer"])
    now = members_on(timezone.localdate())
    assert now["P-LOWER"] == TODAY["P-LOWER"] | {"E1"}
    assert now["P-EAST"] == {"E2", "E3"}
    assert "P-UPPER" not in now


def test_a_school_that_joined_a_partnership_across_the_border_is_not_torn_out(
    world: World, proposal: Proposal
) -> None:
    Membership.objects.filter(school__code="L4").update(partnership=world.partnerships["East"])
    with pytest.raises(ValidationError, match=r"School L4 \(East partnership\)"):
        actions.adopt(proposal, by=world.cast["district_officer"])
    assert members_on(timezone.localdate())["P-UPPER"] == TODAY["P-UPPER"]
    proposal.refresh_from_db()
    assert proposal.status == "proposed"


def test_nobody_leads_two_partnerships(world: World, proposal: Proposal, sign_in: SignIn) -> None:
    """East, which reaches into North, is led from N5, which is proposed to lead here too."""
    Partnership.objects.filter(code="P-EAST").update(lead_school=world.schools["N5"])
    Membership.objects.filter(school__code="N6").update(partnership=world.partnerships["East"])
    page = sign_in("district_officer").get(reverse("connectedness:proposal", args=[proposal.pk]))
    assert "Somebody would lead two partnerships" in page.content.decode()
    with pytest.raises(ValidationError, match="lead a partnership that stays"):
        actions.adopt(proposal, by=world.cast["district_officer"])


def test_schools_closed_by_the_day_hold_an_adoption_up(world: World, proposal: Proposal) -> None:
    School.objects.filter(code="N4").update(closed=soon(7))
    with pytest.raises(ValidationError, match="School N4"):
        actions.adopt(proposal, by=world.cast["minister"], on=soon(7))
    actions.adopt(proposal, by=world.cast["minister"], on=soon(6))
    assert "N4" not in members_on(soon(7))[f"{proposal.pk}-{label(proposal, 'N1')}"]


def test_adoption_is_all_or_nothing(
    world: World, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_args: Any, **_terms: Any) -> int:
        raise RuntimeError("the power went")

    monkeypatch.setattr(actions, "notify", fails)
    with pytest.raises(RuntimeError):
        actions.adopt(proposal, by=world.cast["minister"])
    assert members_on(timezone.localdate()) == TODAY
    proposal.refresh_from_db()
    assert (proposal.status, proposal.version) == ("proposed", 1)


def test_the_page_adopts_on_a_day_and_tells_the_heads(
    world: World, asked: Proposal, sign_in: SignIn
) -> None:
    client = sign_in("district_officer")
    url = reverse("connectedness:adopt", args=[asked.pk])
    day = soon(30)
    refused = client.post(url, {"on": soon(-1).isoformat(), "version": asked.version})
    assert "This day is past" in refused.content.decode()
    old = client.post(url, {"on": day.isoformat(), "version": 1})
    assert old.status_code == 409
    assert day.isoformat() in old.content.decode()
    done = client.post(url, {"on": day.isoformat(), "version": asked.version}, follow=True)
    assert "That day has not come" in done.content.decode()
    assert Notice.objects.filter(kind=actions.ADOPTED).count() == 3
    head = sign_in("head").get(reverse("connectedness:consultation", args=[asked.pk]))
    assert "This was adopted and holds from" in head.content.decode()


def test_withdrawn_it_stays_on_record_for_those_who_answered(
    world: World, asked: Proposal, sign_in: SignIn
) -> None:
    reply(world, asked, "head")
    actions.withdraw(asked, by=world.cast["district_officer"])
    assert together(asked)["N1"] == set(GROUPS["N1"])
    page = sign_in("head").get(reverse("connectedness:consultation", args=[asked.pk]))
    assert "This proposal was withdrawn" in page.content.decode()
    assert ConsultationReply.objects.count() == 1
    assert list(asked.changes.values_list("kind", flat=True)) == ["withdraw", "consult"]


# Comparing


def test_two_proposals_side_by_side(world: World, proposal: Proposal, sign_in: SignIn) -> None:
    other = proposed(world, {"N2": GROUPS["N1"], "L1": ["L1", "L2", "L3", "L4", "N5", "N6"]}, job=8)
    client = sign_in("district_officer")
    url = reverse("connectedness:compare", args=[proposal.pk])
    text = client.get(url, {"other": other.pk}).content.decode()
    assert "2 schools have other partners" in text  # N5 and N6; the leader alone is no difference
    assert client.get(url, {"other": "999"}).status_code == 404
    system = proposed(world, area=None, job=9)
    assert client.get(url, {"other": system.pk}).status_code == 404


def test_who_changes_does_not_hang_on_names_or_leaders() -> None:
    state, group = studio_queries.State, studio_queries.Group
    one = state({"a": group("a", 1, (1, 2, 3)), "b": group("b", 4, (4, 5, 6))})
    same = state({"x": group("x", 5, (6, 5, 4)), "y": group("y", 3, (3, 2, 1))})
    assert studio_queries.differing(one, same) == set()
    other = state({"x": group("x", 4, (4, 5, 6, 3)), "y": group("y", 1, (1, 2))})
    assert studio_queries.differing(one, other) == {3}
    assert studio_queries.differing(one, state({"y": group("y", 1, (1, 2, 3))})) == {4, 5, 6}
    split = state({"x": group("x", 1, (1, 2)), "y": group("y", 3, (3,)), "z": one.groups["b"]})
    assert studio_queries.differing(one, split) == {3}
