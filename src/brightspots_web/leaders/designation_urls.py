"""Addresses of designation: finding leaders, applying, the panel, terms."""

from django.urls import path

from brightspots_web.leaders import designation_term_views as terms
from brightspots_web.leaders import designation_views as views
from brightspots_web.leaders import finding_views as finding
from brightspots_web.leaders import panel_views as panel

ONE = "applications/<int:pk>/"

urlpatterns = [
    path("", views.leaders, name="leaders"),
    path("list.<export:fmt>", views.leaders_export, name="leaders_export"),
    path("criteria/", views.criteria, name="criteria"),
    path("undesignated/", views.undesignated, name="undesignated"),
    path("undesignated.<export:fmt>", views.undesignated_export, name="undesignated_export"),
    path("finding/", finding.finding, name="finding"),
    path("finding.<export:fmt>", finding.finding_export, name="finding_export"),
    path("finding/areas/", finding.finding_areas, name="finding_areas"),
    path(
        "finding/areas.<export:fmt>", finding.finding_areas_export, name="finding_areas_export"
    ),
    path("finding/schools/<str:code>/", finding.finding_school, name="finding_school"),
    path("nominations/", finding.nominations, name="nominations"),
    path("nominations.<export:fmt>", finding.nominations_export, name="nominations_export"),
    path("nominate/", finding.nominate, name="nominate"),
    path("asked/", finding.asked, name="asked"),
    path("asked/not-now/", finding.not_now, name="not_now"),
    path("apply/", views.apply, name="apply"),
    path("applications/", views.applications, name="applications"),
    path("applications.<export:fmt>", views.applications_export, name="applications_export"),
    path(ONE, views.application, name="application"),
    path(f"{ONE}change/", views.application_change, name="application_change"),
    path(f"{ONE}ask-backing/", views.ask_backing, name="application_ask_backing"),
    path(f"{ONE}back/", views.back, name="application_back"),
    path(f"{ONE}take-without/", views.take_without, name="application_take_without"),
    path(f"{ONE}hand-in/", views.hand_in, name="application_hand_in"),
    path(f"{ONE}take-back/", views.withdraw, name="application_withdraw"),
    path(f"{ONE}panel/", panel.panel, name="panel"),
    path(f"{ONE}panel/call/<int:person>/", panel.call, name="panel_call"),
    path(f"{ONE}panel/<int:member>/take-off/", panel.take_off, name="panel_take_off"),
    path(f"{ONE}panel/<int:member>/set-aside/", panel.set_aside, name="panel_set_aside"),
    path(f"{ONE}panel/free/", panel.free, name="panel_free"),
    path(f"{ONE}panel/bound/", panel.bound, name="panel_bound"),
    path(f"{ONE}panel/view/", panel.view, name="panel_view"),
    path(f"{ONE}decide/", panel.decide, name="panel_decide"),
    path("designations/<int:pk>/", terms.designation, name="designation"),
    path(
        "designations/<int:pk>/partnership/", terms.give_partnership,
        name="designation_partnership",
    ),
    path("designations/<int:pk>/lay-down/", terms.resign, name="designation_resign"),
    path("designations/<int:pk>/renew/", terms.renew, name="designation_renew"),
]  # fmt: skip
