"""Addresses of a peer review from the visit on."""

from django.urls import URLPattern, path

from brightspots_web.accountability import visit_after_views as after
from brightspots_web.accountability import visit_views as views

ONE = "reviews/<int:pk>"
urlpatterns: list[URLPattern] = [
    path(f"{ONE}/evidence/", views.evidence, name="review_evidence"),
    path(
        f"{ONE}/evidence/<int:piece>/take-back/", views.take_back, name="review_evidence_take_back"
    ),
    path(f"{ONE}/findings/", views.findings, name="review_findings"),
    path(f"{ONE}/findings/<int:finding>/", views.change, name="review_finding"),
    path(f"{ONE}/findings/<int:finding>/drop/", views.drop, name="review_finding_drop"),
    path(f"{ONE}/findings/<int:finding>/answer/", views.answer, name="review_finding_answer"),
    path(f"{ONE}/agree/", views.agree, name="review_agree"),
    path(f"{ONE}/reply/", after.reply, name="review_reply"),
    path(f"{ONE}/excellence/", after.excellence, name="review_excellence"),
    path(f"{ONE}/practice/", after.practice, name="review_practice"),
    path(f"{ONE}/workshop/", after.workshop, name="review_workshop"),
    path(f"{ONE}/actions/", after.actions, name="review_actions"),
    path(f"{ONE}/actions/<int:action>/", after.done, name="review_action"),
    path(f"{ONE}/actions/<int:action>/drop/", after.drop, name="review_action_drop"),
    path(f"{ONE}/check-back/", after.check_back, name="review_check_back"),
]
