from django.urls import path

from brightspots_web.connectedness import (
    contact_urls,
    practice_urls,
    studio_urls,
    support_urls,
    views,
)

app_name = "connectedness"
urlpatterns = [
    path("partnerships/", views.partnerships, name="partnerships"),
    path("partnerships.<export:fmt>", views.partnerships_export, name="partnerships_export"),
    path("partnerships/<str:code>/", views.partnership, name="partnership"),
    path(
        "partnerships/<str:code>/members.<export:fmt>",
        views.partnership_export,
        name="partnership_export",
    ),
    path(
        "partnerships/<str:code>/strengths.<export:fmt>",
        views.strengths_export,
        name="strengths_export",
    ),
    path("proposals/", views.proposals, name="proposals"),
    path("proposals.<export:fmt>", views.proposals_export, name="proposals_export"),
    *studio_urls.urlpatterns,
    *contact_urls.urlpatterns,
    *support_urls.urlpatterns,
    *practice_urls.urlpatterns,
]
