"""Addresses of the studio."""

from django.urls import URLPattern, path

from brightspots_web.connectedness import studio_decide_views as decide
from brightspots_web.connectedness import studio_views as views

urlpatterns: list[URLPattern] = [
    path("proposals/<int:pk>/", views.proposal, name="proposal"),
    path("proposals/<int:pk>/members.<export:fmt>", views.proposal_export, name="proposal_export"),
    path("proposals/<int:pk>/move/", views.move, name="move"),
    path("proposals/<int:pk>/leader/", views.leader, name="leader"),
    path("proposals/<int:pk>/pins/", views.pins, name="pins"),
    path("proposals/<int:pk>/pins/<int:pin>/remove/", views.remove_pin, name="remove_pin"),
    path("proposals/<int:pk>/undo/", views.undo, name="undo"),
    path("proposals/<int:pk>/take-out-closed/", views.take_out_closed, name="take_out_closed"),
    path("proposals/<int:pk>/again/", views.rerun, name="rerun"),
    path("proposals/<int:pk>/history/", views.history, name="history"),
    path("proposals/<int:pk>/history.<export:fmt>", views.history_export, name="history_export"),
    path("proposals/<int:pk>/compare/", decide.compare, name="compare"),
    path(
        "proposals/<int:pk>/differences.<export:fmt>",
        decide.differences_export,
        name="differences_export",
    ),
    path("proposals/<int:pk>/ask/", decide.consult, name="consult"),
    path("proposals/<int:pk>/replies/", decide.replies, name="replies"),
    path("proposals/<int:pk>/replies.<export:fmt>", decide.replies_export, name="replies_export"),
    path("proposals/<int:pk>/adopt/", decide.adopt, name="adopt"),
    path("proposals/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("proposals/<int:pk>/call-off/", views.call_off, name="call_off"),
    path("consultations/<int:pk>/", decide.consultation, name="consultation"),
]
