"""What was shared with a colleague is not read from an office of the ministry."""

import pytest
from django.utils import timezone

from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import development_queries as queries
from brightspots_web.leaders.models import DevelopmentShare
from brightspots_web.shared.permissions import Role
from tests.web.conftest import SignIn
from tests.web.world import World


@pytest.mark.parametrize("role", [Role.MINISTER, Role.ANALYST])
def test_a_colleague_who_went_to_the_ministry_reads_nothing_there(
    world: World, sign_in: SignIn, role: Role
) -> None:
    leader, colleague = world.person("system_leader"), world.cast["head"]
    DevelopmentShare.objects.create(leader=leader, person=colleague.person, at=timezone.now())
    client = sign_in("head")
    address = f"/leaders/development/of/{leader.pk}/"
    assert client.get(address).status_code == 200
    Appointment.objects.filter(pk=colleague.pk).update(role=role, school=None)
    assert client.get(address).status_code == 404
    colleague.refresh_from_db()
    assert not queries.shares_visible_to(colleague).exists()
    assert not queries.ratings_visible_to(colleague).filter(leader=leader).exists()
