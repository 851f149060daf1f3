"""Words that every page says in the same way."""

from datetime import date, datetime
from typing import overload

from django.utils import formats, timezone


@overload
def day(on: date) -> str: ...
@overload
def day(on: None) -> None: ...
def day(on: date | None) -> str | None:
    """The day as people here write it; of a time, the day it was here."""
    if isinstance(on, datetime):
        on = timezone.localtime(on).date()
    return formats.date_format(on, "DATE_FORMAT") if on is not None else None
