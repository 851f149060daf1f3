from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "brightspots_web.imports"
    label = "imports"
