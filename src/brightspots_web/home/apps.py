from django.apps import AppConfig


class HomeConfig(AppConfig):
    name = "brightspots_web.home"
    label = "home"
