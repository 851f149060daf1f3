"""Addresses of the pulse."""

from django.urls import URLPattern, path

from brightspots_web.pace import pulse_views as views

urlpatterns: list[URLPattern] = [
    path("pace/pulse/", views.pulse, name="pulse"),
    path("pace/pulse.<export:fmt>", views.export, name="pulse_export"),
    path("pace/pulse/answer/", views.answer, name="pulse_answer"),
    path("pace/pulse/areas/<int:pk>/", views.area, name="pulse_area"),
    path("pace/pulse/settings/", views.set_settings, name="pulse_settings"),
    path("pace/pulse/settings/<int:pk>/", views.set_terms, name="pulse_terms"),
    path("pace/pulse/terms/<int:pk>/stop/", views.stop, name="pulse_stop"),
]
