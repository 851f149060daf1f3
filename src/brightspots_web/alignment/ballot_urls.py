"""Addresses of ballots, of voting in one, and of adopting what was chosen."""

from django.urls import path

from brightspots_web.alignment import adoption_views, ballot_views, ballot_vote_views

urlpatterns = [
    path("ballot/", ballot_views.ballots, name="ballots"),
    path("ballot/open/<int:pk>/", ballot_views.open_ballot, name="ballot_open"),
    path("ballot/<int:pk>/", ballot_views.ballot, name="ballot"),
    path("ballot/<int:pk>/time/", ballot_views.more_time, name="ballot_time"),
    path("ballot/<int:pk>/count/", ballot_views.close, name="ballot_close"),
    path("ballot/<int:pk>/vote/<slug:tier>/", ballot_vote_views.vote, name="ballot_vote"),
    path(
        "ballot/<int:pk>/turnout.<export:fmt>",
        ballot_views.turnout_export,
        name="ballot_turnout_export",
    ),
    path(
        "ballot/<int:pk>/rounds.<export:fmt>",
        ballot_views.rounds_export,
        name="ballot_rounds_export",
    ),
    path("ballot/<int:pk>/papers.<slug:fmt>", ballot_views.papers, name="ballot_papers"),
    path("adopt/<int:pk>/", adoption_views.adopt, name="adopt"),
]
