"""What somebody wrote is shown again when they may no longer send it, so that it can be copied."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from django.shortcuts import render

from brightspots_web.directory.middleware import ActingRequest

View = Callable[..., HttpResponseBase]


def keeping(*names: str) -> Callable[[View], View]:
    """Answer 403 with the words of these fields, where a person's appointment ended while they
    wrote. They see their own words alone, which came with the request, and nothing else."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: ActingRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            try:
                return view(request, *args, **kwargs)
            except PermissionDenied:
                written = [words for name in names if (words := request.POST.get(name, "").strip())]
                if not written:
                    raise
                context = {"written": written}
                return render(request, "alignment/proposal/kept.html", context, status=403)

        return guarded

    return wrap
