"""Addresses of priorities at work, of local senses, and of the directory of indicators."""

from django.urls import path

from brightspots_web.alignment import living_indicator_views as indicators
from brightspots_web.alignment import living_sense_views as senses
from brightspots_web.alignment import living_views as views

HERE = "live/<slug:code>"
MEASURE = f"{HERE}/measures/<int:pk>"

urlpatterns = [
    path("indicators/", indicators.listed, name="indicators"),
    path("indicators.<export:fmt>", indicators.export, name="indicators_export"),
    path("indicators/add/", indicators.add, name="indicator_add"),
    path("indicators/<slug:code>/", indicators.change, name="indicator"),
    path(f"{HERE}/", views.priority, name="priority"),
    path(f"{HERE}/aim/", views.aim, name="aim"),
    path(f"{HERE}/drivers/", views.drivers, name="drivers"),
    path(f"{HERE}/measures.<export:fmt>", views.measures_export, name="measures_export"),
    path(f"{HERE}/measures/add/", views.measure_add, name="measure_add"),
    path(f"{MEASURE}/", views.measure, name="measure"),
    path(f"{MEASURE}/refresh/", views.measure_refresh, name="measure_refresh"),
    path(f"{MEASURE}/remove/", views.measure_remove, name="measure_remove"),
    path(f"{HERE}/here/", senses.senses, name="senses"),
    path(f"{HERE}/here.<export:fmt>", senses.senses_export, name="senses_export"),
    path(f"{HERE}/here/<str:partnership>/", senses.sense, name="sense"),
]
