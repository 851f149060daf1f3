"""Writing a note on a phone, the list of notes, one note, its photograph."""

from hashlib import sha256
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.devolution import note_actions as actions
from brightspots_web.devolution import note_pages as pages
from brightspots_web.devolution import note_queries as queries
from brightspots_web.devolution import note_share_actions as sharing
from brightspots_web.devolution import preparation_queries as preparation
from brightspots_web.devolution import rubric_queries as rubrics
from brightspots_web.devolution import use_actions
from brightspots_web.devolution.models import DataNote, Rubric
from brightspots_web.devolution.note_forms import NoteFilter, NoteForm, answers_in_form
from brightspots_web.devolution.note_photos import Photo
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Appointment
from brightspots_web.directory.view_helpers import by, fresh, press, seen, take
from brightspots_web.shared.exports import respond
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.pupil_names import MayNamePupilError

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])


def _filter(request: ActingRequest) -> NoteFilter:
    visible = queries.notes_visible_to(request.acting)
    return NoteFilter(
        request.GET,
        priorities=queries.priorities_to_choose(),
        schools=queries.schools_among(visible),
    )


@requires(Capability.WRITE_NOTES)
@require_safe
def notes(request: ActingRequest) -> HttpResponse:
    """The notes of the school and of the partnership, with what they are about."""
    form = _filter(request)
    found = queries.search(request.acting, form.search())
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    use_actions.count(request.acting, use_actions.LOOKED)
    context = {
        "form": form,
        "page_obj": page,
        "entries": pages.entries(page, request.acting, request.GET),
        "found": pages.found_sentence(page.paginator.count),
        "narrowed": form.has_changed(),
        "exports": pages.list_exports(request.acting, request.GET.urlencode()),
        "may_write": queries.may_write(request.acting),
        "meeting": preparation.coming_meeting(request.acting),
        **pages.themes(found, request.GET, request.GET.get("tag", "")),
    }
    return render(request, "devolution/notes.html", context)


@requires(Capability.WRITE_NOTES)
@require_safe
def notes_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    """The own school's notes: what others shared is theirs to give away."""
    found = queries.own_notes(by(request), _filter(request).search())
    return respond(
        fmt,
        title=_("Small data"),
        filename="notes",
        columns=pages.columns(),
        rows=pages.rows(found.iterator(chunk_size=500)),
        note=_("Notes of one school. They say what people saw and heard, not how things are."),
    )


@READ_OR_SEND
def write(request: ActingRequest) -> HttpResponse:
    """Write a note down; on a phone, without a script."""
    if not queries.may_write(request.acting):
        return _not_kept(request)
    rubric = _rubric_asked_for(request)
    form = _form(request, rubric=rubric)

    def act(data: dict[str, Any]) -> DataNote:
        photo = _photo_of(request, form)
        note = actions.write(
            form.said(),
            by=by(request),
            client_key=form.key,
            photo=photo,
            names_nobody=data["names_nobody"],
        )
        if data.get("share"):
            _pass_on(note, by(request))
        return note

    return _answer(request, form, act, _("Kept."), {"rubric": rubric})


def _pass_on(note: DataNote, acting: Appointment) -> None:
    """Share it where the writer may; else ask the head to."""
    if queries.may_share(acting, note):
        sharing.share(note, by=acting, seen=None)
    else:
        sharing.suggest(note, by=acting)


@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    note = _found(request, pk)
    if not queries.may_change(request.acting, note):
        raise PermissionDenied
    form = _form(request, note=note, rubric=note.rubric)

    def act(data: dict[str, Any]) -> DataNote:
        return actions.change(
            note,
            form.said(),
            by=by(request),
            seen=data["seen"],
            client_key=form.key,
            photo=_photo_of(request, form),
            without_photo=data.get("without_photo", False),
            names_nobody=data["names_nobody"],
        )

    return _answer(request, form, act, _("Saved."), {"note": note, "rubric": note.rubric})


def _answer(
    request: ActingRequest, form: NoteForm, act: Any, done: str, context: dict[str, Any]
) -> HttpResponse:
    """Show the form, or do what it asks; nothing typed and no photograph is lost on the way."""
    note: DataNote | None = context.get("note")

    def again(sent: forms.Form, status: int) -> HttpResponse:
        if status == 409 and note is not None:
            note.refresh_from_db()
            fresh(sent, note.version)
        elif status == 409:
            form.begin_anew(by(request).school_id)
        shown = {
            **context,
            "form": sent,
            "photo_kept": _hold(request, form),
            "overtaken": status == 409,
            "forms_to_choose": []
            if note or context["rubric"]
            else pages.forms_to_choose(request.acting),
            "breadcrumb": pages.crumbs(_("Change") if note else _("Write a note")),
        }
        return render(request, "devolution/note_write.html", shown, status=status)

    def checked(data: dict[str, Any]) -> Any:
        _check_place(request, data)
        try:
            return act(data)
        except MayNamePupilError:
            form.warn()
            raise

    if request.method != "POST":
        return again(form, 200)
    return take(request, form, checked, done=done, back=pages.url, again=again)


def _form(
    request: ActingRequest, *, note: DataNote | None = None, rubric: Rubric | None = None
) -> NoteForm:
    acting = by(request)
    offered = queries.priorities_to_choose(note)
    kwargs: dict[str, Any] = {
        "priorities": offered,
        "indicators": queries.indicators_to_choose(offered, note),
        "rubric": rubric,
        "shares": "" if note else _shares(acting),
        "has_photo": note is not None and bool(note.photo_says),  # type: ignore[attr-defined] # annotated
    }
    if request.method == "POST":
        return NoteForm(request.POST, request.FILES, **kwargs)
    chosen = request.GET.get("priority", "")
    if not chosen and rubric is not None and rubric.priority is not None:
        chosen = rubric.priority.code
    initial: dict[str, Any] = {
        "client_key": uuid4(), "for_school": acting.school_id, "priority": chosen,
    }  # fmt: skip
    if note is not None:
        initial |= {
            "seen": note.version,
            "words": note.words,
            "kind": note.kind,
            "says": note.photo_says or "",  # type: ignore[attr-defined] # annotated
            "priority": note.priority.code if note.priority else "",
            "indicator": note.indicator.code if note.indicator else "",
            "tags": ", ".join(note.tags),
            "on": note.on,
        }
        if rubric is not None:
            initial |= answers_in_form(rubric, note.observed)
    return NoteForm(initial=initial, **kwargs)


def _shares(acting: Appointment) -> str:
    """What the box says with which a note goes further at once; "" where it cannot."""
    assert acting.school is not None
    partnership = queries.partnership_now(acting.school)
    if partnership is None:
        return ""
    if may(acting, Capability.SHARE_NOTES):
        return _("Share it with {partnership} at once").format(partnership=partnership.name)
    return _("Ask our head to share it with {partnership}").format(partnership=partnership.name)


def _rubric_asked_for(request: ActingRequest) -> Rubric | None:
    """The form for an observation that the address names; one changed meanwhile may be sent."""
    key = request.GET.get("rubric", "")
    if not key:
        return None
    visible = rubrics.rubrics_visible_to(request.acting)
    if request.method != "POST":
        visible = visible.filter(retired_at=None)
    return get_object_or_404(visible, pk=int(key) if key.isdecimal() and len(key) < 19 else 0)


def _check_place(request: ActingRequest, data: dict[str, Any]) -> None:
    """A note begun for one school is not kept for another that the person acts for since."""
    school = by(request).school
    if school is not None and data["for_school"] not in (None, school.pk):
        raise OvertakenError(
            _(
                "You act for {school} now, and began this note for another school. What you wrote "
                "is still here: save it once more to keep it for {school}, or act for the other "
                "school first."
            ).format(school=school.name)
        )


def _photo_of(request: ActingRequest, form: NoteForm) -> Photo | None:
    """The photograph that came with the form now, or with its first attempt."""
    photo: Photo | None = form.cleaned_data.get("photo")
    if photo is not None:
        return photo
    waiting = queries.held_photo(form.key, by(request).person)
    return Photo(bytes(waiting.jpeg), waiting.width, waiting.height, "") if waiting else None


def _hold(request: ActingRequest, form: NoteForm) -> bool:
    """Keep a photograph that came with words to be looked at again; whether there is one."""
    if not form.is_bound:
        return False
    photo = _photo_of(request, form)
    if photo is not None:
        actions.hold_photo(photo, form.next_key, by=by(request))
    return photo is not None


def _not_kept(request: ActingRequest) -> HttpResponse:
    """What somebody wrote who may no longer: nothing is stored, and nothing is lost to them."""
    words = request.POST.get("words", "").replace("\0", "")
    if request.method != "POST" or not words.strip():
        raise PermissionDenied
    return render(request, "devolution/note_not_kept.html", {"words": words}, status=403)


def _found(request: ActingRequest, pk: int) -> DataNote:
    """404 for whoever does not see it: that there is a note is nobody else's business."""
    by(request)
    return get_object_or_404(queries.notes_visible_to(request.acting), pk=pk)


@require_safe
def note(request: ActingRequest, pk: int) -> HttpResponse:
    context = pages.page(_found(request, pk), request.acting)
    return render(request, "devolution/note.html", context)


@require_safe
def note_photo(request: ActingRequest, pk: int) -> HttpResponseBase:
    """The photograph, for who may see the note: asked anew each time, sent once."""
    found = queries.photo_of(_found(request, pk))
    if found is None:
        raise Http404
    content = bytes(found.jpeg)
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    response = HttpResponse(content, content_type="image/jpeg")
    response["Content-Disposition"] = f'inline; filename="note-{pk}.jpg"'
    response["X-Content-Type-Options"] = "nosniff"
    # Kept on the reader's device, shown only after asking whether they may still see it.
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = etag
    unchanged = get_conditional_response(request, etag=etag, response=response)
    return unchanged if unchanged is not None else response


@require_POST
def suggest(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    return press(
        request,
        lambda: sharing.suggest(found, by=by(request)),
        done=_("Your head is asked to share it."),
        back=pages.url(found),
    )


@require_POST
def share(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    return press(
        request,
        lambda: sharing.share(found, by=by(request), seen=seen(request)),
        done=_("Shared. The schools of your partnership can read it now."),
        back=pages.url(found),
    )


@require_POST
def take_back(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    return press(
        request,
        lambda: sharing.take_back(found, by=by(request)),
        done=_("Taken back. Only your school sees it."),
        back=pages.url(found),
    )


@require_POST
def delete(request: ActingRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    return press(
        request,
        lambda: actions.remove(found, by=by(request)),
        done=_("Deleted. Nothing of it is left."),
        back=reverse("devolution:notes"),
    )
