from django.urls import path

from brightspots_web.home import views

app_name = "home"
urlpatterns = [
    path("", views.front, name="front"),
]
