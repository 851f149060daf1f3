"""Addresses of how much results differ: in the system, an area, a partnership."""

from django.urls import path

from brightspots_web.insight import variability_views as views

AREA, PARTNERSHIP = "variability/areas/<int:pk>", "variability/partnerships/<str:code>"

urlpatterns = [
    path("variability/", views.system, name="variability"),
    path("variability.<export:fmt>", views.system_export, name="variability_export"),
    path(f"{AREA}/", views.area, name="variability_area"),
    path(f"{AREA}.<export:fmt>", views.area_export, name="variability_area_export"),
    path(f"{PARTNERSHIP}/", views.partnership, name="variability_partnership"),
    path(
        f"{PARTNERSHIP}/figures.<export:fmt>",
        views.partnership_export,
        name="variability_partnership_export",
    ),
]
