"""Roles, and what each may do. Who holds a role, and what it may see, is in the directory."""

from enum import StrEnum
from typing import Any, Protocol

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    MINISTER = "minister", _("Ministry")
    ANALYST = "analyst", _("Analyst")
    DISTRICT_OFFICER = "district_officer", _("District officer")
    SYSTEM_LEADER = "system_leader", _("System leader")
    HEAD = "head", _("Head teacher")
    TEACHER = "teacher", _("Teacher")


class Capability(StrEnum):
    """Something a role may do, wherever it may see."""

    SEE_SYSTEM = "see the whole system"
    SEE_AREA = "see an area's front page and isolation register"
    IMPORT = "import data"
    ANALYSE = "run and audit analyses"
    SEE_BRIGHT_SPOTS = "see who may be a bright spot within what it sees, and record visits there"
    DECIDE_BRIGHT_SPOTS = "confirm bright spots, set them aside, record what became of them"
    FORM_PARTNERSHIPS = "propose and adopt partnerships within what it sees"
    SET_PRIORITIES = "set the two or three priorities of the whole system"
    PROPOSE_PRIORITIES = "propose a priority to the whole system"
    VOTE = "vote on the priorities for its school, partnership, area or ministry"
    WRITE_LOCAL_SENSE = "write what a priority means in its partnership"
    SET_LEADERS = "set the criteria and the competences of leaders, and call panels"
    FIND_LEADERS = "see who could lead, by evidence and nomination, within what it sees"
    APPLY_TO_LEAD = "apply to become a system leader or specialist"
    BACK_LEADERS = "back an application for the area's director"
    RECORD_TIME = "write down where its working time went"
    WRITE_NOTES = "write small data notes of its school"
    SHARE_NOTES = "share its school's notes with the partnership"
    LEAD_CONVERSATIONS = "call the meetings of the partnership it leads, and keep their record"
    DECIDE_TOGETHER = "speak for its school when its partnership decides"
    SET_CONNECTEDNESS = "set the days without contact, the caseload and the leaders' days"
    RECORD_CONTACT = "write down contacts and steps against isolation within what it sees"
    ASK_SUPPORT = "ask for support for its school, and answer for it"
    OFFER_SUPPORT = "offer its school's support, and answer for it"
    BROKER = "triage requests for support and suggest matches within what it sees"
    WRITE_PRACTICES = "write up practices of schools it sees"
    ADOPT_PRACTICES = "take up a practice for its school"
    SET_ACCOUNTABILITY = "set how promises are scored and how often schools are challenged"
    PLEDGE = "promise for its school and another, witness and verify promises of others"
    REVIEW_PEERS = "host peer reviews for its school, and take part in those of others"
    PLAN_CHALLENGE = "plan challenge visits within what it sees, and follow them up"
    CHALLENGE = "visit schools of other areas as a challenger"
    CONSULT = "ask teachers and heads within what it sees, and owe them the answer"
    MODERATE_VOICE = "read what was written before it is shown, where it was named to do so"
    SPEAK_UP = "answer consultations, put suggestions into the box, come to dialogues"
    SET_EVIDENCE = "agree to a lottery, publish evaluations, set how far brokering explores"
    EVALUATE = "ask what support did, run evaluations and draw lotteries"
    RATE_STAGE = "rate the stage of its partnership or area, and agree on it"
    HAND_OVER = "hand powers to partnerships and areas within what it sees, and take them back"
    PLAN_PACE = "plan the rollout and change it by hand"
    ADOPT_PACE = "adopt a rollout plan, and take that back"
    APPOINT = "make and end appointments"
    SEE_AUDIT = "read the audit trail"


CAPABILITIES: dict[str, frozenset[Capability]] = {
    Role.MINISTER: frozenset(
        {
            Capability.SEE_SYSTEM,
            Capability.SEE_AREA,
            Capability.SEE_BRIGHT_SPOTS,
            Capability.DECIDE_BRIGHT_SPOTS,
            Capability.FORM_PARTNERSHIPS,
            Capability.APPOINT,
            Capability.SEE_AUDIT,
            Capability.SET_PRIORITIES,
            Capability.SET_CONNECTEDNESS,
            Capability.RECORD_CONTACT,
            Capability.BROKER,
            Capability.WRITE_PRACTICES,
            Capability.PROPOSE_PRIORITIES,
            Capability.VOTE,
            Capability.SET_LEADERS,
            Capability.FIND_LEADERS,
            Capability.BACK_LEADERS,
            Capability.SET_ACCOUNTABILITY,
            Capability.PLAN_CHALLENGE,
            Capability.CONSULT,
            Capability.SET_EVIDENCE,
            Capability.EVALUATE,
            Capability.HAND_OVER,
            Capability.PLAN_PACE,
            Capability.ADOPT_PACE,
        }
    ),
    Role.ANALYST: frozenset(
        {
            Capability.SEE_SYSTEM,
            Capability.SEE_AREA,
            Capability.SEE_BRIGHT_SPOTS,
            Capability.DECIDE_BRIGHT_SPOTS,
            Capability.IMPORT,
            Capability.ANALYSE,
            Capability.FORM_PARTNERSHIPS,
            Capability.SEE_AUDIT,
            Capability.WRITE_PRACTICES,
            Capability.MODERATE_VOICE,
            Capability.EVALUATE,
            Capability.PLAN_PACE,
        }
    ),
    Role.DISTRICT_OFFICER: frozenset(
        {
            Capability.SEE_AREA,
            Capability.SEE_BRIGHT_SPOTS,
            Capability.DECIDE_BRIGHT_SPOTS,
            Capability.APPOINT,
            Capability.FORM_PARTNERSHIPS,
            Capability.RECORD_CONTACT,
            Capability.BROKER,
            Capability.WRITE_PRACTICES,
            Capability.PROPOSE_PRIORITIES,
            Capability.VOTE,
            Capability.FIND_LEADERS,
            Capability.BACK_LEADERS,
            Capability.RECORD_TIME,
            Capability.PLAN_CHALLENGE,
            Capability.CHALLENGE,
            Capability.CONSULT,
            Capability.MODERATE_VOICE,
            Capability.RATE_STAGE,
            Capability.HAND_OVER,
        }
    ),
    Role.SYSTEM_LEADER: frozenset(
        {
            Capability.SEE_BRIGHT_SPOTS,
            Capability.RECORD_CONTACT,
            Capability.ASK_SUPPORT,
            Capability.OFFER_SUPPORT,
            Capability.WRITE_PRACTICES,
            Capability.ADOPT_PRACTICES,
            Capability.PROPOSE_PRIORITIES,
            Capability.VOTE,
            Capability.WRITE_LOCAL_SENSE,
            Capability.APPLY_TO_LEAD,
            Capability.RECORD_TIME,
            Capability.WRITE_NOTES,
            Capability.SHARE_NOTES,
            Capability.LEAD_CONVERSATIONS,
            Capability.DECIDE_TOGETHER,
            Capability.PLEDGE,
            Capability.REVIEW_PEERS,
            Capability.CHALLENGE,
            Capability.SPEAK_UP,
            Capability.RATE_STAGE,
        }
    ),
    Role.HEAD: frozenset(
        {
            Capability.ASK_SUPPORT,
            Capability.OFFER_SUPPORT,
            Capability.WRITE_PRACTICES,
            Capability.ADOPT_PRACTICES,
            Capability.PROPOSE_PRIORITIES,
            Capability.VOTE,
            Capability.WRITE_LOCAL_SENSE,
            Capability.APPLY_TO_LEAD,
            Capability.WRITE_NOTES,
            Capability.SHARE_NOTES,
            Capability.DECIDE_TOGETHER,
            Capability.PLEDGE,
            Capability.REVIEW_PEERS,
            Capability.SPEAK_UP,
            Capability.RATE_STAGE,
        }
    ),
    Role.TEACHER: frozenset(
        {Capability.APPLY_TO_LEAD, Capability.WRITE_NOTES, Capability.SPEAK_UP}
    ),
}

SECOND_FACTOR_ROLES = frozenset({Role.MINISTER, Role.ANALYST, Role.DISTRICT_OFFICER})


class Actor(Protocol):
    """Whoever acts: an appointment of the directory, as far as lower layers need to know it."""

    pk: Any
    role: str

    @property
    def label(self) -> str: ...


def may(actor: Actor | None, capability: Capability) -> bool:
    """Whether this appointment's role has the capability."""
    return actor is not None and capability in CAPABILITIES[actor.role]
