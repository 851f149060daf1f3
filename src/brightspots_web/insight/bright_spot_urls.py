"""Addresses of bright spots. An outcome may hold any character, so it comes last."""

from django.urls import path

from brightspots_web.insight import bright_spot_views as views

urlpatterns = [
    path("bright-spots/", views.bright_spots, name="bright_spots"),
    path("bright-spots.<export:fmt>", views.bright_spots_export, name="bright_spots_export"),
    path(
        "bright-spots/<str:code>/steps.<export:fmt>",
        views.bright_spot_steps,
        name="bright_spot_steps",
    ),
    path("bright-spots/<str:code>/<path:subject>/", views.bright_spot, name="bright_spot"),
    path("visit-sheets/<str:code>/<path:subject>/", views.bright_spot_sheet,
         name="bright_spot_sheet"),
]  # fmt: skip
