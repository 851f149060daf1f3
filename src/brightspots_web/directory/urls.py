from django.urls import path

from brightspots_web.directory import views

app_name = "directory"
urlpatterns = [
    path("schools/", views.schools, name="schools"),
    path("schools.<export:fmt>", views.schools_export, name="schools_export"),
    path("people/", views.people, name="people"),
    path("people/appointments/<int:pk>/end/", views.end_appointment, name="end_appointment"),
    path("people/appointments/<int:pk>/password-link/", views.password_link, name="password_link"),
    path("act-as/<int:pk>/", views.act_as, name="act_as"),
    path("sample/sign-in/", views.cast, name="cast"),
    path("sample/sign-in/<int:pk>/", views.sign_in_as, name="sign_in_as"),
]
