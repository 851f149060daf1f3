"""An offer changes: what was agreed is the least, and two never overwrite each other."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.connectedness import support_actions as asking
from brightspots_web.connectedness import support_ledger_queries as ledger
from brightspots_web.connectedness import support_match_actions as matching
from brightspots_web.connectedness.models import SupportOffer
from brightspots_web.connectedness.support_offer_actions import edit_offer
from brightspots_web.notices import queries as notices
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import support_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import World

SAME: dict[str, Any] = {"what": "(Invented.) We plan together.", "days": Decimal(12), "at_once": 3}


def edit(offer: SupportOffer, world: World, **more: Any) -> SupportOffer:
    return edit_offer(offer, by=helpers.a_head(world, "N1"), **SAME | more)


def sent(offer: SupportOffer, **more: str) -> dict[str, str]:
    return {"what": "w", "days": "12", "at_once": "3", "seen": str(offer.version)} | more


def test_what_was_changed_stands_and_is_on_record_with_what_was_before(world: World) -> None:
    until = helpers.today() + timedelta(days=90)
    offer = edit(helpers.an_offer(world), world, languages=" French, German;French ", until=until)
    offer.refresh_from_db()
    assert (offer.days, offer.at_once) == (Decimal(12), 3)
    assert offer.languages == "French; German"
    assert (offer.until, offer.what) == (until, SAME["what"])
    detail = AuditEntry.objects.get(action="connectedness.edit_offer").detail
    assert (detail["before"]["at_once"], detail["after"]["at_once"]) == (2, 3)
    assert "what" not in detail["after"]  # the trail holds no words


def test_saved_unchanged_nothing_happens(world: World) -> None:
    offer = helpers.an_offer(world)
    once = edit(offer, world)
    assert edit(offer, world).version == once.version == 2
    assert AuditEntry.objects.filter(action="connectedness.edit_offer").count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"what": " "}, "what"),
        ({"what": "x" * 1001}, "what"),
        ({"days": Decimal(0)}, "days"),
        ({"days": Decimal(61)}, "days"),
        ({"at_once": 0}, "at_once"),
        ({"at_once": 21}, "at_once"),
        ({"languages": "x" * 201}, "languages"),
        ({"until": helpers.today() - timedelta(days=1)}, "until"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    change: dict[str, Any], field: str, world: World
) -> None:
    offer = helpers.an_offer(world)
    with pytest.raises(ValidationError) as caught:
        edit(offer, world, **change)
    assert list(caught.value.message_dict) == [field]
    assert SupportOffer.objects.get().version == 1


def test_an_offer_that_ran_out_may_be_reworded_with_its_day_left_as_it_is(world: World) -> None:
    offer, past = helpers.an_offer(world), helpers.today() - timedelta(days=3)
    SupportOffer.objects.update(until=past)
    assert edit(offer, world, until=past).until == past


class TestWhatIsAgreed:
    def test_days_may_go_down_to_what_is_agreed_and_no_further(self, world: World) -> None:
        offer = helpers.begun(world, days=Decimal("4.5")).match.offer
        with pytest.raises(ValidationError, match=r"4\.5 days are agreed already"):
            edit(offer, world, days=Decimal(4))
        edit(offer, world, days=Decimal("4.5"))
        assert ledger.room_left(SupportOffer.objects.get())[1] == 0

    def test_support_agreed_for_next_year_counts_too(self, world: World) -> None:
        starts = helpers.today().replace(year=helpers.today().year + 1, month=2, day=1)
        exit_on = starts + timedelta(days=40)
        begun = helpers.begun(world, days=Decimal(9), starts=starts, exit_on=exit_on)
        offer = begun.match.offer
        with pytest.raises(ValidationError, match="9 days are agreed already"):
            edit(offer, world, days=Decimal(8))

    def test_a_match_that_both_accepted_counts_before_its_terms(self, world: World) -> None:
        offer = helpers.accepted(world, days=Decimal(7)).offer
        with pytest.raises(ValidationError, match="7 days are agreed already"):
            edit(offer, world, days=Decimal(6))

    def test_schools_at_a_time_not_below_those_supported_now(self, world: World) -> None:
        offer = helpers.begun(world, "N2").match.offer
        other = helpers.ready(world, "N4")
        helpers.shortlisted(other, [offer], world)
        match = matching.put(other.matches.get(), by=world.cast["minister"])
        for code in ("N4", "N1"):
            matching.accept(match, by=helpers.a_head(world, code))
        with pytest.raises(ValidationError) as caught:
            edit(offer, world, at_once=1)
        assert list(caught.value.message_dict) == ["at_once"]
        assert edit(offer, world, at_once=2).at_once == 2

    def test_schools_that_look_at_it_are_told(self, world: World) -> None:
        offer = helpers.put(world).offer
        edit(offer, world)
        head, officer = world.cast["head"].person, world.cast["district_officer"].person
        for person, kind in ((head, "match_changed"), (officer, "offer_changed")):
            kinds = {each.kind for each in notices.notices_of(person)}
            assert f"connectedness.support_{kind}" in kinds


def test_two_who_saw_the_same_never_overwrite_each_other(world: World, sign_in: SignIn) -> None:
    offer = helpers.an_offer(world)
    edit(offer, world, seen=1)
    with pytest.raises(OvertakenError):
        edit(offer, world, seen=1, days=Decimal(15))
    leader = sign_in("system_leader")
    url = reverse("connectedness:support_offer_edit", args=[offer.pk])
    answer = leader.post(url, sent(offer, what="(Invented.) Typed."))  # saw version 1
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "(Invented.) Typed." in page
    assert leader.post(url, sent(offer, seen="2")).status_code == 302
    assert SupportOffer.objects.get().days == 12


def test_the_form_shows_what_holds_and_the_page_what_was_saved(
    world: World, sign_in: SignIn
) -> None:
    offer = helpers.an_offer(world)  # 20 days
    url = reverse("connectedness:support_offer_edit", args=[offer.pk])
    leader = sign_in("system_leader")
    page = leader.get(url).content.decode()
    assert 'value="20"' in page
    assert "1E" not in page
    page = leader.post(url, sent(offer, languages="Swahili"), follow=True).content.decode()
    assert "Swahili" in page
    assert "no end is set" in page


def test_nobody_but_the_school_and_nothing_that_is_withdrawn(world: World) -> None:
    offer = helpers.an_offer(world)
    for who in ("minister", "district_officer", "partner_head"):
        with pytest.raises(PermissionDenied):
            edit_offer(offer, by=world.cast[who], **SAME)
    asking.set_offer_state(offer, "withdrawn", by=helpers.a_head(world, "N1"))
    with pytest.raises(ValidationError, match="withdrawn"):
        edit(offer, world)
