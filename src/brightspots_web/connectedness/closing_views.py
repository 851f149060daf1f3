from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from brightspots_web.connectedness import closing_actions as actions
from brightspots_web.connectedness import closing_pages as pages
from brightspots_web.connectedness.closing_forms import ClosingForm
from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.shared.components import Link
from brightspots_web.shared.permissions import Capability


@requires(Capability.APPOINT)
@require_http_methods(["GET", "HEAD", "POST"])
def close_school(request: ActingRequest, code: str) -> HttpResponse:
    """Write down that a school closes, and who carries on."""
    assert request.acting is not None
    school = get_object_or_404(directory.schools_visible_to(request.acting), code=code)
    form = ClosingForm(request.POST if request.method == "POST" else None, school=school)
    if request.method == "POST" and form.is_valid():
        data: dict[str, Any] = form.cleaned_data
        try:
            found = actions.close_school(
                school, on=data["on"], successors=data["successors"], by=request.acting
            )
        except ValidationError as problem:
            form.add_error(None, ValidationError(problem.messages))
        else:
            messages.success(
                request, _("Written down, and everybody concerned is told.") + " "
                + pages.sentence(found),
            )  # fmt: skip
            return redirect("home:school", school.code)
    url = reverse("home:school", args=[school.code])
    context = {
        "form": form,
        "school": school,
        "submit_label": _("Write down that it closes"),
        "cancel_url": url,
        "breadcrumb": [Link(school.name, url), Link(_("The school closes"))],
    }
    return render(request, "connectedness/closing/close_school.html", context)
