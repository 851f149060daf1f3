"""Addresses of evaluations: the list of all, one of them, what could be detected."""

from django.urls import URLPattern, path

from brightspots_web.evidence import evaluation_views as views

urlpatterns: list[URLPattern] = [
    path("evidence/works/", views.works, name="works"),
    path("evidence/works.<export:fmt>", views.works_export, name="works_export"),
    path("evidence/power/", views.power, name="power"),
    path("evidence/evaluations/new/", views.new, name="evaluation_new"),
    path("evidence/evaluations/<int:pk>/", views.evaluation, name="evaluation"),
    path(
        "evidence/evaluations/<int:pk>.<export:fmt>",
        views.evaluation_export,
        name="evaluation_export",
    ),
    path("evidence/evaluations/<int:pk>/record/", views.record, name="evaluation_record"),
    path("evidence/evaluations/<int:pk>/change/", views.change, name="evaluation_change"),
    path("evidence/evaluations/<int:pk>/run/", views.run, name="evaluation_run"),
    path("evidence/evaluations/<int:pk>/publish/", views.publish, name="evaluation_publish"),
    path("evidence/evaluations/<int:pk>/withdraw/", views.withdraw, name="evaluation_withdraw"),
]
