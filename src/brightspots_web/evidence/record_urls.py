"""Addresses of track records."""

from django.urls import URLPattern, path

from brightspots_web.evidence import record_views as views

urlpatterns: list[URLPattern] = [
    path("evidence/records/", views.records, name="records"),
    path("evidence/records.<export:fmt>", views.records_export, name="records_export"),
    path("evidence/records/exploration/", views.exploration, name="record_exploration"),
    path("evidence/records/reckon/", views.reckon, name="record_reckon"),
    path("evidence/records/<int:pk>/", views.record, name="record"),
    path("evidence/records/projects/<int:pk>/", views.say, name="record_words"),
]
