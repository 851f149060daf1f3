from django.urls import path

from brightspots_web.connectedness import views

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
    path("isolation/", views.isolation, name="isolation"),
    path("isolation.<export:fmt>", views.isolation_export, name="isolation_export"),
    path("proposals/", views.proposals, name="proposals"),
    path("proposals/<int:pk>/", views.proposal, name="proposal"),
    path("proposals/<int:pk>/members.<export:fmt>", views.proposal_export, name="proposal_export"),
    path("proposals/<int:pk>/adopt/", views.adopt, name="adopt"),
    path("proposals/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
]
