from brightspots_web.leaders import designation_urls, development_urls

app_name = "leaders"
urlpatterns = [*designation_urls.urlpatterns, *development_urls.urlpatterns]
