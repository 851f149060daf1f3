"""`brightspots partnerships` without a file of schools: the system's own, by the same job."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from brightspots_cli import main, platform
from brightspots_web.connectedness.models import Proposal
from brightspots_web.directory.models import Membership
from tests.web.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def command(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Run in this process on the test's own database; gives code, standard output and error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(platform, "start", lambda _home=None: None)
        monkeypatch.setattr(sys, "argv", ["brightspots", "partnerships", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main.run()
        said = capsys.readouterr()
        return (ended.value.code if isinstance(ended.value.code, int) else 0), said.out, said.err

    return run


def test_the_same_wishes_reach_the_systems_own_proposal(command: Any) -> None:
    code, said, errors = command(
        "--min", 2, "--max-km", 40, "--gap", 0.02, "--serve-all", "--price-per-move", 7
    )
    assert code == 0, errors
    assert "0 isolated" in said
    proposal = Proposal.objects.get()
    assert proposal.settings["gap"] == 0.02
    assert proposal.settings["serve_all"] is True
    assert proposal.settings["weights"]["disruption"] == 7
    # A price of moving is about the present partnerships: it asks to stay close to them.
    assert proposal.settings["close_to"] == "present"
    assert proposal.n_isolated == 0
    assert "disruption" in proposal.objective


def test_without_a_price_the_present_partnerships_have_no_say(command: Any) -> None:
    code, _, errors = command("--min", 2, "--max-km", 40)
    assert code == 0, errors
    assert "close_to" not in Proposal.objects.get().settings
    assert Membership.objects.filter(ends=None).exists()


def test_files_are_refused_and_nothing_is_proposed(command: Any) -> None:
    code, _, said = command("--leaders", "leaders.csv", "--frontier", "0,1")
    assert code == 2
    assert "--leaders, --frontier: only for a file of schools" in said
    assert not Proposal.objects.exists()
