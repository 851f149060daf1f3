"""What views of every part share: a form is taken, or shown again with what is wrong."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect

from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.overtaken import OvertakenError

Again = Callable[[forms.Form, int], HttpResponse]


def by(request: ActingRequest) -> Appointment:
    """Whoever acts; 403 for somebody without an appointment."""
    if request.acting is None:
        raise PermissionDenied
    return request.acting


def take(
    request: ActingRequest,
    form: forms.Form,
    act: Callable[[dict[str, Any]], Any],
    *,
    done: str,
    back: Callable[[Any], str],
    again: Again,
    row: Any = None,
) -> HttpResponse:
    """Do what a form asks for and go on, or show the form again with what is wrong.

    Nothing typed is lost: what was overtaken by somebody else comes back with status 409.

    Parameters
    ----------
    row
        What the form changes, where it has a version: once overtaken it is read anew, and what was
        typed is held against it from then on.
    """
    status = 200
    if form.is_valid():
        try:
            result = act(form.cleaned_data)
        except OvertakenError as problem:
            form.add_error(None, problem)
            status = 409
            if row is not None:
                row.refresh_from_db()
                fresh(form, row.version)
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            messages.success(request, done)
            return redirect(back(result))
    return again(form, status)


def press(
    request: ActingRequest, act: Callable[[], Any], *, done: str, back: str
) -> HttpResponse:  # fmt: skip
    """Do what a button asks for; what is wrong is said on the page one comes back to."""
    try:
        act()
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, done)
    return redirect(back)


def seen(request: ActingRequest) -> int | None:
    """The version of the row that a button was pressed on."""
    value = request.POST.get("seen", "")
    return int(value) if value.isdecimal() and len(value) < 10 else None


def fresh(form: forms.Form, version: int) -> forms.Form:
    """The form with what was typed, held from now on against the version just read."""
    if form.is_bound:
        form.data = {**{name: form.data[name] for name in form.data}, "seen": str(version)}
    return form
