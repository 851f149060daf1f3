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
    FORM_PARTNERSHIPS = "propose and adopt partnerships"
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
        }
    ),
    Role.DISTRICT_OFFICER: frozenset(
        {
            Capability.SEE_AREA,
            Capability.SEE_BRIGHT_SPOTS,
            Capability.DECIDE_BRIGHT_SPOTS,
            Capability.APPOINT,
        }
    ),
    Role.SYSTEM_LEADER: frozenset({Capability.SEE_BRIGHT_SPOTS}),
    Role.HEAD: frozenset(),
    Role.TEACHER: frozenset(),
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
