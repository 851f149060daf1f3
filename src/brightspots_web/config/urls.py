"""Every address, app by app."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path


def no_page(request: HttpRequest) -> HttpResponse:
    raise Http404


urlpatterns = [
    # Addresses are vouched for by whoever appoints; nobody changes the one they sign in with.
    path("account/email/", no_page, name="account_email"),
    path("account/", include("allauth.account.urls")),
    path("account/two-factor/", include("allauth.mfa.urls")),
    path("account/sessions/", include("allauth.usersessions.urls")),
    path("imports/", include("brightspots_web.imports.urls")),
    path("insight/", include("brightspots_web.insight.urls")),
    path("", include("brightspots_web.connectedness.urls")),
    path("priorities/", include("brightspots_web.alignment.urls")),
    path("leaders/", include("brightspots_web.leaders.urls")),
    path("", include("brightspots_web.accountability.urls")),
    path("", include("brightspots_web.evidence.urls")),
    path("", include("brightspots_web.pace.urls")),
    path("", include("brightspots_web.devolution.urls")),
    path("notices/", include("brightspots_web.notices.urls")),
    path("", include("brightspots_web.directory.urls")),
    path("", include("brightspots_web.shared.urls")),
    path("", include("brightspots_web.home.urls")),
]
