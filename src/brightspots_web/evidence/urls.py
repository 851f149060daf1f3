from django.urls import path

from brightspots_web.evidence import choice_urls, evaluation_urls, overview_views, record_urls

app_name = "evidence"
urlpatterns = [
    path("evidence/", overview_views.home, name="home"),
    *choice_urls.urlpatterns,
    *evaluation_urls.urlpatterns,
    *record_urls.urlpatterns,
]
