from django.urls import path

from brightspots_web.insight import (
    bright_spot_urls,
    compare_views,
    run_views,
    variability_urls,
    views,
)

app_name = "insight"
urlpatterns = [
    path("runs/", views.runs, name="runs"),
    path("runs.<export:fmt>", views.runs_export, name="runs_export"),
    path("runs/<uuid:uuid>/", views.run, name="run"),
    path("runs/<uuid:uuid>/diagnostics/", run_views.diagnostics, name="diagnostics"),
    path("runs/<uuid:uuid>/publish/", run_views.publish, name="publish"),
    path("runs/<uuid:uuid>/withdraw/", run_views.withdraw, name="withdraw"),
    path("runs/<uuid:uuid>/discard/", run_views.discard, name="discard"),
    path("runs/<uuid:uuid>/outcomes.<export:fmt>", views.outcomes_export, name="outcomes_export"),
    path("runs/<uuid:uuid>/sources.<export:fmt>", views.sources_export, name="sources_export"),
    path("runs/<uuid:uuid>/effects.<export:fmt>", run_views.effects_export, name="effects_export"),
    path("runs/<uuid:uuid>/effects.parquet", run_views.effects_parquet, name="effects_parquet"),
    path("runs/<uuid:uuid>/tables.zip", run_views.tables, name="tables"),
    path("runs/<uuid:uuid>/record.json", run_views.record, name="record"),
    path("compare/", compare_views.compare, name="compare"),
    path("start/", views.start, name="start"),
    *bright_spot_urls.urlpatterns,
    *variability_urls.urlpatterns,
]
