"""Addresses of readiness and powers."""

from django.urls import URLPattern, path

from brightspots_web.pace import power_views as views

urlpatterns: list[URLPattern] = [
    path("pace/powers/", views.powers, name="powers"),
    path("pace/powers.<export:fmt>", views.powers_export, name="powers_export"),
    path("pace/powers/settings/", views.settings, name="gate_settings"),
    path("pace/powers/<str:kind>/<int:pk>/", views.powers_of, name="powers_of"),
    path("pace/powers/<str:kind>/<int:pk>/ask/", views.ask, name="gate_ask"),
    path("pace/powers/<str:kind>/<int:pk>/offer/", views.offer, name="power_offer"),
    path("pace/readiness/<int:pk>/answer/", views.answer_gate, name="gate_answer"),
    path("pace/transfers/<int:pk>/answer/", views.answer, name="power_answer"),
    path("pace/transfers/<int:pk>/withdraw/", views.withdraw, name="power_withdraw"),
    path("pace/transfers/<int:pk>/take-back/", views.take_back, name="power_take_back"),
    path("pace/transfers/<int:pk>/give-back/", views.give_back, name="power_give_back"),
]
