from django.apps import AppConfig


class SharedConfig(AppConfig):
    name = "brightspots_web.shared"
    label = "shared"
