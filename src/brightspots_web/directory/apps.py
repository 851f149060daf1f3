from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "brightspots_web.directory"
    label = "directory"
