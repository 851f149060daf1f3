"""Addresses of support: asking, offering, matching, support under way."""

from django.urls import path

from brightspots_web.connectedness import support_broker_views as brokers
from brightspots_web.connectedness import support_deployment_views as deployments
from brightspots_web.connectedness import support_extension_views as extensions
from brightspots_web.connectedness import support_figures_views as figures
from brightspots_web.connectedness import support_running_views as running
from brightspots_web.connectedness import support_views as views

urlpatterns = [
    path("support/", views.support, name="support"),
    path("support.<export:fmt>", views.support_export, name="support_export"),
    path("support/ask/", views.ask, name="support_ask"),
    path("support/offer/", views.offer, name="support_offer_new"),
    path("support/offers/<int:pk>/", views.one_offer, name="support_offer"),
    path("support/offers/<int:pk>/edit/", views.edit_offer, name="support_offer_edit"),
    path("support/offers/<int:pk>/state/", views.offer_state, name="support_offer_state"),
    path("support/requests/<int:pk>/", views.one_request, name="support_request"),
    path("support/requests/<int:pk>/answer/", views.answer_proposal, name="support_agree"),
    path("support/requests/<int:pk>/withdraw/", views.withdraw, name="support_withdraw"),
    path("support/matches/<int:pk>/accept/", views.accept, name="support_accept"),
    path("support/matches/<int:pk>/decline/", views.decline, name="support_decline"),
    path("support/matches/<int:pk>/withdraw/", views.give_back, name="support_give_back"),
    path("support/matches/<int:pk>/terms/", deployments.terms, name="support_terms"),
    path("support/days/", deployments.days, name="support_days"),
    path("support/days.<export:fmt>", deployments.days_export, name="support_days_export"),
    path("support/under-way/", running.running, name="support_running"),
    path("support/under-way.<export:fmt>", running.running_export, name="support_running_export"),
    path("support/under-way/<int:pk>/", deployments.deployment, name="support_deployment"),
    path("support/under-way/<int:pk>/log/", deployments.log, name="support_log"),
    path("support/under-way/<int:pk>/report/", deployments.report, name="support_report"),
    path("support/under-way/<int:pk>/end/", deployments.end, name="support_end"),
    path("support/under-way/<int:pk>/view/", deployments.view, name="support_view"),
    path("support/under-way/<int:pk>/extend/", extensions.propose, name="support_extend"),
    path("support/later-ends/<int:pk>/agree/", extensions.agree, name="support_extension_agree"),
    path(
        "support/later-ends/<int:pk>/decline/",
        extensions.decline,
        name="support_extension_decline",
    ),
    path(
        "support/later-ends/<int:pk>/withdraw/",
        extensions.withdraw,
        name="support_extension_withdraw",
    ),
    path(
        "support/under-way/<int:pk>/work.<export:fmt>",
        deployments.logs_export,
        name="support_logs_export",
    ),
    path("support/queue/", brokers.queue, name="support_queue"),
    path("support/queue.<export:fmt>", brokers.queue_export, name="support_queue_export"),
    path("support/propose/", brokers.propose, name="support_propose"),
    path("support/match/", brokers.match_all, name="support_match"),
    path("support/requests/<int:pk>/triage/", brokers.triage, name="support_triage"),
    path("support/requests/<int:pk>/shortlist/", brokers.shortlist, name="support_shortlist"),
    path("support/requests/<int:pk>/others/", brokers.others, name="support_others"),
    path("support/requests/<int:pk>/others/<int:offer>/", brokers.why_not, name="support_why_not"),
    path("support/matches/<int:pk>/put/", brokers.put, name="support_put"),
    path("support/figures/", figures.figures, name="support_figures"),
    path("support/figures.<export:fmt>", figures.figures_export, name="support_figures_export"),
    path("support/leaders.<export:fmt>", figures.leaders_export, name="support_leaders_export"),
]
