"""How leaders grow: the framework, one's own page of it, what officers see of the group."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, seen, take
from brightspots_web.leaders import development_framework_actions as actions
from brightspots_web.leaders import development_group_queries as group
from brightspots_web.leaders import development_pages as pages
from brightspots_web.leaders import development_queries as queries
from brightspots_web.leaders.development_forms import CompetenceForm
from brightspots_web.leaders.models import Competence
from brightspots_web.shared import words
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "leaders/development"


@require_safe
def development(request: ActingRequest) -> HttpResponse:
    """One's own competences side by side; for officers and the ministry what serves the group."""
    acting = by(request)
    context = pages.own_page(acting)
    context["breadcrumb"] = pages.crumbs()
    context["exports"] = export_links("leaders:development_export")
    if may(acting, Capability.FIND_LEADERS):
        found = group.group_of(acting)
        context["group"] = found
        context["group_as_of"] = words.day(found.as_of)
        context["fewest"] = group.FEWEST_PEOPLE
    context["may_learn"] = queries.may_learn(acting)
    context["records_time"] = may(acting, Capability.RECORD_TIME)
    return render(request, f"{FOLDER}/development.html", context)


@require_safe
def framework(request: ActingRequest) -> HttpResponse:
    """What a leader has to be good at; the ministry changes it from here."""
    return render(request, f"{FOLDER}/framework.html", pages.framework_page(by(request)))


@requires(Capability.SET_LEADERS)
@require_POST
def begin(request: ActingRequest) -> HttpResponse:
    return press(
        request,
        lambda: actions.begin(by=by(request)),
        done=_("The framework has begun. Make the words your own."),
        back=reverse("leaders:framework"),
    )


def _framework_url(_result: object = None) -> str:
    return reverse("leaders:framework")


@requires(Capability.SET_LEADERS)
@READ_OR_SEND
def add(request: ActingRequest) -> HttpResponse:
    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {"form": form, "breadcrumb": _crumbs(_("Add"))}
        return render(request, f"{FOLDER}/competence.html", context, status=status)

    if request.method != "POST":
        return again(CompetenceForm(), 200)
    form = CompetenceForm(request.POST)
    return take(
        request, form, lambda data: actions.add(form.text(), by=by(request)),
        done=_("Added at the end of the framework."), back=_framework_url, again=again,
    )  # fmt: skip


def _crumbs(step: str) -> list[Link]:
    return pages.crumbs(Link(_("Competences of a leader"), _framework_url()), step)


def _competence(code: str) -> Competence:
    return get_object_or_404(queries.all_competences(), code=code)


@requires(Capability.SET_LEADERS)
@READ_OR_SEND
def change(request: ActingRequest, code: str) -> HttpResponse:
    found = _competence(code)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "competence": found,
            "levels": pages.levels_of(found),
            "overtaken": status == 409,
            "breadcrumb": _crumbs(found.name),
        }
        return render(request, f"{FOLDER}/competence.html", context, status=status)

    if request.method != "POST":
        levels = {f"level_{at}": text for at, text in enumerate(found.levels, start=1)}
        initial = {"seen": found.version, "name": found.name, "what_it_is": found.what_it_is}
        return again(CompetenceForm(initial=initial | levels), 200)
    form = CompetenceForm(request.POST)
    return take(
        request, form,
        lambda data: actions.change(found, form.text(), by=by(request), seen=data["seen"]),
        done=_("Saved. What was said before keeps the words it was said for."),
        back=_framework_url, again=again,
        row=found,
    )  # fmt: skip


@requires(Capability.SET_LEADERS)
@require_POST
def move(request: ActingRequest, code: str) -> HttpResponse:
    up = request.POST.get("to") == "up"
    return press(
        request, lambda: actions.move(_competence(code), by=by(request), up=up),
        done=_("Moved."), back=_framework_url(),
    )  # fmt: skip


@requires(Capability.SET_LEADERS)
@require_POST
def retire(request: ActingRequest, code: str) -> HttpResponse:
    """Take a competence out, or bring it back."""
    found, back = _competence(code), request.POST.get("back") == "1"
    act = actions.bring_back if back else actions.retire
    return press(
        request, lambda: act(found, by=by(request), seen=seen(request)),
        done=_("It is in the framework again.") if back
        else _("Taken out. What was said of it stays with those who said it."),
        back=_framework_url(),
    )  # fmt: skip


def grows(request: ActingRequest) -> None:
    """Answer 403 to somebody who is neither leader, nor designated, nor applicant."""
    if not queries.may_grow(by(request)):
        raise PermissionDenied
