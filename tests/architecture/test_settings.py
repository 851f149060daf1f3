"""The settings of a ministry's server: nothing missing goes unsaid, nothing of the sample opens."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.architecture.house import ROOT

PRODUCTION = {
    "DATABASE_URL": "postgresql://brightspots:secret@127.0.0.1:1/brightspots",
    "BRIGHTSPOTS_SECRET_KEY": "only-for-these-tests-" + "0123456789" * 5,
    "BRIGHTSPOTS_HOSTS": "brightspots.example",
}


def in_production(code: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, started as a production server is."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("BRIGHTSPOTS_", "DATABASE_"))}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import django; django.setup()\n{code}"],
        cwd=ROOT,
        env={
            **keep,
            "DJANGO_SETTINGS_MODULE": "brightspots_web.config.settings.production",
            "BRIGHTSPOTS_HOME": str(home),
            "PYTHONPATH": "src",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", sorted(PRODUCTION))
def test_production_says_which_setting_is_missing(name: str, tmp_path: Path) -> None:
    present = {key: value for key, value in PRODUCTION.items() if key != name}
    done = in_production("", tmp_path, **present)
    assert done.returncode != 0
    assert "ImproperlyConfigured" in done.stderr
    assert name in done.stderr.splitlines()[-1]


def test_production_refuses_a_database_that_is_not_postgresql(tmp_path: Path) -> None:
    done = in_production("", tmp_path, **{**PRODUCTION, "DATABASE_URL": "mysql://a@b/c"})
    assert "postgresql://" in done.stderr.splitlines()[-1]


SAMPLE_DOORS = """
from unittest.mock import patch
from django.conf import settings
from django.test import Client, override_settings
from brightspots_web.directory import queries
from brightspots_web.directory.models import System
assert settings.SAMPLE_MODE is False and settings.SECOND_FACTOR_REQUIRED is True
settings.STATIC_ROOT.mkdir()
left_over = patch.object(queries, "system", lambda: System(name="Left over", is_sample=True))
plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing collected
with left_over, override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
    host = {"HTTP_HOST": "brightspots.example", "secure": True}
    print(Client().get("/sample/sign-in/", **host).status_code)
    print(Client().post("/sample/sign-in/1/", **host).status_code)
"""


def test_production_has_no_one_click_sign_in_whatever_environment_and_database_say(
    tmp_path: Path,
) -> None:
    wishes = {"SAMPLE_MODE": "1", "BRIGHTSPOTS_SAMPLE_MODE": "1", "BRIGHTSPOTS_SAMPLE": "true"}
    done = in_production(SAMPLE_DOORS, tmp_path, **PRODUCTION, **wishes)
    assert done.stdout.split() == ["404", "404"], done.stderr


def test_production_keeps_cookies_and_pages_to_https(tmp_path: Path) -> None:
    code = "from django.core.management import call_command; call_command('check', deploy=True)"
    done = in_production(f"{code}", tmp_path, **PRODUCTION)
    assert done.returncode == 0, done.stderr
    warned = [line for line in done.stderr.splitlines() if "security.W" in line]
    # W021: whether browsers preload the domain's HTTPS is the ministry's to decide.
    assert not [line for line in warned if "W021" not in line]


def test_the_secret_key_of_an_installation_is_readable_by_its_owner_alone() -> None:
    from brightspots_web.config.home import secret_key  # the function, not the module's settings

    home = settings.HOME / "another"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BRIGHTSPOTS_SECRET_KEY", raising=False)
        key = secret_key(home)
        assert secret_key(home) == key
    assert len(key) >= 50
    assert (home / "secret-key").stat().st_mode & 0o077 == 0
