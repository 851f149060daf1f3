"""Addresses of peer reviews up to the visit."""

from django.urls import URLPattern, path

from brightspots_web.accountability import review_team_views as team
from brightspots_web.accountability import review_views as views

urlpatterns: list[URLPattern] = [
    path("reviews/", views.reviews, name="reviews"),
    path("reviews.<export:fmt>", views.reviews_export, name="reviews_export"),
    path("reviews/new/", views.new, name="review_new"),
    path("reviews/coverage/", views.coverage, name="review_coverage"),
    path(
        "reviews/coverage.<export:fmt>", views.coverage_export, name="review_coverage_export"
    ),
    path("reviews/champions/", team.champions, name="champions"),
    path("reviews/champions/<int:pk>/end/", team.end_champion, name="champion_end"),
    path("reviews/<int:pk>/", views.review, name="review"),
    path("reviews/<int:pk>/self-review/", views.self_review, name="review_self"),
    path("reviews/<int:pk>/seek/", views.seek, name="review_seek"),
    path("reviews/<int:pk>/team/", team.ask, name="review_team"),
    path("reviews/<int:pk>/schedule/", views.schedule, name="review_schedule"),
    path("reviews/<int:pk>/call-off/", views.call_off, name="review_call_off"),
    path("reviews/<int:pk>/conflict/", team.stand_down, name="review_stand_down"),
    path("reviews/seats/<int:pk>/answer/", team.answer, name="review_answer"),
    path("reviews/seats/<int:pk>/lead/", team.lead, name="review_lead"),
    path("reviews/seats/<int:pk>/take-back/", team.take_back, name="review_take_back"),
]  # fmt: skip
