"""What every request goes through before any page reads it."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse


class NullCharacterMiddleware:
    """No address holds a null character: PostgreSQL refuses to look for one, SQLite finds nothing.

    In forms the fields refuse it themselves, beside what was typed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = (each for values in request.GET.lists() for each in (values[0], *values[1]))
        if "\0" in request.path or any("\0" in each for each in asked):
            raise Http404
        return self.get_response(request)
