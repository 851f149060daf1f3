"""Brokering for pages: how far a school may come from is set, and no solver is loaded."""

import subprocess
import sys

import pytest
from django.urls import reverse

from brightspots_web.connectedness import contact_actions
from brightspots_web.connectedness.analysis import brokering
from brightspots_web.connectedness.contact_actions import Wanted
from brightspots_web.directory.models import School
from tests.web import support_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import World

IMPORTED = """
import sys, django
django.setup()
from brightspots_web.connectedness.analysis import brokering
slow = [name for name in sys.modules if name.split(".")[0] in ("ortools", "llvmlite", "numba")]
assert not slow, slow[:5]
"""


def test_a_page_that_suggests_loads_no_solver_and_compiles_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_suggesting_and_comparing_do_not_load_it_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "brightspots.connectedness.brokering", None)
    monkeypatch.setitem(sys.modules, "ortools", None)  # an import would fail
    request, offer = helpers.ready(world), helpers.an_offer(world)
    assert [each.offer for each in brokering.shortlist(request)] == [offer.pk]
    assert brokering.why_not(request, offer).more_than_best == 0


def test_how_far_a_school_may_come_from_is_what_the_ministry_set(
    world: World, sign_in: SignIn
) -> None:
    request, offer = helpers.ready(world), helpers.an_offer(world)
    School.objects.filter(code="N1").update(latitude=1.0 + 0.7, longitude=30.0)  # about 76 km
    request.refresh_from_db()
    assert brokering.shortlist(request) == []
    found = brokering.why_not(request, offer)
    assert found.more_than_best is None
    assert [each["kind"] for each in found.against] == ["too_far"]
    contact_actions.change_settings(Wanted(60, 6, 40, 80), by=world.cast["minister"])
    assert [each.offer for each in brokering.shortlist(request)] == [offer.pk]
    assert brokering.why_not(request, offer).more_than_best == 0
    matched = brokering.match([request], lambda _share, _stage: None)
    assert [each.offer for each in matched[request.pk]] == [offer.pk]
    contact_actions.change_settings(Wanted(60, 6, 40, 60), by=world.cast["minister"])
    assert not brokering.match([request], lambda _share, _stage: None)
    url = reverse("connectedness:support_why_not", args=[request.pk, offer.pk])
    assert "more than 60 km" in sign_in("minister").get(url).content.decode()
