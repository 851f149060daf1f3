"""Addresses of stages."""

from django.urls import URLPattern, path

from brightspots_web.pace import stage_views as views

urlpatterns: list[URLPattern] = [
    path("pace/stages/", views.stages, name="stages"),
    path("pace/stages.<export:fmt>", views.stages_export, name="stages_export"),
    path("pace/stages/texts/", views.texts, name="stage_texts"),
    path("pace/stages/texts/<str:strand>/", views.text, name="stage_text"),
    path("pace/stages/<str:kind>/<int:pk>/", views.stage, name="stage"),
    path("pace/stages/<str:kind>/<int:pk>/open/", views.open_round, name="stage_open"),
    path("pace/rounds/<int:pk>/rate/", views.rate, name="stage_rate"),
    path("pace/rounds/<int:pk>/day/", views.move_day, name="stage_day"),
    path("pace/rounds/<int:pk>/close/", views.close, name="stage_close"),
    path("pace/rounds/<int:pk>/put/", views.put, name="stage_put"),
    path("pace/rounds/<int:pk>/say/", views.say, name="stage_say"),
    path("pace/rounds/<int:pk>/settle/", views.settle, name="stage_settle"),
]
