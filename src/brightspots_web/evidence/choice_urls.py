"""Addresses of choices and lotteries."""

from django.urls import URLPattern, path

from brightspots_web.evidence import choice_lottery_views as lotteries
from brightspots_web.evidence import choice_views as views

urlpatterns: list[URLPattern] = [
    path("evidence/choices/", views.choices, name="choices"),
    path("evidence/choices.<export:fmt>", views.choices_export, name="choices_export"),
    path("evidence/choices/<int:pk>/", views.choice, name="choice"),
    path("evidence/lotteries/", lotteries.lotteries, name="lotteries"),
    path("evidence/lotteries/new/", lotteries.new, name="lottery_new"),
    path("evidence/lotteries/<int:pk>/", lotteries.lottery, name="lottery"),
    path("evidence/lotteries/<int:pk>/change/", lotteries.change, name="lottery_change"),
    path("evidence/lotteries/<int:pk>/answer/", lotteries.answer, name="lottery_answer"),
    path("evidence/lotteries/<int:pk>/open/", lotteries.open_list, name="lottery_open"),
    path("evidence/lotteries/<int:pk>/draw/", lotteries.draw, name="lottery_draw"),
    path("evidence/lotteries/<int:pk>/again/", lotteries.begin_again, name="lottery_again"),
    path("evidence/lotteries/<int:pk>/call-off/", lotteries.call_off, name="lottery_call_off"),
    path("evidence/lotteries/<int:pk>/lottery.json", lotteries.lottery_file, name="lottery_file"),
    path(
        "evidence/lotteries/<int:pk>/lottery-with-names.json",
        lotteries.lottery_file_names,
        name="lottery_file_names",
    ),
    path(
        "evidence/lotteries/<int:pk>/schools.<export:fmt>",
        lotteries.lottery_export,
        name="lottery_export",
    ),
    path("evidence/lotteries/places/<int:pk>/", lotteries.let_go, name="lottery_let_go"),
]
