"""Addresses of how leaders grow: competences, learning, coaching, time, a leader's page."""

from django.urls import path

from brightspots_web.leaders import coaching_views as coaching
from brightspots_web.leaders import development_learning_views as learning
from brightspots_web.leaders import development_rating_views as rating
from brightspots_web.leaders import development_views as views
from brightspots_web.leaders import profile_views as profile
from brightspots_web.leaders import time_views as time

GROW = "development/"
FRAME = f"{GROW}framework/"
LEARN = f"{GROW}learning/"
ONE = f"{LEARN}<int:pk>/"
PAIR = "coaching/<int:pk>/"

urlpatterns = [
    path("me/", profile.me, name="me"),
    path("me/certificate/", profile.certificate, name="certificate"),
    path("me/certificate.pdf", profile.certificate_pdf, name="certificate_pdf"),
    path("<int:pk>/", profile.profile, name="profile"),
    path(GROW, views.development, name="development"),
    path("development.<export:fmt>", rating.export, name="development_export"),
    path(FRAME, views.framework, name="framework"),
    path(f"{FRAME}begin/", views.begin, name="framework_begin"),
    path(f"{FRAME}add/", views.add, name="competence_add"),
    path(f"{FRAME}<slug:code>/", views.change, name="competence_change"),
    path(f"{FRAME}<slug:code>/move/", views.move, name="competence_move"),
    path(f"{FRAME}<slug:code>/retire/", views.retire, name="competence_retire"),
    path(f"{GROW}rate/<slug:code>/", rating.rate, name="rate"),
    path(f"{GROW}ask/", rating.ask, name="ask_colleagues"),
    path(f"{GROW}ask/<int:pk>/take-back/", rating.take_back, name="ask_take_back"),
    path(f"{GROW}answer/<int:pk>/", rating.answer, name="answer"),
    path(f"{GROW}answer/<int:pk>/decline/", rating.decline, name="answer_decline"),
    path(f"{GROW}share/", rating.share, name="share"),
    path(f"{GROW}share/<int:pk>/stop/", rating.stop_sharing, name="share_stop"),
    path(f"{GROW}of/<int:pk>/", rating.development_of, name="development_of"),
    path(LEARN, learning.learning_list, name="learning"),
    path(f"{GROW}learning.<export:fmt>", learning.learning_export, name="learning_export"),
    path(f"{LEARN}offer/", learning.offer, name="learning_offer"),
    path(ONE, learning.learning_one, name="learning_one"),
    path(f"{ONE}change/", learning.change, name="learning_change"),
    path(f"{ONE}cancel/", learning.cancel, name="learning_cancel"),
    path(f"{ONE}take-part/", learning.take_part, name="learning_take_part"),
    path(f"{ONE}leave/", learning.leave, name="learning_leave"),
    path(f"{ONE}attendance/", learning.attendance, name="learning_attendance"),
    path(
        f"{ONE}participants.<export:fmt>", learning.participants, name="learning_participants"
    ),
    path("coaching/", coaching.coaching, name="coaching"),
    path("coaching/ask/", coaching.ask, name="coaching_ask"),
    path(PAIR, coaching.pair, name="coaching_pair"),
    path(f"{PAIR}accept/", coaching.accept, name="coaching_accept"),
    path(f"{PAIR}end/", coaching.end, name="coaching_end"),
    path(f"{PAIR}notes/<int:note>/", coaching.change_note, name="coaching_note"),
    path(f"{PAIR}notes/<int:note>/delete/", coaching.delete_note, name="coaching_note_delete"),
    path("time/", time.time, name="time"),
    path("time.<export:fmt>", time.time_export, name="time_export"),
    path("time/middle-tier/", time.time_balance, name="time_balance"),
    path("time/middle-tier.<export:fmt>", time.time_balance_export, name="time_balance_export"),
]  # fmt: skip
