"""Addresses of dialogues and of what was promised."""

from django.urls import URLPattern, path

from brightspots_web.accountability import dialogue_commitment_views as promises
from brightspots_web.accountability import dialogue_views as views

urlpatterns: list[URLPattern] = [
    path("dialogues/", views.dialogues, name="dialogues"),
    path("dialogues.<export:fmt>", views.dialogues_export, name="dialogues_export"),
    path("dialogues/new/", views.new, name="dialogue_new"),
    path("dialogues/<int:pk>/", views.dialogue, name="dialogue"),
    path("dialogues/<int:pk>/change/", views.change, name="dialogue_change"),
    path("dialogues/<int:pk>/answer/", views.answer, name="dialogue_answer"),
    path("dialogues/<int:pk>/draw/", views.draw, name="dialogue_draw"),
    path("dialogues/<int:pk>/points/", views.add_point, name="dialogue_point_add"),
    path("dialogues/points/<int:pk>/drop/", views.drop_point, name="dialogue_point_drop"),
    path("dialogues/<int:pk>/minutes/", views.minutes, name="dialogue_minutes"),
    path("dialogues/<int:pk>/call-off/", views.call_off, name="dialogue_call_off"),
    path("dialogues/<int:pk>/dialogue.ics", views.calendar, name="dialogue_calendar"),
    path("commitments/", promises.commitments, name="commitments"),
    path("commitments.<export:fmt>", promises.commitments_export, name="commitments_export"),
    path("commitments/new/", promises.commit, name="commit"),
    path("commitments/<int:pk>/", promises.commitment, name="commitment"),
    path("commitments/<int:pk>/how/", promises.report, name="commitment_report"),
    path("commitments/<int:pk>/end/", promises.end, name="commitment_end"),
    path("commitments/<int:pk>/owner/", promises.hand_over, name="commitment_hand_over"),
]
