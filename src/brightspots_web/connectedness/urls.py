from django.urls import URLPattern

app_name = "connectedness"
urlpatterns: list[URLPattern] = []
