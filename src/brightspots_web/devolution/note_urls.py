"""Addresses of small data: notes, forms for observations, preparing, and how much data is used."""

from django.urls import path

from brightspots_web.devolution import note_views as notes
from brightspots_web.devolution import preparation_views as preparation
from brightspots_web.devolution import rubric_views as rubrics
from brightspots_web.devolution import use_views as use

urlpatterns = [
    path("small-data/", notes.notes, name="notes"),
    path("small-data.<export:fmt>", notes.notes_export, name="notes_export"),
    path("small-data/write/", notes.write, name="note_write"),
    path("small-data/<int:pk>/", notes.note, name="note"),
    path("small-data/<int:pk>/photo.jpg", notes.note_photo, name="note_photo"),
    path("small-data/<int:pk>/change/", notes.change, name="note_change"),
    path("small-data/<int:pk>/ask/", notes.suggest, name="note_suggest"),
    path("small-data/<int:pk>/share/", notes.share, name="note_share"),
    path("small-data/<int:pk>/take-back/", notes.take_back, name="note_take_back"),
    path("small-data/<int:pk>/delete/", notes.delete, name="note_delete"),
    path("small-data/forms/", rubrics.rubrics, name="rubrics"),
    path("small-data/forms/make/", rubrics.make, name="rubric_make"),
    path("small-data/forms/<int:pk>/", rubrics.rubric, name="rubric"),
    path("small-data/forms/<int:pk>/change/", rubrics.change, name="rubric_change"),
    path("small-data/forms/<int:pk>/retire/", rubrics.retire, name="rubric_retire"),
    path(
        "small-data/forms/<int:pk>/seen.<export:fmt>",
        rubrics.observations_export,
        name="rubric_export",
    ),
    path("small-data/prepare/<int:pk>/", preparation.prepare, name="preparation"),
    path("small-data/prepare/<int:pk>/remind/", preparation.remind, name="preparation_remind"),
    path("data-use/", use.data_use, name="data_use"),
    path("data-use/tiers.<export:fmt>", use.tiers_export, name="data_use_tiers"),
    path("data-use/areas.<export:fmt>", use.areas_export, name="data_use_areas"),
]
