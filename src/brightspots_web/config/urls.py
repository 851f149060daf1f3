"""Every address, app by app."""

from django.urls import include, path

handler400 = "brightspots_web.home.views.bad_request"
handler403 = "brightspots_web.home.views.forbidden"
handler404 = "brightspots_web.home.views.not_found"
handler500 = "brightspots_web.home.views.server_error"

urlpatterns = [
    path("account/", include("allauth.account.urls")),
    path("account/two-factor/", include("allauth.mfa.urls")),
    path("account/sessions/", include("allauth.usersessions.urls")),
    path("imports/", include("brightspots_web.imports.urls")),
    path("insight/", include("brightspots_web.insight.urls")),
    path("connectedness/", include("brightspots_web.connectedness.urls")),
    path("", include("brightspots_web.directory.urls")),
    path("", include("brightspots_web.shared.urls")),
    path("", include("brightspots_web.home.urls")),
]
