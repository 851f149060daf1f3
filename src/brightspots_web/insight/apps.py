from django.apps import AppConfig


class InsightConfig(AppConfig):
    name = "brightspots_web.insight"
    label = "insight"
