from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevolutionConfig(AppConfig):
    name = "brightspots_web.devolution"
    verbose_name = _("Devolution")

    def ready(self) -> None:
        from brightspots_web.devolution import (
            decision_notices,  # noqa: F401 - registers the words of notices and the jobs
            meeting_notices,  # noqa: F401 - registers the words of notices and the jobs
            meeting_parts,  # noqa: F401 - registers parts of a partnership's page
            meeting_time_queries,  # noqa: F401 - registers hours that are known already
            note_notices,  # noqa: F401 - registers the words of notices and the jobs
            note_parts,  # noqa: F401 - registers a part of a partnership's page
        )
