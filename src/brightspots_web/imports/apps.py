from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "brightspots_web.imports"
    label = "imports"

    def ready(self) -> None:
        from brightspots_web.imports import jobs  # noqa: F401 - registers what this app can do
