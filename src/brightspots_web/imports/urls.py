from django.urls import path

from brightspots_web.imports import views

app_name = "imports"
urlpatterns = [
    path("", views.batches, name="batches"),
    path("imports.<export:fmt>", views.batches_export, name="batches_export"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.batch, name="batch"),
    path("<int:pk>/problems.<export:fmt>", views.problems_export, name="problems_export"),
    path("<int:pk>/mapping/", views.mapping, name="mapping"),
    path("<int:pk>/mapping/saved/", views.use_saved, name="use_saved"),
    path("<int:pk>/reading/", views.read_again, name="read_again"),
    path("<int:pk>/confirm/", views.confirm, name="confirm"),
    path("<int:pk>/undo/", views.undo, name="undo"),
    path("<int:pk>/discard/", views.discard, name="discard"),
]
