from django.urls import path

from brightspots_web.shared import views

app_name = "shared"
urlpatterns = [
    path("health/", views.health, name="health"),
    path("jobs/", views.job_list, name="jobs"),
    path("jobs/<int:pk>/", views.job, name="job"),
    path("jobs/<int:pk>/stop/", views.stop_job, name="stop_job"),
    path("audit/", views.audit_trail, name="audit"),
    path("audit.<export:fmt>", views.audit_export, name="audit_export"),
]
