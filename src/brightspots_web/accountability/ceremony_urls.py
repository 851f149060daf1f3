"""Addresses of scoring, of ceremonies and of the shared result of an area."""

from django.urls import URLPattern, path

from brightspots_web.accountability import ceremony_page_views as ceremonies
from brightspots_web.accountability import ceremony_views as scoring
from brightspots_web.accountability import shared_result_views as shared

urlpatterns: list[URLPattern] = [
    path("pledges/settings/", scoring.settings, name="pledge_settings"),
    path("pledges/<int:pk>/score/", scoring.score, name="score"),
    path("pledges/<int:pk>/score/peers/", scoring.ask, name="score_peers"),
    path("pledges/<int:pk>/score/outcome/", scoring.outcome, name="score_outcome"),
    path("pledges/<int:pk>/score/conflict/", scoring.weigh, name="score_weigh"),
    path("pledges/<int:pk>/verify/", scoring.verify, name="verify"),
    path("pledges/<int:pk>/verify/cannot/", scoring.cannot, name="verify_cannot"),
    path("pledges/ceremony/", ceremonies.ceremonies, name="ceremonies"),
    path(
        "pledges/ceremony/<str:code>/<int:cycle>/",
        ceremonies.ceremony,
        name="ceremony",
    ),
    path(
        "pledges/ceremony/<str:code>/<int:cycle>.pdf",
        ceremonies.ceremony_pdf,
        name="ceremony_pdf",
    ),
    path(
        "pledges/ceremony/<str:code>/<int:cycle>.<export:fmt>",
        ceremonies.ceremony_export,
        name="ceremony_export",
    ),
    path(
        "pledges/ceremony/<str:code>/<int:cycle>/learned/",
        ceremonies.learned,
        name="ceremony_learned",
    ),
    path("areas/<int:pk>/shared-result/", shared.shared_result, name="shared_result"),
    path(
        "areas/<int:pk>/shared-result.<export:fmt>",
        shared.shared_result_export,
        name="shared_result_export",
    ),
]
