"""Support under way: terms, work written down, report, end, and who may read what of it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.connectedness import support_deployment_actions as actions
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness.models import (
    Contact,
    Deployment,
    DeploymentLog,
    DeploymentView,
    SupportRequest,
)
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import support_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import World

WORDS = "(Invented.) Words about the other school."


def page(sign_in: SignIn, who: str, name: str, **kwargs: Any) -> str:
    answer = sign_in(who).get(reverse(f"connectedness:{name}", kwargs=kwargs))
    assert answer.status_code == 200, f"{who}: {name}"
    return answer.getvalue().decode()


class TestTerms:
    @pytest.mark.parametrize(
        ("terms", "field"),
        [
            ({"aim": " "}, "aim"),
            ({"days": Decimal(0)}, "days"),
            ({"days": Decimal(61)}, "days"),
            ({"exit_on": helpers.today() - timedelta(days=60)}, "exit_on"),
            ({"exit_on": helpers.today() + timedelta(days=900)}, "exit_on"),
            ({"starts": date(9999, 1, 1), "exit_on": date(9999, 12, 31)}, "starts"),
            ({"days": Decimal(4), "starts": helpers.today(), "exit_on": helpers.today()}, "days"),
        ],
    )
    def test_what_cannot_be_is_refused_beside_its_field(
        self, terms: dict[str, Any], field: str, world: World
    ) -> None:
        with pytest.raises(ValidationError) as caught:
            helpers.begun(world, **terms)
        assert list(caught.value.message_dict) == [field]
        assert not Deployment.objects.exists()

    def test_more_days_than_were_asked_for_are_held_against_the_leader_s_again(
        self, world: World
    ) -> None:
        with pytest.raises(ValidationError) as caught:
            helpers.begun(world, days=Decimal(25))  # the offer has 20
        assert "20 days left" in " ".join(caught.value.messages)

    def test_the_school_that_asks_and_the_officer_may_write_them_down_too(
        self, world: World
    ) -> None:
        for who in ("head", "district_officer"):
            code, giver = ("N2", "N1") if who == "head" else ("N4", "N3")
            match = helpers.accepted(world, code, giver)
            deployment = actions.begin(
                match, by=world.cast[who], aim="a", days=Decimal(2), starts=helpers.today(),
                exit_on=helpers.today() + timedelta(days=9),
            )  # fmt: skip
            assert deployment.agreed_by == world.cast[who].label
        other = helpers.accepted(world, "N6", "N5")
        with pytest.raises(PermissionDenied):
            actions.begin(
                other, by=world.cast["head"], aim="a", days=Decimal(2), starts=helpers.today(),
                exit_on=helpers.today() + timedelta(days=9),
            )  # fmt: skip


class TestWork:
    def test_a_visit_is_contact_with_the_school_without_the_note(self, world: World) -> None:
        deployment = helpers.begun(world)
        helpers.logged(deployment, world.cast["system_leader"], note=WORDS)
        contact = Contact.objects.get()
        assert (contact.school, contact.kind) == (world.schools["N2"], "support")
        assert (contact.on, contact.deployment, contact.note) == (helpers.today(), deployment, "")

    def test_preparation_is_no_contact(self, world: World) -> None:
        deployment = helpers.begun(world)
        helpers.logged(deployment, world.cast["system_leader"], kind="preparation")
        assert DeploymentLog.objects.count() == 1
        assert not Contact.objects.exists()

    def test_pressed_twice_it_is_written_once(self, world: World) -> None:
        deployment = helpers.begun(world)
        for _twice in range(2):
            helpers.logged(deployment, world.cast["system_leader"])
        assert DeploymentLog.objects.count() == Contact.objects.count() == 1

    @pytest.mark.parametrize(
        ("entry", "field"),
        [
            ({"on": helpers.today() + timedelta(days=1)}, "on"),
            ({"on": helpers.today() - timedelta(days=400)}, "on"),
            ({"days": Decimal(6)}, "days"),
            ({"kind": "party"}, "kind"),
            ({"note": "x" * 2001}, "note"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, entry: dict[str, Any], field: str, world: World
    ) -> None:
        deployment = helpers.begun(world)
        with pytest.raises(ValidationError) as caught:
            helpers.logged(deployment, world.cast["system_leader"], **entry)
        assert list(caught.value.message_dict) == [field]

    def test_only_the_giver_writes_it_down(self, world: World) -> None:
        deployment = helpers.begun(world)
        for who in ("head", "district_officer", "minister", "partner_head"):
            with pytest.raises(PermissionDenied):
                helpers.logged(deployment, world.cast[who])

    def test_coaching_words_are_read_by_the_two_schools_alone(
        self, world: World, sign_in: SignIn
    ) -> None:
        deployment = helpers.begun(world)
        helpers.logged(deployment, world.cast["system_leader"], note=WORDS)
        for name, more in (("support_deployment", {}), ("support_logs_export", {"fmt": "csv"})):
            for who in ("head", "system_leader"):
                assert WORDS in page(sign_in, who, name, pk=deployment.pk, **more)
            for who in ("minister", "district_officer"):
                assert WORDS not in page(sign_in, who, name, pk=deployment.pk, **more)

    def test_the_partnership_s_leader_reads_no_coaching_words_of_others(
        self, world: World, sign_in: SignIn
    ) -> None:
        deployment = helpers.begun(world, "N2", "N3")  # N1 leads the partnership
        helpers.logged(deployment, world.cast["partner_head"], note=WORDS)
        assert WORDS not in page(sign_in, "system_leader", "support_deployment", pk=deployment.pk)


class TestEnd:
    def test_a_report_needs_a_visit_and_words(self, world: World) -> None:
        deployment = helpers.begun(world)
        leader = world.cast["system_leader"]
        helpers.logged(deployment, leader, kind="preparation")
        with pytest.raises(ValidationError):
            actions.finish(deployment, by=leader, report="Done.")
        helpers.logged(deployment, leader)
        with pytest.raises(ValidationError):
            actions.finish(deployment, by=leader, report=" ")
        done = actions.finish(deployment, by=leader, report="Done.")
        assert (done.state, done.ended_on) == ("finished", helpers.today())
        assert SupportRequest.objects.get().state == "met"

    def test_a_giver_who_ends_it_gives_the_request_back_whatever_the_form_says(
        self, world: World
    ) -> None:
        deployment = helpers.begun(world)
        actions.end_early(
            deployment, by=world.cast["system_leader"], why="Ill.", still_wanted=False
        )
        assert SupportRequest.objects.get().state == "ready"

    @pytest.mark.parametrize(("wanted", "state"), [(True, "ready"), (False, "withdrawn")])
    def test_the_school_says_whether_it_still_wants_support(
        self, wanted: bool, state: str, world: World
    ) -> None:
        deployment = helpers.begun(world)
        actions.end_early(deployment, by=world.cast["head"], why="Enough.", still_wanted=wanted)
        assert SupportRequest.objects.get().state == state

    def test_after_it_came_back_the_same_school_can_be_matched_anew(self, world: World) -> None:
        deployment = helpers.begun(world)
        actions.end_early(deployment, by=world.cast["head"], why="Enough.")
        request = SupportRequest.objects.get()
        helpers.shortlisted(request, [helpers.an_offer(world, "N3")], world)
        assert len(queries.shortlist_of(request)) == 1

    def test_an_old_page_takes_nothing_over(self, world: World) -> None:
        deployment = helpers.begun(world)
        helpers.logged(deployment, world.cast["system_leader"])
        with pytest.raises(OvertakenError):
            actions.end_early(deployment, by=world.cast["head"], why="x", seen=deployment.version)


class TestViews:
    def give(self, deployment: Deployment, world: World, who: str, words: str = WORDS) -> None:
        actions.give_view(deployment, by=world.cast[who], worth=3, words=words)

    def test_a_side_sees_the_other_s_only_after_giving_its_own(
        self, world: World, sign_in: SignIn
    ) -> None:
        deployment = helpers.finished(world)
        self.give(deployment, world, "head")
        key = {"pk": deployment.pk}
        assert WORDS in page(sign_in, "head", "support_deployment", **key)
        assert WORDS not in page(sign_in, "system_leader", "support_deployment", **key)
        self.give(deployment, world, "system_leader", "Ours.")
        assert WORDS in page(sign_in, "system_leader", "support_deployment", **key)
        assert "Ours." in page(sign_in, "head", "support_deployment", **key)

    def test_after_14_days_and_not_before_it_is_open_all_the_same(self, world: World) -> None:
        deployment = helpers.finished(world)
        self.give(deployment, world, "head")
        leader = world.cast["system_leader"]
        view = DeploymentView.objects.get()
        for back, is_open in (
            (timedelta(days=13, hours=23), False),
            (timedelta(days=14, minutes=1), True),
        ):
            DeploymentView.objects.filter(pk=view.pk).update(at=view.at - back)
            shown = {each.side: each for each in queries.views_of(deployment, leader)}
            assert (shown["receiving"].view is not None) == is_open
            assert shown["receiving"].given

    def test_officers_see_the_worth_when_both_have_said_it_and_never_the_words(
        self, world: World, sign_in: SignIn
    ) -> None:
        deployment = helpers.finished(world)
        self.give(deployment, world, "head")
        key = {"pk": deployment.pk}
        assert "worth it" not in page(sign_in, "minister", "support_deployment", **key)
        self.give(deployment, world, "system_leader")
        text = page(sign_in, "minister", "support_deployment", **key)
        assert "worth it" in text
        assert WORDS not in text

    def test_it_is_said_once_and_only_when_support_is_over(self, world: World) -> None:
        running = helpers.begun(world)
        with pytest.raises(ValidationError):
            self.give(running, world, "head")
        helpers.logged(running, world.cast["system_leader"])
        actions.finish(running, by=world.cast["system_leader"], report="Done.")
        self.give(running, world, "head")
        self.give(running, world, "head")  # pressed twice
        with pytest.raises(ValidationError):
            self.give(running, world, "head", "Other words.")
        for who in ("minister", "partner_head"):
            with pytest.raises(PermissionDenied):
                self.give(running, world, who)
