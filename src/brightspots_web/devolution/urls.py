from brightspots_web.devolution import decision_urls, meeting_urls, note_urls

app_name = "devolution"
urlpatterns = [*note_urls.urlpatterns, *meeting_urls.urlpatterns, *decision_urls.urlpatterns]
