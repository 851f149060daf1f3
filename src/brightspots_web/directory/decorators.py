"""What a view asks of the person in front of it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase

from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.shared.permissions import Capability, may

View = Callable[..., HttpResponseBase]


def requires(capability: Capability) -> Callable[[View], View]:
    """Answer 403 unless the acting appointment's role has the capability."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: ActingRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(request.acting, capability):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return wrap
