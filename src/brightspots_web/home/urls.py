from django.urls import path

from brightspots_web.home import school, views

app_name = "home"
urlpatterns = [
    path("", views.front, name="front"),
    path("methods/", views.methods, name="methods"),
    path("ministry/", views.ministry, name="ministry"),
    path("ministry/attention.<export:fmt>", views.attention_export, name="attention_export"),
    path("areas.<export:fmt>", views.areas_export, name="areas_export"),
    path("areas/<int:pk>/", views.area, name="area"),
    path("schools/<str:code>/", school.school, name="school"),
    path("schools/<str:code>/report.pdf", school.school_report, name="school_report"),
    path("schools/<str:code>/figures.<export:fmt>", school.school_figures, name="school_figures"),
    path("schools/<str:code>/groups.<export:fmt>", school.groups_export, name="school_groups"),
    path(
        "schools/<str:code>/other-ways.<export:fmt>",
        school.sensitivity_export,
        name="school_sensitivity",
    ),
    path("schools/<str:code>/needs.<export:fmt>", school.needs_export, name="school_needs"),
    path("schools/<str:code>/why.<export:fmt>", school.why_export, name="school_why_export"),
    path("schools/<str:code>/why/<path:subject>/", school.why_figure, name="why"),
    path("schools/<str:code>/family/", school.family, name="school_family"),
    path(
        "schools/<str:code>/family.<export:fmt>", school.family_export, name="school_family_export"
    ),
]
