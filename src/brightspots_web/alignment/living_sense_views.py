"""What a priority means in a partnership: read and written beside the partnership's own data."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from brightspots_web.alignment import living_pages as pages
from brightspots_web.alignment import living_queries as queries
from brightspots_web.alignment import living_sense_actions as actions
from brightspots_web.alignment import living_sense_pages as sense_pages
from brightspots_web.alignment.living_forms import SenseForm
from brightspots_web.alignment.living_views import FOLDER, found
from brightspots_web.directory import queries as directory
from brightspots_web.directory.forms import AreaFilter, area_or_404
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, fresh, take
from brightspots_web.shared.exports import respond
from brightspots_web.shared.pupil_names import MayNamePupilError

PAGE = 20


@require_http_methods(["GET", "HEAD", "POST"])
def sense(request: ActingRequest, code: str, partnership: str) -> HttpResponse:
    """The words of a partnership; its leader and heads write them here."""
    priority = found(request, code)
    visible = directory.partnerships_visible_to(request.acting)
    group = get_object_or_404(visible, code=partnership)
    written = queries.senses_in(request.acting, group, [priority]).get(priority.pk)
    member = request.acting is not None and request.acting.role in queries.MEMBERS
    if written is None and not member:  # not even that there is one
        raise Http404
    writes = queries.is_live(priority) and queries.may_write_sense(request.acting, group)
    if request.method == "POST" and not writes:
        raise PermissionDenied

    def again(form: forms.Form | None, status: int) -> HttpResponse:
        now = written
        if status == 409 and form is not None:
            now = queries.senses_in(request.acting, group, [priority]).get(priority.pk)
            fresh(form, now.version if now else 0)
        context = sense_pages.page(priority, group, now, request.acting) | {
            "form": form,
            "overtaken": status == 409,
            "reading": form is None or status == 409,
        }
        return render(request, f"{FOLDER}/sense.html", context, status=status)

    if not writes:
        return again(None, 200)
    if request.method != "POST":
        initial = {"seen": 0, "words": "", "shared": False}
        if written is not None:
            initial = {"seen": written.version, "words": written.words, "shared": written.shared}
        return again(SenseForm(initial=initial), 200)
    form = SenseForm(request.POST)

    def write(data: dict[str, object]) -> object:
        try:
            return actions.write_sense(
                priority,
                group,
                str(data["words"]),
                by=by(request),
                seen=form.cleaned_data["seen"],
                shared=bool(data["shared"]),
                names_no_pupil=bool(data["names_no_pupil"]),
            )
        except MayNamePupilError:
            form.fields["names_no_pupil"].widget = forms.CheckboxInput()
            raise

    return take(
        request,
        form,
        write,
        done=_("Saved. The leader and the heads of the partnership are told."),
        back=lambda _written: request.path,
        again=again,
    )


@require_safe
def senses(request: ActingRequest, code: str) -> HttpResponse:
    """What a priority means to the partnerships, as far as one may read it."""
    priority = found(request, code)
    form = AreaFilter(request.GET, acting=request.acting)
    rows = queries.search_senses(request.acting, priority, form.area_asked_for)
    if not form.is_valid():
        rows = rows.none()
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "priority": priority,
        "breadcrumb": pages.crumbs(priority, _("What it means to the partnerships")),
        "form": form,
        "filters": directory.areas_visible_to(request.acting).exists(),
        "page": page,
        "table": sense_pages.table(priority, page, request.GET.urlencode()),
    }
    return render(request, f"{FOLDER}/senses.html", context)


@require_safe
def senses_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    priority = found(request, code)
    rows = queries.search_senses(request.acting, priority, area_or_404(request))
    return respond(
        fmt,
        title=priority.title,
        filename=f"local-senses-{priority.code}",
        columns=sense_pages.columns(),
        rows=sense_pages.rows(rows),
    )
