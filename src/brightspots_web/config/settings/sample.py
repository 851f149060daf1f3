"""The sample system of `make run`: invented data, one-click sign-in, this machine only."""

from brightspots_web.config.settings.base import *  # noqa: F403 - a settings module extends its base

SAMPLE_MODE = True
SECOND_FACTOR_REQUIRED = False
