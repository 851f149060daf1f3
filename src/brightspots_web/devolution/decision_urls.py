"""Addresses of decisions and of plan-do-study-act cycles."""

from django.urls import path

from brightspots_web.devolution import decision_figure_views as figures
from brightspots_web.devolution import decision_follow_views as follow
from brightspots_web.devolution import decision_views as views
from brightspots_web.devolution import pdsa_views as cycles

urlpatterns = [
    path("decisions/", views.decisions, name="decisions"),
    path("decisions/new/", views.decide, name="decide"),
    path("decisions/mine/", views.mine, name="my_decisions"),
    path("decisions/figures/", figures.figures, name="decision_figures"),
    path("decisions/figures.<export:fmt>", figures.figures_export, name="decision_figures_export"),
    path("decisions/<int:pk>/", views.decision, name="decision"),
    path("decisions/<int:pk>/change/", views.change, name="decision_change"),
    path("decisions/<int:pk>/replace/", views.replace, name="decision_replace"),
    path("decisions/<int:pk>/say/", views.say, name="decision_say"),
    path("decisions/<int:pk>/make/", views.close, name="decision_close"),
    path("decisions/<int:pk>/drop/", views.drop, name="decision_drop"),
    path("decisions/<int:pk>/owner/", views.hand_over, name="decision_hand_over"),
    path("decisions/<int:pk>/to-do/", follow.add, name="action_add"),
    path("decisions/to-do/<int:pk>/", follow.done, name="action_done"),
    path("decisions/to-do/<int:pk>/change/", follow.change, name="action_change"),
    path(
        "partnerships/<str:code>/decisions/",
        views.partnership_decisions,
        name="partnership_decisions",
    ),
    path(
        "partnerships/<str:code>/decisions.<export:fmt>",
        views.partnership_decisions_export,
        name="partnership_decisions_export",
    ),
    path("partnerships/<str:code>/cycles/", cycles.partnership_cycles, name="partnership_cycles"),
    path(
        "partnerships/<str:code>/cycles.<export:fmt>",
        cycles.partnership_cycles_export,
        name="partnership_cycles_export",
    ),
    path("cycles/new/", cycles.new, name="cycle_new"),
    path("cycles/<int:pk>/", cycles.cycle, name="cycle"),
    path("cycles/<int:pk>/change/", cycles.change, name="cycle_change"),
    path("cycles/<int:pk>/study/", cycles.study, name="cycle_study"),
    path("cycles/<int:pk>/values/", cycles.add_value, name="value_add"),
    path("cycles/<int:pk>/values.<export:fmt>", cycles.cycle_export, name="cycle_export"),
    path("cycles/<int:pk>/values/<int:point>/", cycles.change_value, name="value_change"),
    path("cycles/<int:pk>/values/<int:point>/remove/", cycles.remove_value, name="value_remove"),
]
