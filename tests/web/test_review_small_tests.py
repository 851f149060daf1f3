"""What a school sees of others' small tests after it has left: what there was until then."""

from datetime import datetime, time, timedelta

from django.utils import timezone

from brightspots_web.devolution import pdsa_queries as queries
from brightspots_web.devolution.models import Pdsa, PdsaPoint
from brightspots_web.directory.models import Membership
from tests.web import decision_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import World

LEFT = helpers.in_days(-10)


def _at_noon(days: int) -> datetime:
    return timezone.make_aware(datetime.combine(helpers.in_days(days), time(12)))


def _of_n2(world: World) -> Pdsa:
    """A shared test of N2's with a value from before N3 left, and one from after."""
    found = helpers.cycle(world)
    early = helpers.value(world, found, 3.25, days=-15)
    late = helpers.value(world, found, 7.75, days=-2)
    PdsaPoint.objects.filter(pk=early.pk).update(at=_at_noon(-15))
    PdsaPoint.objects.filter(pk=late.pk).update(at=_at_noon(-2))
    Pdsa.objects.filter(pk=found.pk).update(at=_at_noon(-30))
    found.refresh_from_db()
    return found


def _leave(world: World, school: str) -> None:
    Membership.objects.filter(school=world.schools[school]).update(ends=LEFT)


def _values(world: World, who: str, of: Pdsa) -> list[float]:
    return [each.value for each in queries.seen(world.cast[who], of).points]


def test_who_has_left_sees_no_value_written_since(world: World, sign_in: SignIn) -> None:
    cycle = _of_n2(world)
    assert _values(world, "partner_head", cycle) == [3.25, 7.75]
    _leave(world, "N3")
    assert _values(world, "partner_head", cycle) == [3.25]
    client = sign_in("partner_head")
    page = client.get(f"/cycles/{cycle.pk}/").content.decode()
    assert "7.75" not in page
    assert "Its school has left" not in page
    assert "Your school has left the partnership" in page
    file = b"".join(client.get(f"/cycles/{cycle.pk}/values.csv")).decode()  # type: ignore[arg-type, call-overload] # streamed
    assert "3.25" in file
    assert "7.75" not in file


def test_what_was_found_after_one_has_left_is_not_shown(world: World, sign_in: SignIn) -> None:
    cycle = _of_n2(world)
    _leave(world, "N3")
    helpers.studied(world, cycle)
    found = queries.seen(world.cast["partner_head"], Pdsa.objects.get(pk=cycle.pk))
    assert not found.shows_study
    page = sign_in("partner_head").get(f"/cycles/{cycle.pk}/").content.decode()
    assert "More than we thought." not in page


def test_who_stays_leads_or_tries_it_sees_all(world: World) -> None:
    cycle = _of_n2(world)
    _leave(world, "N3")
    _leave(world, "N1")
    for who in ("head", "teacher", "system_leader"):
        assert _values(world, who, cycle) == [3.25, 7.75]


def test_who_comes_back_sees_it_again(world: World) -> None:
    cycle = _of_n2(world)
    _leave(world, "N3")
    Membership.objects.create(
        school=world.schools["N3"], partnership=world.partnerships["Upper"], distance_km=5,
        starts=helpers.today() - timedelta(days=1),
    )  # fmt: skip
    assert _values(world, "partner_head", cycle) == [3.25, 7.75]
