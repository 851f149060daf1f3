from django.urls import path

from brightspots_web.accountability import (
    ceremony_urls,
    challenge_urls,
    dialogue_urls,
    overview_views,
    pledge_urls,
    response_urls,
    review_urls,
    visit_urls,
    voice_urls,
)

app_name = "accountability"
urlpatterns = [
    path("accountability/", overview_views.home, name="home"),
    *pledge_urls.urlpatterns,
    *ceremony_urls.urlpatterns,
    *review_urls.urlpatterns,
    *visit_urls.urlpatterns,
    *challenge_urls.urlpatterns,
    *voice_urls.urlpatterns,
    *response_urls.urlpatterns,
    *dialogue_urls.urlpatterns,
]
