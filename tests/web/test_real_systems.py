"""Two public systems by the commands of their guides: import, analyse, publish, look."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.test_import_command import brightspots, environment, home, rows

__all__ = ["home"]

ROOT = Path(__file__).resolve().parents[2]
PAGE = """
from brightspots_cli import platform
platform.start(None)
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from brightspots_web.directory import actions, queries
call_command("collectstatic", interactive=False, verbosity=0)
by = actions.command_line_operator()
person = queries.person_with("analyst@test.invalid")
if person is None:
    person = actions.register_person("analyst@test.invalid", "Test")
    actions.appoint(person, "analyst", by=by)
settings.SECOND_FACTOR_REQUIRED = False  # nobody is here to read a code from a telephone
client = Client()
client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
for address in ("/insight/bright-spots/", "/insight/runs/", "/insight/start/", "/"):
    answer = client.get(address, follow=True, headers={"host": "localhost"})
    print(address, answer.status_code)
    if address == "/insight/bright-spots/":
        print(answer.content.decode())
"""

FLAGGED = """
select distinct school.name from insight_estimate estimate
join directory_school school on school.id = estimate.school_id where estimate.label <> ''
"""


def follow(guide: str, home: Path, real_data: Path) -> str:
    """Run the commands of a guide up to the draft; gives the name of the run."""
    said = ""
    text = (ROOT / "docs" / "examples" / guide).read_text()
    for block in text.split("```sh\n")[1:]:
        command = block[: block.index("\n```")].strip()
        if "--publish RUN" in command:
            break
        words = shlex.split(command)[1:]
        words = [w.replace("../shared/data", str(real_data)) for w in words]
        words = [str(home) if w.startswith("var/") else w for w in words]
        words = [str(ROOT / w) if w.startswith("docs/") else w for w in words]
        done = brightspots(home, *words)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        said = done.stdout
    found = re.search(r"Run ([0-9a-f-]{36}) is a draft", said)
    assert found, said
    return found[1]


def page(home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PAGE],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("guide", "results", "schools", "outcomes"),
    [
        ("state-panel.md", "pupil_results", 119, {"MATHEMATICS", "READING"}),
        ("england.md", "school_results", 554, {"Mathematics", "Reading", "Writing"}),
    ],
)
def test_a_real_system_goes_from_its_files_to_a_published_page(
    home: Path, real_data: Path, guide: str, results: str, schools: int, outcomes: set[str]
) -> None:
    run = follow(guide, home, real_data)
    if results == "pupil_results":
        import polars as pl

        ((path,),) = rows(home, "select data_path from imports_batch where kind = 'pupil_results'")
        assert (
            pl.scan_parquet(home / "data" / str(path)).select(pl.len()).collect().item() == 368_301
        )
    names = {str(name) for (name,) in rows(home, FLAGGED)}
    assert names
    assert rows(home, "select count(distinct school_id) from insight_estimate") == [(schools,)]
    assert {s for (s,) in rows(home, "select distinct subject from insight_estimate")} == outcomes
    before = page(home)
    assert not any(name in before for name in names)
    published = brightspots(home, "analyse", "--publish", run)
    assert published.returncode == 0, published.stderr
    after = page(home)
    assert "/insight/bright-spots/ 200" in after
    assert any(name in after for name in names), after[:500]
    if results == "school_results":  # the state's pupils would take as long again
        again = brightspots(home, "analyse", "--run", run, "--verify")
        assert "All are equal." in again.stdout, again.stdout + again.stderr
