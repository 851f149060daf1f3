from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LeadersConfig(AppConfig):
    name = "brightspots_web.leaders"
    verbose_name = _("Leaders")

    def ready(self) -> None:
        from brightspots_web.leaders import (
            designation_notices,  # noqa: F401 - registers the words of notices and the jobs
            development_notices,  # noqa: F401 - registers the words of notices and the jobs
        )
