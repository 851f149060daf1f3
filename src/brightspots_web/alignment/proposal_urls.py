"""Addresses of the calendar, of proposals, and of what is said to them."""

from django.urls import path

from brightspots_web.alignment import agreement_views as agreements
from brightspots_web.alignment import proposal_talk_views as talk
from brightspots_web.alignment import proposal_views as views

ONE = "proposals/<int:pk>"

urlpatterns = [
    path("calendar/", agreements.calendar, name="calendar"),
    path("calendar/new/", agreements.new, name="calendar_new"),
    path("calendar/<int:pk>/", agreements.change, name="calendar_change"),
    path("proposals/", views.proposals, name="proposals"),
    path("proposals.<export:fmt>", views.proposals_export, name="proposals_export"),
    path("proposals/write/", views.write, name="proposal_write"),
    path(f"{ONE}/", views.proposal, name="proposal"),
    path(f"{ONE}/change/", views.change, name="proposal_change"),
    path(f"{ONE}/propose/", views.propose, name="proposal_propose"),
    path(f"{ONE}/discard/", views.discard, name="proposal_discard"),
    path(f"{ONE}/withdraw/", views.withdraw, name="proposal_withdraw"),
    path(f"{ONE}/consultation/", talk.consultation, name="consultation"),
    path(f"{ONE}/consultation.<export:fmt>", talk.consultation_export, name="consultation_export"),
    path(f"{ONE}/comment/", talk.comment, name="comment"),
    path(f"{ONE}/comments/<int:comment>/answer/", talk.answer, name="answer"),
    path(f"{ONE}/comments/<int:comment>/hide/", talk.hide, name="comment_hide"),
    path(f"{ONE}/merge/", talk.merge, name="merge"),
    path("merging/<int:pk>/", talk.merge_answer, name="merge_answer"),
]
