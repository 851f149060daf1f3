"""Tests: everything as in the sample, in a temporary home, with quick passwords."""

import os
import tempfile

os.environ.setdefault("BRIGHTSPOTS_HOME", tempfile.mkdtemp(prefix="brightspots-test-"))

from brightspots_web.config.settings.base import *  # noqa: F403 - the home folder comes first

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - from the base
SAMPLE_MODE = True
SECOND_FACTOR_REQUIRED = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
