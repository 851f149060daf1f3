"""A page as PDF, by WeasyPrint, from the page's own HTML and the print part of the style sheet."""

import logging
import mimetypes
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage

logger = logging.getLogger(__name__)

ORIGIN = "https://brightspots.invalid"
"""Where relative addresses of the page point while it is printed; nothing is fetched from there."""


class CannotPrintError(Exception):
    """WeasyPrint's system libraries are missing on this machine."""


def pdf(html: str) -> bytes:
    """Make a PDF of a page. Reads our own static files and nothing else.

    Raises
    ------
    CannotPrintError
        The libraries that lay out text (Pango) are not installed.
    """
    try:
        from weasyprint import HTML  # loads Pango: a second, and not there on every machine
        from weasyprint.urls import URLFetcher, URLFetcherResponse
    except (ImportError, OSError) as error:
        logger.warning("PDFs cannot be made here: %s", error)
        raise CannotPrintError from error

    # It warns of every rule meant for browsers only; what matters to a reader are errors.
    logging.getLogger("weasyprint").setLevel(logging.ERROR)

    class StaticFiles(URLFetcher):  # type: ignore[misc] # weasyprint ships no types
        def fetch(self, url: str, headers: Any = None) -> Any:
            body, mime = static_file(url)
            return URLFetcherResponse(url, body=body, headers={"Content-Type": mime})

    document: bytes = HTML(string=html, base_url=ORIGIN, url_fetcher=StaticFiles()).write_pdf()
    return document


def static_file(url: str) -> tuple[bytes, str]:
    """The bytes and type of one of our static files; anything else is refused."""
    prefix = f"{ORIGIN}{settings.STATIC_URL}"
    if not url.startswith(prefix):
        message = f"A page may use our own static files only, not {url}"
        raise ValueError(message)
    name = unquote(urlsplit(url).path.removeprefix(settings.STATIC_URL))
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    found = finders.find(name)
    if found:
        with open(found, "rb") as file:
            return file.read(), mime
    with staticfiles_storage.open(name) as stored:  # a name with a fingerprint
        return stored.read(), mime
