from django.apps import AppConfig


class HomeConfig(AppConfig):
    name = "brightspots_web.home"
    label = "home"

    def ready(self) -> None:
        from brightspots_web.home import (
            partnership_part,  # noqa: F401 - registers a part of a partnership's page
        )
