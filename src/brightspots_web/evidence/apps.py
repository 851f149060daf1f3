from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EvidenceConfig(AppConfig):
    name = "brightspots_web.evidence"
    verbose_name = _("Evidence")

    def ready(self) -> None:
        from brightspots_web.evidence import (  # registers words of notices, and jobs
            choice_notices,  # noqa: F401
            evaluation_jobs,  # noqa: F401
            evaluation_notices,  # noqa: F401
            record_jobs,  # noqa: F401
            record_parts,  # noqa: F401 - what it adds to apps below
        )
