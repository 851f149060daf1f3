from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from brightspots_web.alignment import actions, queries
from brightspots_web.alignment import priorities_pages as pages
from brightspots_web.alignment.forms import PrioritiesForm
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by
from brightspots_web.insight import queries as insight
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may


def priorities(request: ActingRequest) -> HttpResponse:
    """The two or three priorities, for everybody with an appointment, and how they are agreed.

    The ministry may set them by hand too: before there was a ballot, and where one went wrong.
    """
    acting = by(request)
    sets = may(acting, Capability.SET_PRIORITIES)
    if request.method == "POST" and not sets:
        raise PermissionDenied
    live = queries.live_priorities()
    form, status = None, 200
    if sets:
        form = PrioritiesForm(request.POST or None, live=live, subjects=insight.subjects())
        if request.method == "POST" and form.is_valid():
            try:
                actions.set_priorities(
                    list(form.wanted()), by=acting, seen=form.cleaned_data["seen"]
                )
            except OvertakenError as problem:
                form.add_error(None, problem)
                live, status = queries.live_priorities(), 409
                form.look_again(live)
            except ValidationError as problem:
                form.add_error(None, problem)
            else:
                messages.success(request, _("Set: these are the priorities from today."))
                return redirect("alignment:priorities")
    context = pages.page(acting) | {"form": form, "submit_label": _("Set the priorities")}
    return render(request, "alignment/priorities.html", context, status=status)
