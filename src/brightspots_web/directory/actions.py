"""All writes to the register."""

from datetime import date, timedelta
from typing import Any

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory import queries
from brightspots_web.directory.bulk_actions import FIELDS as FIELDS
from brightspots_web.directory.bulk_actions import LONGEST as LONGEST
from brightspots_web.directory.bulk_actions import Change as Change
from brightspots_web.directory.bulk_actions import Comparison as Comparison
from brightspots_web.directory.bulk_actions import SchoolRow as SchoolRow
from brightspots_web.directory.bulk_actions import compare_schools as compare_schools
from brightspots_web.directory.bulk_actions import draw_outlines as draw_outlines
from brightspots_web.directory.bulk_actions import import_schools as import_schools
from brightspots_web.directory.bulk_actions import restore_schools as restore_schools
from brightspots_web.directory.models import (
    Appointment,
    Area,
    Partnership,
    Person,
    School,
    System,
)
from brightspots_web.directory.partnership_actions import Group as Group
from brightspots_web.directory.partnership_actions import call_off as call_off
from brightspots_web.directory.partnership_actions import form_partnerships as form_partnerships
from brightspots_web.shared import audit
from brightspots_web.shared.permissions import Capability, Role, may

OPERATOR = "operator@brightspots.invalid"
"""Who acts when somebody with a shell on the machine uses the command line."""


@transaction.atomic
def name_system(name: str, *, is_sample: bool = False) -> System:
    """Set what the school system is called; the first step of every installation."""
    system = System.objects.first() or System()
    system.name, system.is_sample = name, is_sample
    system.save()
    return system


@transaction.atomic
def command_line_operator() -> Appointment:
    """The analyst's appointment under which the command line acts; nobody can sign in with it."""
    person = Person.objects.filter(email=OPERATOR).first()
    if person is None:
        person = Person.objects.create_user(OPERATOR, None, name=_("Command line"), is_active=False)
    found = queries.live_appointments(person).filter(role=Role.ANALYST).first()
    return found or Appointment.objects.create(
        person=person, role=Role.ANALYST, starts=queries.today()
    )


@transaction.atomic
def register_person(email: str, name: str, *, password: str | None = None) -> Person:
    """Add a person who holds no appointment yet, and so sees nothing yet."""
    if email.strip().lower() == OPERATOR:  # the command line acts by this name; nobody signs in
        raise ValidationError(_("This email address is kept for the command line."))
    if Person.objects.filter(email__iexact=email).exists():
        raise ValidationError(_("A person with this email address is registered already."))
    return Person.objects.create_user(email, password, name=name)


def hold_school(school: School) -> None:
    """Let nobody else begin something for a school until this transaction ends.

    For what there is no row of yet, so that the same, sent twice at once, is done once. Take it
    before any other row. Whoever only refers to the school does not wait.
    """
    list(School.objects.select_for_update(no_key=True).filter(pk=school.pk))


def hold_person(person: int) -> None:
    """Let nobody else begin something for a person until this transaction ends, as for a school.

    Take it after the school, where that is held as well, and before any other row.
    """
    list(Person.objects.select_for_update(no_key=True).filter(pk=person))


@transaction.atomic
def appoint(
    person: Person,
    role: str,
    *,
    by: Appointment,
    area: Area | None = None,
    school: School | None = None,
    partnership: Partnership | None = None,
    starts: date | None = None,
    ends: date | None = None,
) -> Appointment:
    """Give a person a dated role at a place that whoever appoints may see; never upward."""
    _check_may_appoint(by, role, area, school, partnership)
    appointment = Appointment(
        person=person,
        role=role,
        area=area,
        school=school,
        partnership=partnership,
        starts=starts or queries.today(),
        ends=ends,
    )
    _check_is_new(appointment)
    appointment.full_clean()
    appointment.save()
    audit.record("directory.appoint", by=by, target=appointment)
    return appointment


@transaction.atomic
def appoint_by_email(
    email: str, name: str, role: str, *, by: Appointment, **terms: Any
) -> Appointment:
    """Appoint somebody by email address, registering the person when new.

    A new person has no password: whoever appoints hands over a link from :func:`password_link`.
    """
    person = Person.objects.filter(email__iexact=email).exclude(email=OPERATOR).first()
    return appoint(person or register_person(email, name), role, by=by, **terms)


@transaction.atomic
def password_link(person: Person, *, by: Appointment) -> str:
    """The address at which a person sets a new password, once, within `PASSWORD_RESET_TIMEOUT`.

    For those whose every role `by` may give: a password opens all of them. It is handed over in
    person or by post where there is no mail server. A second factor stays in force.
    """
    if person.pk == by.person_id or not queries.may_hand_password(by, person):
        raise PermissionDenied
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    audit.record("directory.password_link", by=by, target=person)
    return reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(person), "key": token},
    )


@transaction.atomic
def forget_second_factor(person: Person, *, by: Appointment) -> int:
    """Remove a lost authenticator and its recovery codes; the person sets up another.

    Only for whoever has the machine's shell, who must know that it is the person who asks.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied
    removed: int = Authenticator.objects.filter(user=person).delete()[0]
    audit.record("directory.forget_second_factor", by=by, target=person)
    return removed


@transaction.atomic
def end_appointment(appointment: Appointment, *, by: Appointment) -> Appointment:
    """End a role today: from the next request on the person acts without it."""
    _check_may_appoint(
        by, appointment.role, appointment.area, appointment.school, appointment.partnership
    )
    today = queries.today()
    if appointment.ends is not None and appointment.ends <= today:
        raise ValidationError(_("This appointment has ended already."))
    appointment.ends = today
    if appointment.starts > today:
        appointment.starts = today - timedelta(days=1)
    appointment.save()
    audit.record("directory.end_appointment", by=by, target=appointment)
    return appointment


def _check_may_appoint(
    by: Appointment,
    role: str,
    area: Area | None,
    school: School | None,
    partnership: Partnership | None,
) -> None:
    if by.person.email == OPERATOR:  # whoever has the machine's shell sets up the first people
        return
    if not may(by, Capability.APPOINT) or role not in queries.APPOINTS.get(by.role, frozenset()):
        raise PermissionDenied
    sees = (
        (area is None or queries.areas_visible_to(by).filter(pk=area.pk).exists())
        and (school is None or queries.schools_visible_to(by).filter(pk=school.pk).exists())
        and (
            partnership is None
            or queries.partnerships_led_from(by).filter(pk=partnership.pk).exists()
        )
    )
    if not sees:
        raise PermissionDenied


def _check_is_new(appointment: Appointment) -> None:
    same = Appointment.objects.filter(
        queries.live(max(appointment.starts, queries.today())),
        person=appointment.person,
        role=appointment.role,
        area=appointment.area,
        school=appointment.school,
        partnership=appointment.partnership,
    )
    if same.exists():
        raise ValidationError(_("This person holds this role there already."))
