"""Addresses of meetings and data conversations."""

from django.urls import path

from brightspots_web.devolution import conversation_views as conversation
from brightspots_web.devolution import meeting_views as views

urlpatterns = [
    path("meetings/", views.meetings, name="meetings"),
    path("meetings.<export:fmt>", views.meetings_export, name="meetings_export"),
    path("meetings/call/", views.call, name="meeting_call"),
    path("meetings/here/", views.here, name="meeting_here"),
    path("meetings/held/", views.held, name="meetings_held"),
    path("meetings/held.<export:fmt>", views.held_export, name="meetings_held_export"),
    path("meetings/<int:pk>/", views.meeting, name="meeting"),
    path("meetings/<int:pk>/meeting.ics", views.calendar, name="meeting_calendar"),
    path("meetings/<int:pk>/change/", views.change, name="meeting_change"),
    path("meetings/<int:pk>/call-off/", views.cancel, name="meeting_cancel"),
    path("meetings/<int:pk>/who-is-there/", views.present, name="meeting_present"),
    path("meetings/<int:pk>/minutes/", views.minutes, name="meeting_minutes"),
    path("meetings/<int:pk>/minute-taker/", views.minute_taker, name="meeting_taker"),
    path("meetings/<int:pk>/conversation/", conversation.of_meeting, name="meeting_conversation"),
    path(
        "meetings/<int:pk>/conversation.pdf",
        conversation.of_meeting_pdf,
        name="meeting_conversation_pdf",
    ),
    path("partnerships/<str:code>/conversation/", conversation.conversation, name="conversation"),
    path(
        "partnerships/<str:code>/conversation.pdf",
        conversation.conversation_pdf,
        name="conversation_pdf",
    ),
]
