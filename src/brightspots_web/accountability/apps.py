from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountabilityConfig(AppConfig):
    name = "brightspots_web.accountability"
    verbose_name = _("Accountability")

    def ready(self) -> None:
        from brightspots_web.accountability import (  # registers words of notices, and jobs
            ceremony_notices,  # noqa: F401
            challenge_notices,  # noqa: F401
            dialogue_notices,  # noqa: F401
            pledge_notices,  # noqa: F401
            response_notices,  # noqa: F401
            review_notices,  # noqa: F401
            visit_notices,  # noqa: F401
            voice_notices,  # noqa: F401
        )
