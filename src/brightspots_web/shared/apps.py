from django.apps import AppConfig

from brightspots_web.shared import converters


class SharedConfig(AppConfig):
    name = "brightspots_web.shared"
    label = "shared"

    def ready(self) -> None:
        converters.register()
