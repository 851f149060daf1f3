"""The one row in which settings of something stand: held, changed, on record."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model
from django.utils.translation import gettext as _

from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Actor

Row = TypeVar("Row", bound=Model)


def held(model: type[Row], *, seen: int | None) -> Row:
    """The row until the transaction ends, as the person saw it; a new one where there is none.

    Raises
    ------
    OvertakenError
        Somebody else set it since the person opened the page; nothing is saved.
    """
    audit.one_at_a_time()
    rows: Any = model
    found = rows.objects.order_by("pk").select_for_update(no_key=True).first() or rows()
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody else set these in the meantime. Yours are still here and were not "
                "saved: look at what holds now, then save again if yours still make sense."
            )
        )
    row: Row = found
    return row


def set_in(found: Any, given: Mapping[str, Any], *, event: str, by: Actor) -> bool:
    """Save what is given in a row that is held, and note it; False where it stood there already."""
    if found.pk and all(getattr(found, name) == value for name, value in given.items()):
        return False
    for name, value in given.items():
        setattr(found, name, value)
    found.version += 1
    found.full_clean(exclude=["id"])
    found.save()
    audit.record(event, by=by, target=found, detail=dict(given))
    return True
