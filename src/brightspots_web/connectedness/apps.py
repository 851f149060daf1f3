from django.apps import AppConfig


class ConnectednessConfig(AppConfig):
    name = "brightspots_web.connectedness"
    label = "connectedness"
