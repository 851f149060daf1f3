"""Addresses of promises between equals."""

from django.urls import path

from brightspots_web.accountability import pledge_evidence_views as evidence
from brightspots_web.accountability import pledge_views as views

urlpatterns = [
    path("pledges/", views.pledges, name="pledges"),
    path("pledges.<export:fmt>", views.pledges_export, name="pledges_export"),
    path("pledges/new/<str:half>/", views.new, name="pledge_new"),
    path("pledges/sets/<int:pk>/", views.pledge_set, name="pledge_set"),
    path("pledges/<int:pk>/", views.pledge, name="pledge"),
    path("pledges/<int:pk>/change/", views.change, name="pledge_change"),
    path("pledges/<int:pk>/discard/", views.discard, name="pledge_discard"),
    path("pledges/<int:pk>/vow/", views.vow, name="pledge_vow"),
    path("pledges/<int:pk>/audience/", views.audience, name="pledge_audience"),
    path("pledges/<int:pk>/withdraw/", views.withdraw, name="pledge_withdraw"),
    path("pledges/<int:pk>/witnesses/", views.ask, name="pledge_witnesses"),
    path("pledges/<int:pk>/answer/", views.answer, name="pledge_answer"),
    path("pledges/<int:pk>/check-in/", evidence.check_in, name="pledge_check_in"),
    path("pledges/<int:pk>/evidence/", evidence.show, name="pledge_evidence"),
    path("pledges/<int:pk>/value/", evidence.draw_value, name="pledge_value"),
    path("pledges/evidence/<int:pk>/file/", evidence.file, name="pledge_evidence_file"),
    path("pledges/evidence/<int:pk>/remove/", evidence.remove, name="pledge_evidence_remove"),
]
