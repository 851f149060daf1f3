from django.apps import AppConfig


class ConnectednessConfig(AppConfig):
    name = "brightspots_web.connectedness"
    label = "connectedness"

    def ready(self) -> None:
        from brightspots_web.connectedness import jobs  # noqa: F401 - registers the jobs
