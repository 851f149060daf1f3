"""Addresses of the isolation register, contacts, steps, settings and the network picture."""

from django.urls import path

from brightspots_web.connectedness import closing_views, network_views
from brightspots_web.connectedness import contact_views as views

urlpatterns = [
    path("isolation/", views.isolation, name="isolation"),
    path("isolation.<export:fmt>", views.isolation_export, name="isolation_export"),
    path("isolation/counts.<export:fmt>", views.counts_export, name="counts_export"),
    path("schools/<str:code>/contacts/", views.school_contacts, name="school_contacts"),
    path("schools/<str:code>/contacts.<export:fmt>", views.contacts_export, name="contacts_export"),
    path("schools/<str:code>/contacts/new/", views.record_contact, name="record_contact"),
    path("contacts/<int:pk>/take-back/", views.take_back, name="take_back_contact"),
    path("partnerships/<str:code>/meetings/new/", views.record_meeting, name="record_meeting"),
    path("schools/<str:code>/closing/", closing_views.close_school, name="close_school"),
    path("schools/<str:code>/steps/new/", views.add_step, name="add_step"),
    path("steps/<int:pk>/done/", views.finish_step, name="finish_step"),
    path("connectedness/settings/", views.change_settings, name="settings"),
    path("network/", network_views.network, name="network"),
    path("network.<export:fmt>", network_views.network_export, name="network_export"),
]
