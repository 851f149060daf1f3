"""Addresses of the priorities, and of how the system agrees on them."""

from django.urls import path

from brightspots_web.alignment import ballot_urls, living_urls, proposal_urls, views

app_name = "alignment"
urlpatterns = [
    path("", views.priorities, name="priorities"),
    *proposal_urls.urlpatterns,
    *ballot_urls.urlpatterns,
    *living_urls.urlpatterns,
]
