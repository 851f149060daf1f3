"""Addresses of consultations."""

from django.urls import path

from brightspots_web.accountability import voice_answer_views as answering
from brightspots_web.accountability import voice_views as views

urlpatterns = [
    path("voice/", views.voice, name="voice"),
    path("voice.<export:fmt>", views.voice_export, name="voice_export"),
    path("voice/new/", views.new, name="voice_new"),
    path("voice/<int:pk>/", views.consultation, name="consultation"),
    path("voice/<int:pk>/change/", views.change, name="consultation_change"),
    path("voice/<int:pk>/discard/", views.discard, name="consultation_discard"),
    path("voice/<int:pk>/open/", views.open_up, name="consultation_open"),
    path("voice/<int:pk>/withdraw/", views.withdraw, name="consultation_withdraw"),
    path("voice/<int:pk>/count/", views.close, name="consultation_close"),
    path("voice/<int:pk>/answer/", answering.answer, name="consultation_answer"),
    path(
        "voice/<int:pk>/results.<export:fmt>",
        views.results_export,
        name="consultation_results_export",
    ),
]
