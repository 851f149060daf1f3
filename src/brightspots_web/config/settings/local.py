"""One machine, real data, reached on the loopback address: twenty schools on a laptop."""

from brightspots_web.config.settings.base import *  # noqa: F403 - a settings module extends its base
