"""`brightspots appoint`: the first people of an installation."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brightspots.core.errors import InputError
from brightspots_cli import platform

if TYPE_CHECKING:
    from brightspots_web.directory.models import Person


class RoleName(str, Enum):  # noqa: UP042 - typer reads the values of a plain str Enum
    """The roles, as the platform names them."""

    minister = "minister"
    analyst = "analyst"
    district_officer = "district_officer"
    system_leader = "system_leader"
    head = "head"
    teacher = "teacher"


def command(
    role: Annotated[RoleName, typer.Argument(help="What the person is appointed as.")],
    email: Annotated[str, typer.Argument(help="Email address: what the person signs in with.")],
    name: Annotated[str, typer.Option(help="The person's name; needed the first time.")] = "",
    place: Annotated[
        str,
        typer.Option(help="School's code, partnership's code or area's name, as the role needs."),
    ] = "",
    home: Annotated[Path | None, typer.Option(help="Folder of the installation.")] = None,
) -> None:
    """Appoint a person; asks for a password when the person is new.

    For the first minister and analyst of an installation, by whoever has this machine's shell.
    Everybody else is appointed on the page "People".
    """
    platform.start(home)
    from django.core.exceptions import ValidationError

    from brightspots_web.directory import actions, queries
    from brightspots_web.directory.forms import PLACE_OF_ROLE, AppointForm
    from brightspots_web.shared.permissions import Role

    by = actions.command_line_operator()
    kind = PLACE_OF_ROLE.get(Role(role.value))
    if (kind is None) != (not place):
        needs = "is held everywhere" if kind is None else f"is held at a {kind}"
        raise InputError(f"the role {role.value} {needs}.", mend="See --place in --help.")
    found = AppointForm.find(by, kind, place) if kind else None
    if kind and found is None:
        raise InputError(f'there is no {kind} "{place}".', mend="Check the spelling.")
    person = queries.person_with(email) or _register(email, name)
    at: dict[str, Any] = {kind: found} if kind else {}
    try:
        appointment = actions.appoint(person, role.value, by=by, **at)
    except ValidationError as problem:
        raise InputError(" ".join(problem.messages)) from problem
    print(f"Appointed: {appointment.label}")


def _register(email: str, name: str) -> Person:
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email

    from brightspots_web.directory import actions

    try:
        validate_email(email)
        if not name:
            raise InputError(f"{email} is new here.", mend="Say who it is with --name.")
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        validate_password(password)
        return actions.register_person(email, name, password=password)
    except ValidationError as problem:
        raise InputError(" ".join(problem.messages)) from problem
