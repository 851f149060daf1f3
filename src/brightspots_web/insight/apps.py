from django.apps import AppConfig


class InsightConfig(AppConfig):
    name = "brightspots_web.insight"
    label = "insight"

    def ready(self) -> None:
        from brightspots_web.insight import jobs  # noqa: F401 - registers what it can do
