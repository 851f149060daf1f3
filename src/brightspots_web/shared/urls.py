from django.urls import path

from brightspots_web.shared import views

app_name = "shared"
urlpatterns = [
    path("health/", views.health, name="health"),
]
