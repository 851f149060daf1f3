"""What binds a person to an applicant, in words that reproach nobody."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from brightspots_web.leaders import panel_queries as queries


def binding(key: str) -> str:
    return {
        queries.OWN: _("it is their own application"),
        queries.SCHOOL: _("they serve at the same school"),
        queries.PARTNERSHIP: _("they work in the same partnership"),
        queries.LINE: _("they are an officer over the school"),
        queries.BACKED: _("they backed this application"),
        queries.NOMINATED: _("they nominated the applicant"),
        queries.COACH: _("one coaches the other, or did in the last year"),
        queries.APPLIES: _("they have an application of their own open"),
    }[key]


def bindings(keys: Iterable[str]) -> str:
    """`they serve at the same school; they nominated the applicant`."""
    return "; ".join(binding(key) for key in keys)
