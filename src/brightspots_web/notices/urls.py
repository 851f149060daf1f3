"""Addresses of the notices."""

from django.urls import path

from brightspots_web.notices import views

app_name = "notices"
urlpatterns = [
    path("", views.notices, name="notices"),
    path("seen/", views.seen, name="seen"),
    path("rhythm/", views.rhythm, name="rhythm"),
]
