from django.urls import path

from brightspots_web.insight import views

app_name = "insight"
urlpatterns = [
    path("runs/", views.runs, name="runs"),
    path("runs.<export:fmt>", views.runs_export, name="runs_export"),
    path("runs/<uuid:uuid>/", views.run, name="run"),
    path("runs/<uuid:uuid>/outcomes.<export:fmt>", views.outcomes_export, name="outcomes_export"),
    path("runs/<uuid:uuid>/sources.<export:fmt>", views.sources_export, name="sources_export"),
    path("start/", views.start, name="start"),
]
