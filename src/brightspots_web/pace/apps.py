from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaceConfig(AppConfig):
    name = "brightspots_web.pace"
    verbose_name = _("Pace")

    def ready(self) -> None:
        from brightspots_web.pace import (  # registers words of notices, and jobs
            plan_jobs,  # noqa: F401
            power_notices,  # noqa: F401
            pulse_notices,  # noqa: F401
            stage_notices,  # noqa: F401
        )
