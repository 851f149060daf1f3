"""Addresses of scoring."""

from django.urls import URLPattern, path

from brightspots_web.accountability import ceremony_views as scoring

urlpatterns: list[URLPattern] = [
    path("pledges/settings/", scoring.settings, name="pledge_settings"),
    path("pledges/<int:pk>/score/", scoring.score, name="score"),
    path("pledges/<int:pk>/score/peers/", scoring.ask, name="score_peers"),
    path("pledges/<int:pk>/score/outcome/", scoring.outcome, name="score_outcome"),
    path("pledges/<int:pk>/score/conflict/", scoring.weigh, name="score_weigh"),
    path("pledges/<int:pk>/verify/", scoring.verify, name="verify"),
    path("pledges/<int:pk>/verify/cannot/", scoring.cannot, name="verify_cannot"),
]
