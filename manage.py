"""Django's own commands, for the people who build Brightspots."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brightspots_web.config.settings.local")
    execute_from_command_line(sys.argv)
