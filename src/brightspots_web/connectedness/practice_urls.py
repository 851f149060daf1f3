"""Addresses of practices: the library, one practice, taking it up, talking about it."""

from django.urls import path

from brightspots_web.connectedness import practice_adoption_views as adoption
from brightspots_web.connectedness import practice_views as views

urlpatterns = [
    path("practices/", views.practices, name="practices"),
    path("practices.<export:fmt>", views.practices_export, name="practices_export"),
    path("practices/write/", views.write, name="practice_write"),
    path("practices/<slug:code>/", views.practice, name="practice"),
    path("practices/<slug:code>/change/", views.change, name="practice_change"),
    path("practices/<slug:code>/translate/", views.translate, name="practice_translate"),
    path("practices/<slug:code>/publish/", views.publish, name="practice_publish"),
    path("practices/<slug:code>/withdraw/", views.retire, name="practice_retire"),
    path("practices/<slug:code>/follow/", views.follow, name="practice_follow"),
    path("practices/<slug:code>/comment/", views.comment, name="practice_comment"),
    path("practices/<slug:code>/comments/<int:pk>/hide/", views.hide, name="practice_hide"),
    path(
        "practices/<slug:code>/schools.<export:fmt>",
        adoption.schools_export,
        name="practice_schools_export",
    ),
    path("practices/<slug:code>/take-up/", adoption.adopt, name="practice_adopt"),
    path("practices/<slug:code>/ours/", adoption.ours, name="practice_ours"),
    path("practices/<slug:code>/ours/adapt/", adoption.adapt, name="practice_adapt"),
    path("practices/<slug:code>/ours/stop/", adoption.stop, name="practice_stop"),
    path("practices/<slug:code>/ours/resume/", adoption.resume, name="practice_resume"),
]
