"""The pages of support: who sees what, nothing typed is lost, small numbers are not told."""

import csv
import io
import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from brightspots_web.connectedness import support_actions as asking
from brightspots_web.connectedness import support_figures_queries as figures
from brightspots_web.connectedness import support_match_actions as matching
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness.models import SupportMatch, SupportOffer, SupportRequest
from brightspots_web.insight.models import Estimate
from brightspots_web.notices import queries as notices
from tests.web import support_helpers as helpers
from tests.web.bright_spot_helpers import BRIGHT, a_run
from tests.web.conftest import SignIn
from tests.web.world import World

STIGMA = ("failing", "weak", "worst", "poor", "underperform", "rank")


def url(name: str, *args: Any) -> str:
    return reverse(f"connectedness:{name}", args=args)


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def test_the_page_of_a_school_asks_as_often_however_much_support_is_over(
    world: World, sign_in: SignIn
) -> None:
    client = Client()
    client.force_login(
        helpers.a_head(world, "N5").person,
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    asked = []
    for codes in (["N2"], ["N3", "N4", "N6"]):
        for code in codes:
            helpers.finished(world, code, "N5")
        text_of(client, url("support"))
        with CaptureQueriesContext(connection) as found:
            text_of(client, url("support"))
        asked.append(len(found))
    assert asked[0] == asked[1]


class TestAsking:
    def test_asking_takes_four_fields_and_the_priority_that_fits_is_chosen(
        self, world: World, sign_in: SignIn
    ) -> None:
        helpers.a_priority("number", "Mathematics")
        reading = helpers.a_priority()
        a_run(world, {("N2", "Reading"): BRIGHT, ("N2", "Mathematics"): BRIGHT})
        chosen = Estimate.objects.filter(school__code="N2")
        chosen.filter(subject="Reading").update(need_probability=0.8, probability=0.1)
        chosen.filter(subject="Mathematics").update(need_probability=0.3, probability=0.9)
        form = sign_in("head").get(url("support_ask")).context["form"]
        assert len(form.visible_fields()) == 4
        assert form["priority"].value() == str(reading.pk)
        giving = sign_in("head").get(url("support_offer_new")).context["form"]
        assert len(giving.visible_fields()) == 4
        assert giving["priority"].value() != str(reading.pk)

    def test_no_priority_is_chosen_where_no_figure_says_so(
        self, world: World, sign_in: SignIn
    ) -> None:
        helpers.a_priority()
        helpers.a_priority("number", "Mathematics")
        form = sign_in("head").get(url("support_ask")).context["form"]
        assert not form["priority"].value()

    def test_what_was_typed_comes_back_with_the_reason(self, world: World, sign_in: SignIn) -> None:
        helpers.a_request(world, "N2")
        sent = {
            "priority": helpers.a_priority().pk,
            "what": "KEEP ME",
            "days": 2,
            "urgency": "soon",
        }
        answer = sign_in("head").post(url("support_ask"), sent)
        text = answer.content.decode()
        assert "asks for support at “Every child masters reading” already" in text
        assert "KEEP ME" in text
        assert SupportRequest.objects.count() == 1

    def test_pressed_twice_it_is_asked_once(self, world: World, sign_in: SignIn) -> None:
        sent = {"priority": helpers.a_priority().pk, "what": "w", "days": 2, "urgency": "soon"}
        client = sign_in("head")
        addresses = {client.post(url("support_ask"), sent)["Location"] for _twice in range(2)}
        assert len(addresses) == SupportRequest.objects.count() == 1

    def test_before_the_first_priority_the_page_says_what_is_missing(
        self, world: World, sign_in: SignIn
    ) -> None:
        assert "No priority is set yet" in text_of(sign_in("head"), url("support_ask"))

    def test_asking_and_giving_stand_side_by_side_in_the_same_form(
        self, world: World, sign_in: SignIn
    ) -> None:
        helpers.begun(world, "N2", "N3")
        text = text_of(sign_in("head"), url("support"))
        for words in ("We ask", "We give", "Ask for support", "Offer support"):
            assert words in text
        assert text.count('<a class="button" href') == 2

    def test_no_page_brands_a_school(self, world: World, sign_in: SignIn) -> None:
        deployment = helpers.finished(world)
        pages = [
            ("head", url("support")),
            ("head", url("support_request", deployment.match.request_id)),
            ("minister", url("support_request", deployment.match.request_id)),
            ("minister", url("support_queue")),
            ("minister", url("support_figures")),
            ("system_leader", url("support_deployment", deployment.pk)),
        ]
        for who, address in pages:
            main = text_of(sign_in(who), address).partition("<main")[2].lower()
            assert not [word for word in STIGMA if word in main], address


class TestSeeing:
    def test_a_teacher_never_sees_the_request_of_the_school(
        self, world: World, sign_in: SignIn
    ) -> None:
        request = helpers.a_request(world, "N2")
        text_of(sign_in("teacher"), url("support_request", request.pk), 404)
        assert not queries.requests_visible_to(world.cast["teacher"]).exists()

    def test_a_leader_sees_what_schools_of_the_partnership_ask_for(
        self, world: World, sign_in: SignIn
    ) -> None:
        helpers.a_request(world, "N3")
        helpers.a_request(world, "L2")
        text = text_of(sign_in("system_leader"), url("support"))
        assert "School N3" in text
        assert "School L2" not in text
        assert "School N3" not in text_of(sign_in("head"), url("support"))

    def test_a_paused_offer_says_so_and_a_withdrawn_one_is_not_compared(
        self, world: World, sign_in: SignIn
    ) -> None:
        request, offer = helpers.ready(world, "N2"), helpers.an_offer(world, "N1")
        offer = asking.set_offer_state(offer, "paused", by=world.cast["system_leader"])
        address = url("support_why_not", request.pk, offer.pk)
        text = text_of(sign_in("district_officer"), address)
        assert "the school has paused it" in text
        assert "Put to both schools</button>" not in text
        asking.set_offer_state(offer, "withdrawn", by=world.cast["system_leader"])
        text_of(sign_in("district_officer"), address, 404)

    def test_a_giver_sees_it_from_the_day_it_is_put_until_it_comes_to_nothing(
        self, world: World, sign_in: SignIn
    ) -> None:
        request = helpers.ready(world, "N2")
        helpers.shortlisted(request, [helpers.an_offer(world, "E1")], world)
        address = url("support_request", request.pk)
        text_of(sign_in("other_system_leader"), address, 404)
        match = matching.put(SupportMatch.objects.get(), by=world.cast["minister"])
        assert "See why" in text_of(sign_in("other_system_leader"), url("support"))
        text_of(sign_in("other_system_leader"), address)
        text_of(sign_in("other_district_officer"), address, 404)
        matching.decline(match, by=world.cast["other_system_leader"], why="Too far.")
        text_of(sign_in("other_system_leader"), address, 404)

    def test_reasons_for_declining_and_notes_of_triage_are_for_officers(
        self, world: World, sign_in: SignIn
    ) -> None:
        match = helpers.put(world, "N2", "N1")
        request = match.request
        asking.triage(request, by=world.cast["minister"], urgency="soon", note="NOTE OF TRIAGE")
        matching.decline(match, by=world.cast["system_leader"], why="REASON OF NO")
        address = url("support_request", request.pk)
        for who, sees in (("district_officer", True), ("head", False), ("system_leader", False)):
            text = text_of(sign_in(who), address)
            assert ("NOTE OF TRIAGE" in text) == ("REASON OF NO" in text) == sees

    def test_the_queue_holds_an_officer_s_area_alone_and_so_does_its_file(
        self, world: World, sign_in: SignIn
    ) -> None:
        helpers.a_request(world, "N2")
        helpers.a_request(world, "E2")
        for who, here, there in (
            ("district_officer", "School N2", "School E2"),
            ("other_district_officer", "School E2", "School N2"),
        ):
            client = sign_in(who)
            assert here in (page := text_of(client, url("support_queue")))
            assert there not in page
            answer = client.get(url("support_queue_export", "csv"))
            file = answer.getvalue().decode()
            assert here in file
            assert there not in file

    def test_the_queue_is_in_the_order_of_urgency_then_age(
        self, world: World, sign_in: SignIn
    ) -> None:
        now = timezone.now()
        for code, urgency, days in (
            ("N2", "year", 9),
            ("N3", "soon", 1),
            ("N4", "term", 2),
            ("N5", "term", 5),
        ):
            at = now - timedelta(days=days)
            helpers.a_request(world, code, urgency=urgency, at=at)
        found = [each.school.code for each in queries.queue(world.cast["minister"])]
        assert found == ["N3", "N5", "N4", "N2"]

    def test_every_notice_has_words_and_leads_to_a_page_its_reader_may_open(
        self, world: World, sign_in: SignIn
    ) -> None:
        helpers.finished(world)
        for who in ("head", "system_leader", "district_officer"):
            lines = notices.lines(notices.notices_of(world.person(who)))
            assert lines
            for line in lines:
                assert "{" not in line.text
                assert sign_in(who).get(line.url).status_code == 200, line

    def test_pages_stay_light_however_many_there_are(
        self, world: World, sign_in: SignIn, django_assert_max_num_queries: Any
    ) -> None:
        for code in ("N2", "N3", "N4", "N5", "N6"):
            helpers.a_request(world, code)
        for code in ("L1", "L2", "L3", "E1", "E2"):
            helpers.an_offer(world, code)
        request = SupportRequest.objects.filter(school__code="N2").get()
        client = sign_in("minister")
        for address, most in (
            (url("support_queue"), 18),
            (url("support_figures"), 26),
            (url("support_others", request.pk), 24),
        ):
            with django_assert_max_num_queries(most):
                assert client.get(address).status_code == 200


class TestFormsOnPages:
    def test_a_reason_that_is_missing_is_asked_for_where_it_stands(
        self, world: World, sign_in: SignIn
    ) -> None:
        match = helpers.put(world)
        answer = sign_in("head").post(url("support_decline", match.pk), {"why": ""})
        assert answer.status_code == 200
        assert answer.context["decline_form"].errors["why"]
        assert SupportMatch.objects.get().state == "suggested"

    def test_what_was_overtaken_comes_back_with_what_was_typed(
        self, world: World, sign_in: SignIn
    ) -> None:
        request = helpers.ready(world, "N2")
        old = {"urgency": "year", "note": "KEEP ME", "seen": request.version}
        asking.triage(request, by=world.cast["minister"], urgency="soon")
        client = sign_in("district_officer")
        answer = client.post(url("support_triage", request.pk), old)
        assert answer.status_code == 409
        assert "KEEP ME" in answer.content.decode()
        assert SupportRequest.objects.get().urgency == "soon"
        again = old | {"seen": answer.context["triage_form"].data["seen"]}
        assert client.post(url("support_triage", request.pk), again).status_code == 302
        assert SupportRequest.objects.get().urgency == "year"

    def test_suggest_three_on_the_page(self, world: World, sign_in: SignIn) -> None:
        request = helpers.ready(world, "N2")
        offer = helpers.an_offer(world, "N1")
        client = sign_in("district_officer")
        client.post(url("support_shortlist", request.pk), {"seen": request.version})
        text = text_of(client, url("support_request", request.pk))
        assert "School N1" in text
        assert "Put to both schools" in text
        why = text_of(client, url("support_why_not", request.pk, offer.pk))
        assert "No other offer fits better" in why

    def test_a_giver_is_not_asked_whether_the_other_school_still_wants_support(
        self, world: World, sign_in: SignIn
    ) -> None:
        deployment = helpers.begun(world)
        address = url("support_deployment", deployment.pk)
        assert "still_wanted" in text_of(sign_in("head"), address)
        assert "still_wanted" not in text_of(sign_in("system_leader"), address)


class TestFigures:
    def test_the_median_needs_three_matches(self, world: World) -> None:
        pairs = [("N2", "N1"), ("N4", "N3"), ("N6", "N5")]
        for n, (code, giver) in enumerate(pairs, start=1):
            match = helpers.accepted(world, code, giver)
            asked = match.request.asked_at - timedelta(days=n)
            SupportRequest.objects.filter(pk=match.request_id).update(agreed_at=asked)
            waited = figures.figures(world.cast["minister"]).waited
            assert (waited.median is None) == (n < 3)
        assert waited.median == pytest.approx(2, abs=0.01)
        assert (waited.n.low, waited.n.high) == (3, 3)

    @pytest.mark.parametrize("counts", list(itertools.product(range(5), repeat=3)))
    def test_nobody_can_tell_one_from_two_by_taking_sums_from_each_other(
        self, counts: tuple[int, ...]
    ) -> None:
        """Two systems that differ by 1 and 2 in one place show the same everywhere."""
        paths = ("1/2/4/", "1/2/5/", "1/3/6/")
        levels = ("", "1/", "1/2/", "1/3/", *paths)

        def shown(numbers: tuple[int, ...]) -> list[figures.Bounds]:
            return [figures.summed(dict(zip(paths, numbers, strict=True)), each) for each in levels]

        for at, n in enumerate(counts):
            if n in (1, 2):
                other = (*counts[:at], 3 - n, *counts[at + 1 :])
                assert shown(counts) == shown(other)
        for bounds in (figures.summed(dict(zip(paths, counts, strict=True)), "1/"),):
            assert bounds.low <= sum(counts) <= bounds.high

    def test_a_lone_request_is_not_told_on_the_page_nor_in_the_file(
        self, world: World, sign_in: SignIn
    ) -> None:
        helpers.ready(world, "N2")
        client = sign_in("analyst")
        assert "1–2" in text_of(client, url("support_figures"))
        answer = client.get(url("support_figures_export", "csv"))
        file = answer.getvalue().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(file)))
        assert rows[0]["Area"] == "North"
        assert rows[0]["Asked"] == "1–2"

    def test_given_and_received_count_schools_once(self, world: World) -> None:
        SupportOffer.objects.all().delete()
        for code, giver in (("N2", "N1"), ("N4", "N3"), ("N6", "N5")):
            helpers.begun(world, code, giver)
        found = figures.figures(world.cast["minister"])
        assert found.counts["given"] == found.counts["received"] == figures.Bounds(3, 3)
