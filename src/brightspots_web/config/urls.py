"""Every address, app by app."""

from django.urls import include, path

urlpatterns = [
    path("account/", include("allauth.account.urls")),
    path("account/two-factor/", include("allauth.mfa.urls")),
    path("account/sessions/", include("allauth.usersessions.urls")),
    path("imports/", include("brightspots_web.imports.urls")),
    path("insight/", include("brightspots_web.insight.urls")),
    path("", include("brightspots_web.connectedness.urls")),
    path("", include("brightspots_web.directory.urls")),
    path("", include("brightspots_web.shared.urls")),
    path("", include("brightspots_web.home.urls")),
]
