from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.directory.models import Person
from brightspots_web.notices import actions, queries
from brightspots_web.notices.models import Digest

PAGE = 30


class RhythmForm(forms.Form):
    rhythm = forms.ChoiceField(
        label=gettext_lazy("Send me what I have not seen"), choices=Digest.Rhythm.choices
    )


@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """What happened that concerns the person, the newest first."""
    person = _person(request)
    page = Paginator(queries.notices_of(person), PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    context = {
        "page_obj": page,
        "lines": queries.lines(shown),
        "up_to": shown[0].pk if shown else 0,
        "unseen": queries.unseen_count(person),
        "form": RhythmForm(initial={"rhythm": queries.rhythm_of(person)}),
        "submit_label": _("Save"),
    }
    return render(request, "notices/notices.html", context)


@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    up_to = request.POST.get("up_to", "")
    if up_to.isdecimal() and len(up_to) < 20:
        actions.see(_person(request), up_to=min(int(up_to), 2**63 - 1))
    return redirect("notices:notices")


@require_POST
def rhythm(request: HttpRequest) -> HttpResponse:
    form = RhythmForm(request.POST)
    if form.is_valid():
        actions.choose_rhythm(_person(request), form.cleaned_data["rhythm"])
        messages.success(request, _("Saved."))
    else:
        messages.error(request, _("Choose one of the rhythms."))
    return redirect("notices:notices")


def _person(request: HttpRequest) -> Person:
    if not isinstance(request.user, Person):
        raise PermissionDenied
    return request.user
