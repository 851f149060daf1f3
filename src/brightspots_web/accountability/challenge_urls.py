"""Addresses of challenge visits."""

from django.urls import URLPattern, path

from brightspots_web.accountability import challenge_views as views
from brightspots_web.accountability import challenge_visit_views as visits

urlpatterns: list[URLPattern] = [
    path("challenge/", views.challenges, name="challenges"),
    path("challenge.<export:fmt>", views.challenges_export, name="challenges_export"),
    path("challenge/plan/", views.suggestions, name="challenge_plan"),
    path("challenge/new/", views.new, name="challenge_new"),
    path("challenge/ask/", views.ask, name="challenge_ask"),
    path("challenge/settings/", views.set_settings, name="challenge_settings"),
    path("challenge/progress/", visits.progress, name="challenge_progress"),
    path(
        "challenge/progress.<export:fmt>",
        visits.progress_export,
        name="challenge_progress_export",
    ),
    path("challenge/<int:pk>/", views.visit, name="challenge"),
    path("challenge/<int:pk>/challenger/", views.challenger, name="challenge_challenger"),
    path("challenge/<int:pk>/come/", views.confirm, name="challenge_confirm"),
    path("challenge/<int:pk>/cannot/", views.step_back, name="challenge_step_back"),
    path("challenge/<int:pk>/move/", views.move, name="challenge_move"),
    path("challenge/<int:pk>/self-view/", views.self_view, name="challenge_self_view"),
    path("challenge/<int:pk>/call-off/", views.call_off, name="challenge_call_off"),
    path("challenge/<int:pk>/conflict/", views.stand_down, name="challenge_stand_down"),
    path("challenge/<int:pk>/record/", visits.record, name="challenge_record"),
    path("challenge/<int:pk>/words/", visits.add_words, name="challenge_words"),
    path("challenge/<int:pk>/steps/", visits.add_step, name="challenge_step_add"),
    path("challenge/<int:pk>/agree/", visits.agree, name="challenge_agree"),
    path("challenge/<int:pk>/follow-up/", visits.follow_up, name="challenge_follow_up"),
    path("challenge/<int:pk>/closer/", visits.escalate, name="challenge_escalate"),
    path("challenge/steps/<int:pk>/", visits.step, name="challenge_step"),
    path("challenge/steps/<int:pk>/drop/", visits.drop_step, name="challenge_step_drop"),
    path("challenge/closer/<int:pk>/answer/", visits.answer, name="challenge_answer"),
    path("challenge/closer/<int:pk>/end/", visits.end_escalation, name="challenge_closer_end"),
]
