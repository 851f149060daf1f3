from django.urls import path

from brightspots_web.pace import overview_views, plan_urls, power_urls, pulse_urls, stage_urls

app_name = "pace"
urlpatterns = [
    path("pace/", overview_views.home, name="home"),
    *stage_urls.urlpatterns,
    *power_urls.urlpatterns,
    *pulse_urls.urlpatterns,
    *plan_urls.urlpatterns,
]
