"""Addresses of rollout plans."""

from django.urls import URLPattern, path

from brightspots_web.pace import plan_after_views as after
from brightspots_web.pace import plan_rollout_views as rollouts
from brightspots_web.pace import plan_views as views

STUDY = "pace/plans/studies/<int:pk>/"
RESULT = "pace/plans/results/<int:pk>/"
PICKED = "pace/plans/<int:pk>/"

urlpatterns: list[URLPattern] = [
    path("pace/plan/", views.adopted, name="plan_adopted"),
    path("pace/plan.<export:fmt>", views.adopted_export, name="plan_adopted_export"),
    path("pace/plan/print/", views.adopted_pdf, name="plan_adopted_pdf"),
    path("pace/plans/", views.plans, name="plans"),
    path("pace/plans/new/", views.new, name="plan_new"),
    path(STUDY, views.study, name="plan_study"),
    path(f"{STUDY}change/", views.change, name="plan_study_change"),
    path(f"{STUDY}areas.<export:fmt>", views.areas_export, name="plan_areas_export"),
    path(f"{STUDY}areas/<int:area>/", views.area, name="plan_area"),
    path(f"{STUDY}readings/", views.readings, name="plan_readings"),
    path(f"{STUDY}draw/", views.draw, name="plan_draw"),
    path(f"{STUDY}stages/", views.stages, name="plan_stages"),
    path(f"{STUDY}assumptions/", views.assumptions, name="plan_assumptions"),
    path(
        f"{STUDY}assumptions.<export:fmt>",
        views.assumptions_export,
        name="plan_assumptions_export",
    ),
    path(f"{STUDY}assumptions/<slug:name>/", views.assumption, name="plan_assumption"),
    path(f"{STUDY}search/", views.search, name="plan_search"),
    path(RESULT, rollouts.result, name="plan_result"),
    path(f"{RESULT}plans.<export:fmt>", rollouts.points_export, name="plan_points_export"),
    path(
        f"{RESULT}assumptions-of/<slug:plan>.<export:fmt>",
        rollouts.sensitivity_export,
        name="plan_sensitivity_export",
    ),
    path(f"{RESULT}pick/", rollouts.pick, name="plan_pick"),
    path(PICKED, rollouts.rollout, name="plan_rollout"),
    path(f"{PICKED}print/", rollouts.rollout_pdf, name="plan_pdf"),
    path(f"{PICKED}waves.<export:fmt>", rollouts.waves_export, name="plan_waves_export"),
    path(f"{PICKED}move/", rollouts.move, name="plan_move"),
    path(f"{PICKED}undo/", rollouts.undo, name="plan_undo"),
    path(f"{PICKED}adopt/", rollouts.adopt, name="plan_adopt"),
    path(f"{PICKED}take-back/", rollouts.take_back, name="plan_take_back"),
    path(f"{PICKED}copy/", rollouts.copy, name="plan_copy"),
    path(f"{PICKED}happened/", after.compare, name="plan_compare"),
    path(
        f"{PICKED}happened.<export:fmt>", after.compare_export, name="plan_compare_export"
    ),
    path(f"{PICKED}happened/<int:area>/", after.start, name="plan_start"),
    path("pace/plans/lessons/<int:pk>/", after.lesson, name="plan_lesson"),
    path("pace/plans/lessons/<int:pk>/accept/", after.accept, name="plan_accept"),
    path("pace/plans/lessons/<int:pk>/leave/", after.leave, name="plan_leave"),
]  # fmt: skip
