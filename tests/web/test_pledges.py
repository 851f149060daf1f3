"""Promises between equals: written, vowed, witnessed, looked after, taken back."""

from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from brightspots_web.accountability import pledge_actions as actions
from brightspots_web.accountability import pledge_check_in_actions as check_ins
from brightspots_web.accountability import pledge_pages as pages
from brightspots_web.accountability import pledge_queries as queries
from brightspots_web.accountability import pledge_time_actions as time_actions
from brightspots_web.accountability import pledge_witness_actions as witnesses
from brightspots_web.accountability import pledge_words as words
from brightspots_web.accountability.pledge_models import Pledge, PledgeCheckIn, PledgeSet
from brightspots_web.directory.models import Appointment, Membership
from brightspots_web.notices import queries as notices
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.pupil_names import MayNamePupilError
from tests.web import pledge_helpers as helpers
from tests.web.bright_spot_helpers import a_run
from tests.web.pledge_helpers import in_days, today
from tests.web.world import World

State = Pledge.State


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def readers(world: World, pledge: Pledge) -> set[str]:
    return {who for who, by in world.cast.items() if queries.pledge_with(by, pledge.pk)}


MEMBERS = {"system_leader", "head", "partner_head", "teacher", "former_head"}
"""`former_head` acts no more: the middleware gives that appointment to nobody."""


# Writing and promising


def test_a_draft_is_its_writers_and_a_vow_is_told_to_the_partnership(world: World) -> None:
    pledge = helpers.drafted(world)
    assert readers(world, pledge) - {"former_head"} == {"head"}
    assert helpers.drafted(world).pk == pledge.pk  # the same form sent twice
    with pytest.raises(PermissionDenied):
        actions.vow(pledge, by=world.cast["partner_head"], seen=None)
    vowed = actions.vow(pledge, by=world.cast["head"], seen=pledge.version)
    assert vowed.state == State.VOWED
    again = actions.vow(pledge, by=world.cast["head"], seen=pledge.version)
    assert again.version == vowed.version  # pressed twice, promised once
    assert readers(world, pledge) == MEMBERS
    assert any("School N2 has made a promise" in each for each in told(world, "partner_head"))
    assert not told(world, "head")
    assert not told(world, "other_head")


def test_who_cannot_promise_is_refused(world: World) -> None:
    cycle, text = helpers.a_cycle(world), helpers.words(world)
    for who in ("teacher", "minister", "district_officer", "analyst"):
        with pytest.raises(PermissionDenied):
            actions.write(text, cycle, by=world.cast[who])
    alone = Appointment.objects.create(
        person=world.person("nobody"), role="head", school=world.schools["W1"],
        starts=timezone.localdate(),
    )  # fmt: skip
    with pytest.raises(PermissionDenied):  # in no partnership: nobody to promise it to
        actions.write(text, cycle, by=alone)


def test_what_is_wrong_is_said_where(world: World) -> None:
    books = helpers.indicator(world, "Books read in a month")
    for half, changes, field in (
        ("own", {"promise": " "}, "promise"),
        ("own", {"will_do": ""}, "will_do"),
        ("own", {"due": today()}, "due"),
        ("own", {"due": in_days(2000)}, "due"),
        ("own", {"target": float("nan")}, "target"),
        ("own", {"audience": "all"}, "audience"),
        ("third", {}, "half"),
        ("other", {"other_school": None}, "other_school"),
        ("other", {"other_school": world.schools["N2"]}, "other_school"),
        ("other", {"other_school": world.schools["E1"]}, "other_school"),
        ("own", {"indicator": foreign_indicator(world)}, "measure"),
    ):
        with pytest.raises(ValidationError) as refused:
            helpers.drafted(world, half, **changes)
        assert field in refused.value.message_dict, changes
    with pytest.raises(MayNamePupilError):
        helpers.drafted(world, promise="The pupil Amina reads by June.")
    named = helpers.drafted(world, promise="The pupil Amina reads by June.", names_no_pupil=True)
    with pytest.raises(ValidationError, match="a promise on this measure"):
        helpers.drafted(world)
    assert helpers.drafted(world, indicator=books).set == named.set
    assert PledgeSet.objects.count() == 1


def foreign_indicator(world: World):  # type: ignore[no-untyped-def] # a row of the register
    from tests.web import living_helpers

    return living_helpers.indicator(world, "Days at school")


def test_a_set_without_its_second_half_says_so_until_it_is_promised(world: World) -> None:
    own = helpers.vowed(world)
    reader = world.cast["partner_head"]

    def said() -> str:
        found = queries.set_with(reader, own.set_id)
        assert found is not None
        return words.incomplete(found)

    assert "second half is not promised yet" in said()
    assert "second half is not promised yet" in pages.page(own, reader)["incomplete"]
    second = helpers.drafted(world, "other")
    assert "second half is not promised yet" in said()
    second = actions.vow(second, by=world.cast["head"], seen=None)
    assert said() == ""
    actions.withdraw(second, "They closed.", by=world.cast["head"], seen=None)
    assert "second half is not promised yet" in said()


def test_two_who_change_a_draft_at_once_and_what_is_promised_stays(world: World) -> None:
    pledge, head = helpers.drafted(world), world.cast["head"]
    changed = actions.change(pledge, helpers.words(world, target=4.0), by=head, seen=pledge.version)
    assert changed.target == 4.0
    with pytest.raises(OvertakenError):
        actions.change(pledge, helpers.words(world), by=head, seen=pledge.version)
    with pytest.raises(OvertakenError):
        actions.discard(pledge, by=head, seen=pledge.version)
    actions.vow(pledge, by=head, seen=changed.version)
    with pytest.raises(ValidationError, match="stays as it was said"):
        actions.change(pledge, helpers.words(world), by=head, seen=None)
    with pytest.raises(ValidationError, match="stays as it was said"):
        actions.discard(pledge, by=head, seen=None)


def test_a_draft_thrown_away_leaves_nothing(world: World) -> None:
    pledge = helpers.drafted(world)
    actions.discard(pledge, by=world.cast["head"], seen=pledge.version)
    assert not Pledge.objects.exists()
    assert not PledgeSet.objects.exists()


def test_it_is_read_wider_when_the_school_wishes_and_by_the_school_it_counts(world: World) -> None:
    pledge, head = helpers.vowed(world), world.cast["head"]
    pledge = actions.tell_wider(pledge, "area", by=head, seen=pledge.version)
    area = MEMBERS | {"minister", "analyst", "district_officer"}
    assert readers(world, pledge) == area
    pledge = actions.tell_wider(pledge, "system", by=head, seen=None)
    assert readers(world, pledge) == set(world.cast)
    pledge = actions.tell_wider(pledge, "partnership", by=head, seen=None)
    assert readers(world, pledge) == MEMBERS
    second = helpers.vowed(world, "other", by="other_head", other_school=world.schools["E3"])
    assert readers(world, second) == {"other_head", "other_system_leader"}


# Witnesses


def test_a_witness_of_another_partnership_reads_it_and_stands_by_it(world: World) -> None:
    pledge = helpers.vowed(world, by="other_head")
    able = {each.person_id for each in queries.may_witness(pledge)}
    assert able == {world.person("other_system_leader").pk}
    mine = helpers.vowed(world)
    assert world.person("head").pk not in {e.person_id for e in queries.may_witness(mine)}
    for who in ("head", "teacher", "minister", "other_head"):
        with pytest.raises(ValidationError):
            witnesses.ask(mine, [world.person(who)], by=world.cast["head"])
    asked = helpers.asked(world, mine)
    helpers.asked(world, mine)
    assert asked.witnesses.count() == 1
    assert told(world, "partner_head")[0] == (
        "School N2 asks you to stand by its promise as a witness."
    )
    partner = world.cast["partner_head"]
    assert [each["url"] for each in pages.front_items(partner)] == [pages.url(mine)]
    with pytest.raises(PermissionDenied):
        witnesses.answer(mine, by=world.cast["system_leader"], accepts=True)
    with pytest.raises(ValidationError, match="answer a reason"):
        witnesses.answer(mine, by=partner, accepts=False)
    witnesses.answer(mine, by=partner, accepts=True, words="I come in March.")
    assert helpers.fresh(mine).state == State.WITNESSED
    assert "School N3 stands by your promise." in told(world, "head")
    assert pages.front_items(partner) == []
    # The witness may think again; then nobody stands by it.
    witnesses.answer(mine, by=partner, accepts=False, words="We are rebuilding.")
    assert helpers.fresh(mine).state == State.VOWED


def test_a_witness_who_leaves_is_marked_once_and_another_is_asked_for(world: World) -> None:
    pledge = helpers.witnessed(world)
    Appointment.objects.filter(pk=world.cast["partner_head"].pk).update(ends=today())
    assert time_actions.look_after() == 1
    assert time_actions.look_after() == 0
    assert helpers.witness(pledge).state == "left"
    page = pages.page(helpers.fresh(pledge), world.cast["head"])
    assert "The witness has left: Partner Head" in page["needs_witness"]
    assert helpers.fresh(pledge).state == State.WITNESSED  # it was promised before somebody
    assert any("has left. Ask another" in each for each in told(world, "head"))
    with pytest.raises(PermissionDenied):
        witnesses.answer(pledge, by=world.cast["partner_head"], accepts=True)
    new = Appointment.objects.create(
        person=world.person("nobody"), role="head", school=world.schools["N3"], starts=today()
    )
    witnesses.ask(pledge, [new.person], by=world.cast["head"])
    witnesses.answer(pledge, by=new, accepts=True)
    assert pages.page(helpers.fresh(pledge), world.cast["head"])["needs_witness"] == ""


# How it goes


def test_a_check_in_sent_twice_is_one_and_stuck_asks_for_help(world: World) -> None:
    pledge, key, head = helpers.witnessed(world), uuid4(), world.cast["head"]
    given = {"on": today(), "going": "stuck", "words": "Our books have not come."}
    first = check_ins.check_in(pledge, key, by=head, **given)
    assert check_ins.check_in(pledge, key, by=head, **given) == first
    assert PledgeCheckIn.objects.count() == 1
    assert any("is stuck with its promise" in each for each in told(world, "system_leader"))
    assert any("is stuck with its promise" in each for each in told(world, "partner_head"))
    other = helpers.vowed(world, by="other_head")
    with pytest.raises(PermissionDenied):
        check_ins.check_in(other, key, by=world.cast["other_head"], **given)
    with pytest.raises(PermissionDenied):
        check_ins.check_in(pledge, uuid4(), by=world.cast["partner_head"], **given)
    for changes, field in (
        ({"on": in_days(1)}, "on"), ({"going": "badly"}, "going"), ({"words": " "}, "words"),
    ):  # fmt: skip
        with pytest.raises(ValidationError) as refused:
            check_ins.check_in(pledge, uuid4(), by=head, **given | changes)
        assert field in refused.value.message_dict


def test_reminders_come_once_after_six_weeks_and_on_the_day(world: World) -> None:
    pledge = helpers.vowed(world, due=in_days(90))
    assert time_actions.look_after(in_days(41)) == 0
    assert time_actions.look_after(in_days(42)) == 1
    assert time_actions.look_after(in_days(43)) == 0
    assert "How does your promise go? Three lines are enough." in told(world, "head")
    helpers.a_check_in(world, pledge)
    assert helpers.fresh(pledge).reminded == ""
    assert time_actions.look_after(in_days(90)) == 1
    assert time_actions.look_after(in_days(91)) == 0
    assert any("The day of your promise has come" in each for each in told(world, "head"))


def test_withdrawn_with_a_reason_it_stays_and_takes_nothing_more(world: World) -> None:
    pledge, head = helpers.witnessed(world), world.cast["head"]
    with pytest.raises(ValidationError) as refused:
        actions.withdraw(pledge, " ", by=head, seen=None)
    assert "why" in refused.value.message_dict
    with pytest.raises(PermissionDenied):
        actions.withdraw(pledge, "No.", by=world.cast["partner_head"], seen=None)
    with pytest.raises(OvertakenError):
        actions.withdraw(pledge, "Rebuilt.", by=head, seen=pledge.version - 1)
    gone = actions.withdraw(pledge, "Our school is rebuilt.", by=head, seen=pledge.version)
    assert readers(world, gone) == MEMBERS
    page = pages.page(gone, world.cast["partner_head"])
    assert "Our school is rebuilt." in page["standing"]
    assert "answer_form" not in page
    for act in (
        lambda: actions.withdraw(gone, "Again.", by=head, seen=None),
        lambda: helpers.a_check_in(world, gone),
        lambda: helpers.evidence(world, gone),
        lambda: witnesses.ask(gone, [world.person("system_leader")], by=head),
        lambda: witnesses.answer(gone, by=world.cast["partner_head"], accepts=True),
        lambda: check_ins.draw_value(gone, by=head),
    ):
        with pytest.raises(ValidationError):
            act()
    assert "School N2 has withdrawn a promise, and says why." in told(world, "partner_head")


def test_the_audit_trail_says_that_and_never_what(world: World) -> None:
    secret = "Zebra"
    a_run(world)
    helpers.drafted(world, "other", promise=f"{secret} for all.")
    actions.discard(Pledge.objects.get(), by=world.cast["head"], seen=None)
    pledge = helpers.witnessed(world, promise=f"{secret} for us.", will_do=secret, needs=secret)
    actions.tell_wider(pledge, "area", by=world.cast["head"], seen=None)
    helpers.a_check_in(world, pledge, words=secret)
    check_ins.remove(helpers.evidence(world, pledge, words=secret), by=world.cast["head"])
    check_ins.draw_value(pledge, by=world.cast["head"])
    actions.withdraw(pledge, secret, by=world.cast["head"], seen=None)
    entries = AuditEntry.objects.filter(action__startswith="accountability.")
    assert set(entries.values_list("action", flat=True)) == {
        f"accountability.{verb}"
        for verb in (
            "write_pledge", "discard_pledge", "vow", "ask_witness", "answer_as_witness",
            "tell_wider", "check_in", "show_evidence", "remove_evidence", "withdraw_pledge",
        )
    }  # fmt: skip
    for entry in entries:
        assert secret not in f"{entry.target} {entry.detail}"
    assert audit.first_broken_link() is None


def test_a_head_from_beyond_the_partnership_reads_it_once_asked_and_acts_on_it_in_no_other_way(
    world: World,
) -> None:
    Membership.objects.filter(school=world.schools["N4"]).delete()
    beyond = Appointment.objects.create(
        person=world.person("nobody"), role="head", school=world.schools["N4"], starts=today()
    )
    pledge = helpers.vowed(world)
    assert queries.pledge_with(beyond, pledge.pk) is None
    assert beyond.person_id in {each.person_id for each in queries.may_witness(pledge)}
    witnesses.ask(pledge, [beyond.person], by=world.cast["head"])
    assert queries.pledge_with(beyond, pledge.pk) == pledge
    witnesses.answer(pledge, by=beyond, accepts=True)
    assert helpers.fresh(pledge).state == State.WITNESSED
    assert queries.pledge_with(beyond, pledge.pk) == pledge
    with pytest.raises(PermissionDenied):
        actions.withdraw(pledge, "Not ours.", by=beyond, seen=None)
    with pytest.raises(PermissionDenied):
        actions.tell_wider(pledge, "system", by=beyond, seen=None)
    Appointment.objects.filter(pk=beyond.pk).update(ends=today())
    assert time_actions.look_after() == 1
    assert queries.pledge_with(beyond, pledge.pk) is None
