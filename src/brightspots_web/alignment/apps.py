from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlignmentConfig(AppConfig):
    name = "brightspots_web.alignment"
    verbose_name = _("Alignment")

    def ready(self) -> None:
        from brightspots_web.alignment import (
            ballot_notices,  # noqa: F401 - registers the words of notices and the jobs
            living_notices,  # noqa: F401 - registers the words of notices and the jobs
            proposal_notices,  # noqa: F401 - registers the words of notices and the jobs
        )
