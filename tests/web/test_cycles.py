"""Plan-do-study-act cycles: predicted first, measured, studied, followed; who sees what of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from brightspots_web.devolution import decision_follow_actions as follow
from brightspots_web.devolution import pdsa_actions as actions
from brightspots_web.devolution import pdsa_pages as pages
from brightspots_web.devolution import pdsa_queries as queries
from brightspots_web.devolution.models import Pdsa, PdsaPoint, PdsaTrace
from brightspots_web.directory.models import Appointment, Membership, Partnership
from brightspots_web.notices import queries as notices
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import decision_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.decision_helpers import cycle, in_days, plan, studied, value
from tests.web.world import World

URL = "/cycles/{}/"


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def left(world: World, code: str, days: int = 0) -> None:
    on = timezone.localdate() - timedelta(days=days)
    Membership.objects.filter(school=world.schools[code]).update(ends=on)


def seen_by(world: World, who: str, of: Pdsa) -> queries.Seen:
    return queries.seen(world.cast[who], of)


# Planning


def test_a_plan_has_a_prediction_and_days_that_fit(world: World) -> None:
    for changes, field in (
        ({"prediction": " "}, "prediction"),
        ({"measure": ""}, "measure"),
        ({"study_on": in_days(-40)}, "study_on"),
        ({"study_on": in_days(400)}, "study_on"),
    ):
        with pytest.raises(ValidationError) as refused:
            cycle(world, **changes)
        assert field in refused.value.message_dict
    assert not Pdsa.objects.exists()


def test_planned_twice_it_is_one(world: World) -> None:
    assert cycle(world).pk == cycle(world).pk


def test_what_all_schools_try_all_of_them_see(world: World) -> None:
    with pytest.raises(ValidationError) as refused:
        cycle(world, everywhere=True, shared=False)
    assert "shared" in refused.value.message_dict


def test_nobody_plans_for_another_school_or_partnership(world: World) -> None:
    upper, n2 = world.partnerships["Upper"], world.schools["N2"]
    for who in ("teacher", "partner_head", "system_leader", "minister", "other_head"):
        with pytest.raises(PermissionDenied):
            actions.begin(upper, plan(), by=world.cast[who], school=n2)


def test_before_the_first_value_a_prediction_changes_without_trace(world: World) -> None:
    of = cycle(world)
    actions.change(of, plan(prediction="Five of ten."), by=world.cast["head"], seen=1)
    assert not PdsaTrace.objects.exists()


def test_after_the_first_value_the_first_prediction_stays_visible(
    world: World, sign_in: SignIn
) -> None:
    of = cycle(world)
    value(world, of)
    for number, said in enumerate(("Five of ten.", "Four of ten."), start=1):
        actions.change(of, plan(prediction=said), by=world.cast["head"], seen=number)
    of.refresh_from_db()
    shown = pages.page(of, world.cast["partner_head"])["predictions"]
    assert [each["words"] for each in shown] == [
        "Six of ten read the page aloud by week six.", "Five of ten.", "Four of ten.",
    ]  # fmt: skip
    assert "predicted first" in shown[0]["when"]
    assert "when there was one value" in shown[1]["when"]
    page = sign_in("partner_head").get(URL.format(of.pk)).content.decode()
    assert "Six of ten read the page aloud by week six." in page


def test_on_the_day_to_study_it_the_prediction_leaves_its_trace_too(world: World) -> None:
    of = cycle(world, study_on=in_days(0))
    changed = plan(prediction="As it came.", study_on=in_days(9))
    actions.change(of, changed, by=world.cast["head"], seen=1)
    assert PdsaTrace.objects.get().was == "Six of ten read the page aloud by week six."


def test_of_two_who_change_it_the_later_is_told(world: World) -> None:
    of = cycle(world, everywhere=True)
    actions.change(of, plan(title="A"), by=world.cast["system_leader"], seen=1)
    with pytest.raises(OvertakenError):
        actions.change(of, plan(title="B"), by=world.cast["partner_head"], seen=1)


def test_what_is_shared_stays_shared(world: World) -> None:
    of = cycle(world, shared=False)
    shared = actions.change(of, plan(shared=True), by=world.cast["head"], seen=1)
    assert shared.shared
    with pytest.raises(ValidationError):
        actions.change(shared, plan(shared=False), by=world.cast["head"], seen=2)


# Values


def test_one_value_a_day_and_none_of_a_day_to_come(world: World) -> None:
    of = cycle(world)
    value(world, of, 3)
    assert value(world, of, 3) == PdsaPoint.objects.get()  # sent twice
    with pytest.raises(ValidationError, match="value of this day already"):
        value(world, of, 4)
    with pytest.raises(ValidationError, match="yet to come"):
        value(world, of, 4, days=1)
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(ValidationError, match="Write a number"):
            value(world, of, wrong, days=-2)


def test_values_from_before_the_test_are_welcome(world: World) -> None:
    of = cycle(world)
    assert value(world, of, 3, days=-50).on < of.starts
    with pytest.raises(ValidationError, match="more than a year"):
        value(world, of, 3, days=-500)


def test_a_teacher_measures_at_the_own_school_and_corrects_the_own_values(world: World) -> None:
    of, teacher = cycle(world), world.cast["teacher"]
    mine, heads = value(world, of, by="teacher"), value(world, of, days=-4)
    corrected = actions.correct_point(mine, actions.Value(mine.on, 5), by=teacher)
    assert corrected.value == 5
    with pytest.raises(PermissionDenied):
        actions.correct_point(heads, actions.Value(heads.on, 5), by=teacher)
    # Whoever runs the cycle may correct all of its values.
    actions.correct_point(mine, actions.Value(mine.on, 6), by=world.cast["head"])
    with pytest.raises(PermissionDenied):
        value(world, of, days=-3, by="partner_head")


def test_what_is_corrected_or_taken_out_leaves_its_trace(world: World) -> None:
    of, head = cycle(world), world.cast["head"]
    point = value(world, of, 3.5)
    actions.correct_point(point, actions.Value(point.on, 4), by=head)
    actions.correct_point(point, actions.Value(point.on, 4), by=head)  # nothing new: no trace
    actions.remove_point(point, by=head)
    with pytest.raises(ValidationError, match="taken this value out already"):
        actions.remove_point(point, by=head)
    traces = pages.page(of, head)["traces"]
    assert [("it was 3.5" in traces[0]), ("4 was taken out" in traces[1])] == [True, True]
    assert not PdsaPoint.objects.exists()


def test_a_value_is_not_moved_onto_another_day_that_has_one(world: World) -> None:
    of, head = cycle(world), world.cast["head"]
    point, other = value(world, of, 3), value(world, of, 4, days=-2)
    with pytest.raises(ValidationError, match="value of this day already"):
        actions.correct_point(point, actions.Value(other.on, 3), by=head)
    point.refresh_from_db()
    assert point.on == in_days(-5)
    assert not PdsaTrace.objects.exists()


# Study and act


def test_adopted_it_shows_what_was_found_and_offers_to_write_it_up(
    world: World, sign_in: SignIn
) -> None:
    of = cycle(world)
    value(world, of)
    done = studied(world, of)
    assert done.finished_on == in_days(0)
    page = sign_in("head").get(URL.format(of.pk)).content.decode()
    assert "More than we thought." in page
    assert "Write it up as a practice" in page
    assert "Write it up as a practice" not in sign_in("teacher").get(
        URL.format(of.pk)
    ).content.decode()  # fmt: skip


def test_without_any_value_it_can_be_abandoned_and_not_adopted(
    world: World, sign_in: SignIn
) -> None:
    of = cycle(world)
    with pytest.raises(ValidationError) as refused:
        studied(world, of, "adopt")
    assert "act" in refused.value.message_dict
    of.refresh_from_db()
    assert of.finished_on is None
    studied(world, of, "abandon")
    page = sign_in("head").get(URL.format(of.pk)).content.decode()
    assert "No value was written down." in page
    assert "abandoned, with what was learned" in page


def test_once_finished_nothing_of_it_changes(world: World) -> None:
    of = cycle(world)
    point = value(world, of)
    studied(world, of)
    head = world.cast["head"]
    for act in (
        lambda: value(world, of, days=-1),
        lambda: actions.correct_point(point, actions.Value(point.on, 9), by=head),
        lambda: actions.remove_point(point, by=head),
        lambda: actions.change(of, plan(prediction="As it came."), by=head, seen=None),
        lambda: studied(world, of, "abandon"),
    ):
        with pytest.raises(ValidationError, match="finished"):
            act()


def test_adapt_leads_to_a_next_cycle_and_the_ramp_shows_both(world: World, sign_in: SignIn) -> None:
    first = cycle(world)
    value(world, first)
    client = sign_in("head")
    with pytest.raises(ValidationError, match="adapt"):
        follows(world, first)
    studied(world, first, "adapt")
    first.refresh_from_db()
    second = follows(world, first)
    for each in (first, second):
        ramp = pages.page(each, world.cast["partner_head"])["ramp"]
        assert [step["cycle"].pk for step in ramp] == [first.pk, second.pk]
    page = client.get(f"/cycles/new/?follows={first.pk}")
    assert page.context["form"].initial["measure"] == first.measure
    assert "prediction" not in page.context["form"].initial  # to be predicted anew


def follows(world: World, first: Pdsa, **changes: Any) -> Pdsa:
    return actions.begin(
        world.partnerships["Upper"], plan(title="Next", **changes), by=world.cast["head"],
        school=world.schools["N2"], follows=first,
    )  # fmt: skip


def test_a_step_of_the_ramp_that_one_may_not_see_is_not_shown(world: World) -> None:
    first = cycle(world)
    value(world, first)
    studied(world, first, "adapt")
    first.refresh_from_db()
    secret = follows(world, first, shared=False)
    assert pages.page(first, world.cast["partner_head"])["ramp"] == []
    assert len(pages.page(first, world.cast["head"])["ramp"]) == 2
    assert secret not in queries.cycles_visible_to(world.cast["partner_head"])


def test_who_runs_it_is_told_once_that_it_is_time(world: World) -> None:
    cycle(world, study_on=in_days(0))
    cycle(world, "system_leader", title="All", everywhere=True, study_on=in_days(0))
    cycle(world, "partner_head", title="Later")
    assert follow.remind_of_cycles() == 2
    assert follow.remind_of_cycles() == 0
    assert any("Time to study a cycle: “Fours" in each for each in told(world, "head"))
    assert any("Time to study a cycle: “All" in each for each in told(world, "system_leader"))
    assert not told(world, "partner_head")


# What comes between


def test_a_value_corrected_after_a_school_left_stands_for_the_others_as_it_was(
    world: World,
) -> None:
    of = cycle(world)
    point = value(world, of, 3, days=-9)
    Pdsa.objects.update(at=timezone.now() - timedelta(days=40))
    PdsaPoint.objects.update(at=timezone.now() - timedelta(days=9))
    left(world, "N2", days=3)
    moved = actions.Value(in_days(-8), 77.25, 10, "Counted again")
    actions.correct_point(point, moved, by=world.cast["head"])
    assert [each.value for each in seen_by(world, "head", of).points] == [77.25]
    (theirs,) = seen_by(world, "partner_head", of).points
    assert (theirs.on, theirs.value, theirs.note) == (in_days(-9), 3, "")


def test_a_school_that_left_goes_on_and_the_others_keep_what_there_was(
    world: World, sign_in: SignIn
) -> None:
    of = cycle(world)
    value(world, of, 3, days=-9)
    Pdsa.objects.update(at=timezone.now() - timedelta(days=40))
    PdsaPoint.objects.update(at=timezone.now() - timedelta(days=9))
    left(world, "N2", days=3)
    value(world, of, 77.25, days=-1)
    studied(world, of, "adapt")
    of.refresh_from_db()
    assert [each.value for each in seen_by(world, "head", of).points] == [3, 77.25]
    partner = seen_by(world, "partner_head", of)
    assert [each.value for each in partner.points] == [3]
    assert not partner.shows_study
    paths = (f"/cycles/{of.pk}/", f"/cycles/{of.pk}/values.csv")
    lists = ("/partnerships/P-UPPER/cycles/", "/partnerships/P-UPPER/cycles.csv")
    for path in (*paths, *lists):
        answer = sign_in("partner_head").get(path)
        assert answer.status_code == 200, path
        body = answer.getvalue().decode()
        assert "77.25" not in body
        assert "More than we thought." not in body
        assert "adapted" not in body.replace('value="adapt"', "").replace(">adapted</option>", "")
    # The next one is the school's own: it is in no partnership, and goes on all the same.
    later = follows(world, of)
    assert not later.shared
    assert later not in queries.cycles_visible_to(world.cast["partner_head"])
    assert later in queries.cycles_visible_to(world.cast["head"])


def test_after_leaving_the_plan_is_not_rewritten_under_the_others_eyes(world: World) -> None:
    of = cycle(world)
    left(world, "N2")
    with pytest.raises(ValidationError, match="left the partnership"):
        actions.change(of, plan(test="Secret."), by=world.cast["head"], seen=None)


def test_when_partnerships_are_formed_anew_cycles_stay_readable_and_schools_own_go_on(
    world: World,
) -> None:
    own, common = cycle(world), cycle(world, title="All", everywhere=True)
    Pdsa.objects.update(at=timezone.now() - timedelta(days=20))
    today = timezone.localdate()
    upper = world.partnerships["Upper"]
    Membership.objects.filter(partnership=upper).update(ends=today)
    Partnership.objects.filter(pk=upper.pk).update(closed=today)
    new = Partnership.objects.create(code="P-NEW", name="New", formed=today)
    Membership.objects.create(partnership=new, school=world.schools["N2"], starts=today)
    left(world, "L1")
    Membership.objects.create(partnership=new, school=world.schools["L1"], starts=today)
    head = world.cast["head"]
    head.refresh_from_db()
    assert set(queries.cycles_visible_to(head)) == {own, common}
    assert value(world, own, 4).value == 4
    with pytest.raises(PermissionDenied):
        value(world, common, 4)
    assert common in queries.cycles_visible_to(world.cast["partner_head"])
    # The new partners see nothing of it.
    newcomer = helpers.head_of(world, "L1")
    assert not queries.cycles_visible_to(newcomer).exists()


def test_the_successor_of_a_school_reads_and_finishes_its_cycle(world: World) -> None:
    from brightspots_web.directory import succession_actions

    of = cycle(world, shared=False)
    succession_actions.close_school(
        world.schools["N2"], on=timezone.localdate(), successors=[world.schools["W1"]],
        by=world.cast["minister"],
    )  # fmt: skip
    heir = helpers.head_of(world, "W1")
    assert list(queries.cycles_visible_to(heir)) == [of]
    done = actions.study(
        of, by=heir, found="It stopped.", act="abandon", next_step="Nothing.", seen=None
    )
    assert done.finished_on is not None


def test_a_form_that_was_open_when_the_appointment_ended_is_refused(
    world: World, sign_in: SignIn
) -> None:
    of, client = cycle(world), sign_in("head")
    assert client.get(f"{URL.format(of.pk)}study/").status_code == 200
    Appointment.objects.filter(pk=world.cast["head"].pk).update(ends=timezone.localdate())
    sent = {"found": "x", "act": "abandon", "next_step": "y"}
    assert client.post(f"{URL.format(of.pk)}study/", sent).status_code == 403
    of.refresh_from_db()
    assert of.finished_on is None


# Nothing leaves


def test_no_officer_minister_or_analyst_sees_any_of_it(world: World, sign_in: SignIn) -> None:
    of = cycle(world)
    value(world, of)
    for who in ("minister", "analyst", "district_officer", "other_district_officer"):
        assert not queries.cycles_visible_to(world.cast[who]).exists()
        client = sign_in(who)
        for path in (URL.format(of.pk), "/partnerships/P-UPPER/cycles/"):
            assert client.get(path).status_code == 404


def test_the_audit_trail_has_neither_words_nor_values(world: World) -> None:
    secret = "Zebra"
    of = cycle(world, title=secret, prediction=secret, test=secret, measure=secret)
    point = value(world, of, 77.25)
    actions.correct_point(point, actions.Value(point.on, 78.5, note=secret), by=world.cast["head"])
    actions.study(of, by=world.cast["head"], found=secret, act="adopt", next_step=secret, seen=None)
    entries = AuditEntry.objects.filter(action__startswith="devolution.")
    assert entries.count() == 4
    for entry in entries:
        for hidden in (secret, "77.25", "78.5", "adopt"):
            assert hidden not in f"{entry.target} {entry.detail}"
