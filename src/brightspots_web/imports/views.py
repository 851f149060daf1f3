from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Appointment
from brightspots_web.imports import actions, analysis, pages, queries
from brightspots_web.imports.forms import (
    BoundariesForm,
    ConfirmForm,
    MappingForm,
    ReadingForm,
    SavedForm,
    UploadForm,
    too_large,
)
from brightspots_web.imports.models import Batch, Kind
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

PAGE = 50
importing = requires(Capability.IMPORT)


def _by(request: ActingRequest) -> Appointment:
    assert request.acting is not None  # the decorator has seen to it
    return request.acting


def _batch(request: ActingRequest, pk: int) -> Batch:
    return get_object_or_404(queries.batches_visible_to(request.acting), pk=pk)


def _crumbs(batch: Batch | None = None) -> list[Link]:
    crumbs = [Link(_("Imports"), reverse("imports:batches"))]
    if batch is not None:
        crumbs.append(Link(batch.file_name, reverse("imports:batch", args=[batch.pk])))
    return crumbs


@importing
@require_safe
def batches(request: ActingRequest) -> HttpResponse:
    page = Paginator(queries.batches_visible_to(request.acting), PAGE).get_page(
        request.GET.get("page")
    )
    return render(
        request, "imports/batches.html", {"page": page, "table": pages.batches_table(page)}
    )


@importing
@require_safe
def batches_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    found = queries.batches_visible_to(request.acting).iterator(chunk_size=2000)
    return respond(
        fmt,
        title=_("Imports"),
        filename="imports",
        columns=pages.batch_columns(),
        rows=(pages.batch_row(batch) for batch in found),
    )


@importing
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: ActingRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            batch = actions.upload(
                file.file, name=file.name, kind=form.cleaned_data["kind"], by=_by(request)
            )
            actions.look(batch, by=_by(request))
        except ValidationError as error:
            form.add_error("file", error)
        else:
            batch.refresh_from_db()
            ready = not batch.refusal and batch.header
            return redirect("imports:mapping" if ready else "imports:batch", pk=batch.pk)
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.UPLOAD_LIMIT:
        form.errors.pop("file", None)  # "required" would not say why it is not there
        form.add_error("file", too_large())
    context = {"form": form, "submit": _("Upload"), "breadcrumb": _crumbs()}
    return render(request, "imports/new.html", context)


@importing
@never_cache
@require_safe
def batch(request: ActingRequest, pk: int) -> HttpResponse:
    """Where an import stands: at work, checked, live, undone; and what can be done next."""
    found = _batch(request, pk)
    context: dict[str, Any] = {
        "batch": found,
        "facts": pages.facts(found),
        "breadcrumb": _crumbs(),
        "same_file": queries.same_file(found) if found.can_be_mapped else None,
    }
    if found.counts and not found.busy:
        context |= {
            "figures": pages.figures(found),
            "summary": pages.summary(queries.problem_counts(found)),
            "problems": pages.problems_table(found, queries.problems(found, pages.SHOWN)),
        }
    if found.can_be_confirmed:
        context["form"] = ConfirmForm(refused=found.counts.get("refused", 0))
    if found.status == Batch.Status.CONFIRMED and not found.busy:
        context["newer"] = found.changes_register and queries.newer_than(found)
    if found.job is not None and found.job.problem and found.job.is_over:
        context["job_problem"] = found.job.problem
    response = render(request, "imports/batch.html", context)
    if found.busy:
        response["Refresh"] = "2"
    return response


@importing
@require_safe
def problems_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = _batch(request, pk)
    return respond(
        fmt,
        title=_("Problems"),
        filename=f"problems-import-{found.pk}",
        columns=pages.problem_columns(),
        rows=queries.problems(found, pages.EXPORTED),
        note=found.file_name,
    )


@importing
@require_http_methods(["GET", "HEAD", "POST"])
def mapping(request: ActingRequest, pk: int) -> HttpResponse:
    found = _batch(request, pk)
    if not found.can_be_mapped or not found.header:
        return redirect("imports:batch", pk=pk)
    form = _mapping_form(request, found)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data.get("save_as", "")
        try:
            if name:
                actions.save_mapping(form.definition, name=name, kind=found.kind, by=_by(request))
            found = actions.set_mapping(found, form.definition, by=_by(request), name=name)
            actions.check(found, by=_by(request))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("imports:batch", pk=pk)
    context = {
        "batch": found,
        "form": form,
        "breadcrumb": _crumbs(found),
        "preview": pages.preview_table(found, queries.first_rows(found)),
    }
    if found.kind != Kind.BOUNDARIES:
        saved = SavedForm(kind=found.kind, initial={"saved": request.GET.get("saved")})
        context |= {
            "saved": saved if queries.mappings(found.kind).exists() else None,
            "reading": ReadingForm(initial=pages.reading_of(found)),
        }
    return render(request, "imports/mapping.html", context)


def _mapping_form(request: ActingRequest, found: Batch) -> Any:
    data = request.POST if request.method == "POST" else None
    columns = found.header["columns"]
    if found.kind == Kind.BOUNDARIES:
        levels = pages.level_choices(queries.levels())
        start = {name: found.mapping.get(name) for name in ("property", "level", "unmatched")}
        initial = {name: value for name, value in start.items() if value is not None}
        return BoundariesForm(data, columns=columns, levels=levels, initial=initial)
    definition = found.mapping if found.mapping.get("columns") else {}
    if "saved" in request.GET:
        saved = queries.mapping(found.kind, request.GET["saved"])
        definition = saved.definition if saved else definition
    if not definition:
        definition = {
            **analysis.suggest(found.kind, columns, found.file_name),
            **pages.reading_options(found),
        }
    examples = pages.first_cells(found, queries.first_rows(found))
    return MappingForm(
        data, kind=found.kind, columns=columns, definition=definition, examples=examples
    )


@importing
@require_POST
def use_saved(request: ActingRequest, pk: int) -> HttpResponse:
    """Check with a saved mapping as it is, or show it for adjusting."""
    found = _batch(request, pk)
    saved = queries.mapping(found.kind, request.POST.get("saved", ""))
    if saved is None:
        messages.error(request, _("There is no mapping of this name."))
        return redirect("imports:mapping", pk=pk)
    if "adjust" in request.POST:
        address = reverse("imports:mapping", args=[pk], query={"saved": saved.name})
        return redirect(address)
    try:
        found = actions.set_mapping(found, saved.definition, by=_by(request), name=saved.name)
        actions.check(found, by=_by(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("imports:batch", pk=pk)


@importing
@require_POST
def read_again(request: ActingRequest, pk: int) -> HttpResponse:
    found, form = _batch(request, pk), ReadingForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose how to read the file from the lists."))
        return redirect("imports:mapping", pk=pk)
    try:
        actions.read_again(found, form.options(), by=_by(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    found.refresh_from_db()
    return redirect("imports:mapping" if found.header else "imports:batch", pk=pk)


@importing
@require_POST
def confirm(request: ActingRequest, pk: int) -> HttpResponse:
    found = _batch(request, pk)
    form = ConfirmForm(request.POST, refused=found.counts.get("refused", 0))
    form.is_valid()
    leave_out = bool(form.cleaned_data.get("leave_out_refused"))
    try:
        actions.confirm(found, by=_by(request), leave_out_refused=leave_out)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("imports:batch", pk=pk)


@importing
@require_POST
def undo(request: ActingRequest, pk: int) -> HttpResponse:
    try:
        actions.undo(_batch(request, pk), by=_by(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("imports:batch", pk=pk)


@importing
@require_POST
def discard(request: ActingRequest, pk: int) -> HttpResponse:
    try:
        actions.discard(_batch(request, pk), by=_by(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("imports:batch", pk=pk)
