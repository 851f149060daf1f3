from django.apps import AppConfig


class ConnectednessConfig(AppConfig):
    name = "brightspots_web.connectedness"
    label = "connectedness"

    def ready(self) -> None:
        from brightspots_web.connectedness import (
            closing_notices,  # noqa: F401 - registers notices
            contact_jobs,  # noqa: F401 - registers the jobs
            contact_notices,  # noqa: F401 - and notices
            jobs,  # noqa: F401 - registers the jobs
            practice_jobs,  # noqa: F401 - registers the jobs
            practice_notices,  # noqa: F401 - and notices
            studio_notices,  # noqa: F401 - and notices
            support_jobs,  # noqa: F401 - registers the jobs
            support_notices,  # noqa: F401 - and notices
        )
