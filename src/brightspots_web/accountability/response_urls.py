"""Addresses of moderation, of answers and of suggestions."""

from django.urls import path

from brightspots_web.accountability import response_views as views
from brightspots_web.accountability import suggestion_views as suggestions

urlpatterns = [
    path("voice/moderate/", views.moderation, name="moderation"),
    path("voice/moderate/<int:pk>/", views.moderate, name="moderate"),
    path("voice/moderate/<int:pk>/<int:comment>/", views.judge, name="judge"),
    path("voice/<int:pk>/look-again/", views.look_again, name="look_again"),
    path("voice/<int:pk>/answer-for/", views.answer_for, name="answer_for"),
    path("voice/<int:pk>/answer-for/send/", views.answer_send, name="answer_send"),
    path(
        "voice/<int:pk>/answer-for/<int:point>/remove/",
        views.point_remove,
        name="answer_point_remove",
    ),
    path("suggestions/", suggestions.suggestions, name="suggestions"),
    path("suggestions.<export:fmt>", suggestions.suggestions_export, name="suggestions_export"),
    path("suggestions/boxes/<int:pk>/new/", suggestions.put_in, name="suggestion_put_in"),
    path(
        "suggestions/boxes/<int:pk>/moderate/", suggestions.moderation,
        name="suggestion_moderation",
    ),
    path(
        "suggestions/boxes/<int:pk>/moderate/<int:suggestion>/", suggestions.judge,
        name="suggestion_judge",
    ),
    path(
        "suggestions/boxes/<int:pk>/look-again/", suggestions.look_again,
        name="suggestion_look_again",
    ),
    path("suggestions/areas/<int:area>/box/", suggestions.box, name="suggestion_box"),
    path("suggestions/<int:pk>/answer/", suggestions.answer, name="suggestion_answer"),
]  # fmt: skip
