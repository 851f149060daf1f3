"""Support ends later once both schools agree: the ledger holds, and nobody is overruled."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.connectedness import support_deployment_actions as under_way
from brightspots_web.connectedness import support_extension_actions as actions
from brightspots_web.connectedness import support_ledger_queries as ledger
from brightspots_web.connectedness.models import (
    ConnectednessSettings,
    Deployment,
    DeploymentExtension,
)
from brightspots_web.notices import queries as notices
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import support_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import World

WHY = "(Invented.) The third class starts after the holidays."


def in_days(days: int) -> date:
    return helpers.today() + timedelta(days=days)


def proposed(deployment: Deployment, world: World, **more: Any) -> DeploymentExtension:
    """N2, which receives, proposes a month more."""
    terms: dict[str, Any] = {"exit_on": in_days(90), "days": deployment.days, "why": WHY}
    by = more.pop("by", None) or helpers.a_head(world, "N2")
    return actions.propose_extension(deployment, by=by, **terms | more)


def kinds_for(world: World, who: str) -> set[str]:
    found = notices.notices_of(world.cast[who].person)
    return {each.kind.removeprefix("connectedness.support_") for each in found}


class TestBothSides:
    def test_nothing_changes_before_the_other_school_agrees(self, world: World) -> None:
        deployment = helpers.begun(world)  # 4 days, ends in 60
        extension = proposed(deployment, world, days=Decimal(6))
        deployment.refresh_from_db()
        assert (deployment.exit_on, deployment.days) == (in_days(60), Decimal(4))
        assert "extension_proposed" in kinds_for(world, "system_leader")
        actions.agree_extension(extension, by=helpers.a_head(world, "N1"))
        deployment.refresh_from_db()
        assert (deployment.exit_on, deployment.days) == (in_days(90), Decimal(6))
        giver = deployment.giver_id
        assert giver is not None
        assert ledger.ledger_of(giver, deployment.starts.year).agreed == 6
        for who in ("head", "district_officer"):
            assert "extended" in kinds_for(world, who)
        entry = AuditEntry.objects.get(action="connectedness.agree_extension")
        assert entry.detail["exit_before"] == in_days(60).isoformat()
        assert entry.detail["exit_on"] == in_days(90).isoformat()

    @pytest.mark.parametrize("proposer", ["N1", "N2"])
    def test_who_proposes_cannot_answer_and_nobody_else_can_either(
        self, world: World, proposer: str
    ) -> None:
        extension = proposed(helpers.begun(world), world, by=helpers.a_head(world, proposer))
        others = [world.cast[who] for who in ("minister", "district_officer", "partner_head")]
        for by in (helpers.a_head(world, proposer), *others):
            with pytest.raises(PermissionDenied):
                actions.agree_extension(extension, by=by)
            with pytest.raises(PermissionDenied):
                actions.decline_extension(extension, by=by, why=WHY)
        for by in (helpers.a_head(world, "N2" if proposer == "N1" else "N1"), *others):
            with pytest.raises(PermissionDenied):
                actions.withdraw_extension(extension, by=by)

    def test_officers_do_not_propose(self, world: World) -> None:
        deployment = helpers.begun(world)
        for who in ("minister", "district_officer", "partner_head"):
            with pytest.raises(PermissionDenied):
                proposed(deployment, world, by=world.cast[who])

    def test_declined_with_a_reason_it_ends_as_agreed_and_may_be_proposed_anew(
        self, world: World
    ) -> None:
        deployment = helpers.begun(world)
        giver = helpers.a_head(world, "N1")
        extension = proposed(deployment, world)
        with pytest.raises(ValidationError):
            actions.decline_extension(extension, by=giver, why=" ")
        actions.decline_extension(extension, by=giver, why=WHY)
        deployment.refresh_from_db()
        assert deployment.exit_on == in_days(60)
        assert "not_extended" in kinds_for(world, "head")
        with pytest.raises(ValidationError, match="not agreed"):
            actions.agree_extension(extension, by=giver)
        assert proposed(deployment, world).pk != extension.pk

    def test_taken_back_it_cannot_be_agreed_to(self, world: World) -> None:
        extension = proposed(helpers.begun(world), world)
        actions.withdraw_extension(extension, by=helpers.a_head(world, "N2"))
        with pytest.raises(ValidationError):
            actions.agree_extension(extension, by=helpers.a_head(world, "N1"))
        assert Deployment.objects.get().exit_on == in_days(60)

    def test_pressed_twice_it_is_proposed_and_agreed_once(self, world: World) -> None:
        deployment = helpers.begun(world)
        once = proposed(deployment, world, seen=1)
        assert proposed(deployment, world, seen=1).pk == once.pk
        giver = helpers.a_head(world, "N1")
        for _twice in range(2):
            actions.agree_extension(once, by=giver)
        assert AuditEntry.objects.filter(action="connectedness.agree_extension").count() == 1

    def test_one_proposal_at_a_time_and_none_over_what_somebody_else_changed(
        self, world: World
    ) -> None:
        deployment = helpers.begun(world)
        helpers.logged(deployment, helpers.a_head(world, "N1"))
        with pytest.raises(OvertakenError):
            proposed(deployment, world, seen=1)
        proposed(deployment, world, seen=2)
        with pytest.raises(ValidationError, match="proposed already"):
            proposed(deployment, world, by=helpers.a_head(world, "N1"), exit_on=in_days(100))


class TestTerms:
    @pytest.mark.parametrize(
        ("terms", "field"),
        [
            ({"why": " "}, "why"),
            ({"why": "x" * 501}, "why"),
            ({"exit_on": in_days(60)}, "exit_on"),
            ({"exit_on": in_days(59)}, "exit_on"),
            ({"exit_on": in_days(800)}, "exit_on"),
            ({"days": Decimal("3.5")}, "days"),
            ({"days": Decimal(61)}, "days"),
        ],
    )
    def test_what_cannot_be_is_refused_beside_its_field(
        self, terms: dict[str, Any], field: str, world: World
    ) -> None:
        deployment = helpers.begun(world)
        with pytest.raises(ValidationError) as caught:
            proposed(deployment, world, **terms)
        assert list(caught.value.message_dict) == [field]
        assert not DeploymentExtension.objects.exists()

    def test_an_end_that_passed_may_move_to_a_day_to_come_only(self, world: World) -> None:
        deployment = helpers.begun(world, exit_on=in_days(-5))
        with pytest.raises(ValidationError, match="is past"):
            proposed(deployment, world, exit_on=in_days(-2))
        assert proposed(deployment, world, exit_on=in_days(0)).exit_on == in_days(0)

    def test_what_is_over_is_not_extended(self, world: World) -> None:
        with pytest.raises(ValidationError, match="is over"):
            proposed(helpers.finished(world), world)


class TestLedger:
    """The offer has 20 days, the support 4."""

    def test_days_grow_to_what_the_offer_has_and_no_further(self, world: World) -> None:
        deployment = helpers.begun(world)
        with pytest.raises(ValidationError, match="for 20 in all"):
            proposed(deployment, world, days=Decimal("20.5"))
        assert proposed(deployment, world, days=Decimal(20)).days == 20

    def test_days_grow_to_what_the_leader_has_and_no_further(self, world: World) -> None:
        deployment = helpers.begun(world)
        ConnectednessSettings.objects.create(leader_days=7)
        with pytest.raises(ValidationError, match="for 7 in all"):
            proposed(deployment, world, days=Decimal("7.5"))
        proposed(deployment, world, days=Decimal(7))

    def test_days_promised_elsewhere_meanwhile_are_not_promised_twice(self, world: World) -> None:
        deployment = helpers.begun(world)
        extension = proposed(deployment, world, days=Decimal(7))
        ConnectednessSettings.objects.create(leader_days=6)
        with pytest.raises(ValidationError, match="for 6 in all"):
            actions.agree_extension(extension, by=helpers.a_head(world, "N1"))
        assert Deployment.objects.get().days == 4

    def test_days_written_down_beyond_those_agreed_are_counted_once(self, world: World) -> None:
        deployment = helpers.begun(world, days=Decimal(1))
        helpers.logged(deployment, helpers.a_head(world, "N1"), days=Decimal(5))
        ConnectednessSettings.objects.create(leader_days=5)
        extension = proposed(deployment, world, days=Decimal(5))  # takes no day that is not taken
        actions.agree_extension(extension, by=helpers.a_head(world, "N1"))
        assert deployment.giver_id is not None
        assert ledger.ledger_of(deployment.giver_id, deployment.starts.year).agreed == 5

    def test_the_end_alone_moves_though_no_day_is_left(self, world: World) -> None:
        deployment = helpers.begun(world)
        ConnectednessSettings.objects.create(leader_days=1)
        extension = proposed(deployment, world)
        actions.agree_extension(extension, by=helpers.a_head(world, "N1"))
        assert Deployment.objects.get().exit_on == in_days(90)


@pytest.mark.parametrize("how", ["finished", "ended"])
def test_once_support_is_over_no_proposal_waits(world: World, how: str) -> None:
    deployment, giver = helpers.begun(world), helpers.a_head(world, "N1")
    extension = proposed(deployment, world)
    if how == "finished":
        helpers.logged(deployment, giver)
        under_way.finish(deployment, by=giver, report="(Invented.) Done.")
    else:
        under_way.end_early(deployment, by=giver, why="(Invented.) Ill.")
    extension.refresh_from_db()
    assert extension.state == "withdrawn"
    with pytest.raises(ValidationError):
        actions.agree_extension(extension, by=giver)


def test_on_the_page_one_proposes_and_the_other_is_asked_on_its_own_page(
    world: World, sign_in: SignIn
) -> None:
    deployment = helpers.begun(world)
    page = reverse("connectedness:support_deployment", args=[deployment.pk])
    head, leader = sign_in("head"), sign_in("system_leader")
    data = {"exit_on": in_days(90).isoformat(), "days": "5", "why": WHY, "seen": "1"}
    bad = head.post(
        reverse("connectedness:support_extend", args=[deployment.pk]), data | {"days": "1"}
    )
    assert WHY in bad.content.decode()
    assert bad.status_code == 200
    head.post(reverse("connectedness:support_extend", args=[deployment.pk]), data)
    extension = DeploymentExtension.objects.get()
    agree = reverse("connectedness:support_extension_agree", args=[extension.pk])
    assert agree not in head.get(page).content.decode()
    assert "proposes a later end" in leader.get(reverse("connectedness:support")).content.decode()
    shown = leader.get(page).content.decode()
    assert agree in shown
    assert WHY in shown
    leader.post(agree)
    assert Deployment.objects.get().exit_on == in_days(90)
    assert "agreed by both" in head.get(page).content.decode()
