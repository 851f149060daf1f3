"""Notes, forms for observations and meetings of the invented world, by the pages' own actions."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from brightspots_web.alignment.actions import Wanted, set_priorities
from brightspots_web.alignment.models import Priority
from brightspots_web.alignment.queries import live_priorities
from brightspots_web.devolution import note_actions as actions
from brightspots_web.devolution import note_share_actions as sharing
from brightspots_web.devolution import rubric_actions
from brightspots_web.devolution.models import DataNote, Meeting, Rubric
from brightspots_web.devolution.note_actions import Said
from brightspots_web.devolution.note_photos import Photo, made_anew
from brightspots_web.devolution.rubric_actions import Form
from tests.web.world import World

ITEMS = (
    {"question": "Did pupils read aloud?", "kind": "yes_no"},
    {"question": "How many explained?", "kind": "count"},
    {"question": "How calm was it?", "kind": "scale", "most": 4},
)


def today() -> date:
    return timezone.localdate()


def priorities(world: World) -> list[Priority]:
    found = live_priorities()
    if not found:
        wanted = [Wanted("Reading", subject="reading"), Wanted("Number", subject="mathematics")]
        set_priorities(wanted, by=world.cast["minister"])
        found = live_priorities()
    return found


def a_note(
    world: World, who: str = "teacher", *, words: str = "They read in pairs, aloud.",
    photo: Photo | None = None, **more: Any,
) -> DataNote:  # fmt: skip
    more.setdefault("on", today())
    if photo is not None:
        more.setdefault("says", "A number line")
    said = Said(words=words, **more)
    return actions.write(said, by=world.cast[who], client_key=uuid4(), photo=photo)


def shared(world: World, who: str = "head", **more: Any) -> DataNote:
    """A note of the head's or leader's, shared with their partnership."""
    note = a_note(world, who, **more)
    return sharing.share(note, by=world.cast[who], seen=note.version)


def picture(fmt: str = "JPEG", size: tuple[int, int] = (60, 40), **save: Any) -> bytes:
    """A small drawing: the left half dark, the right half light."""
    drawn = Image.new("RGB", size, "#eee")
    drawn.paste("#21409a", (0, 0, size[0] // 2, size[1]))
    out = BytesIO()
    drawn.save(out, fmt, **save)
    return out.getvalue()


def a_photo() -> Photo:
    return made_anew(BytesIO(picture()))


def upload(content: bytes | None = None, name: str = "IMG_1.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture() if content is None else content)


def a_rubric(world: World, who: str = "system_leader", **more: Any) -> Rubric:
    more.setdefault("name", "Ten minutes in a lesson")
    more.setdefault("items", ITEMS)
    return rubric_actions.make(Form(**more), by=world.cast[who])


def a_meeting(world: World, *, days: int = 7, partnership: str = "Upper") -> Meeting:
    """A meeting of a partnership, to come or past."""
    leader = world.cast["system_leader"]
    return Meeting.objects.create(
        partnership=world.partnerships[partnership],
        starts_at=timezone.now() + timedelta(days=days),
        code=uuid4().hex[:6].upper(),
        called_by=leader.label,
        appointment=str(leader.pk),
        called_at=timezone.now(),
    )
