"""Photographs of notes: made anew without what the file said, refused in words, shown to few."""

import random
import struct
import zlib
from io import BytesIO
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from PIL import Image, ImageFile

from brightspots_web.devolution import note_actions as actions
from brightspots_web.devolution import note_queries as queries
from brightspots_web.devolution import note_share_actions as sharing
from brightspots_web.devolution.models import DataNote, HeldPhoto, NotePhoto
from brightspots_web.devolution.note_actions import Said
from brightspots_web.devolution.note_photos import AIM, LONGEST_SIDE, made_anew
from tests.web import note_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.note_helpers import a_note, a_photo, picture, today, upload
from tests.web.world import World

WRITE = "/small-data/write/"
GPS, ORIENTATION, MAKE, SOFTWARE, COMMENT = 0x8825, 0x0112, 0x010F, 0x0131, 0x9286
SECRET = b"Nyabihu school, taken by Amina"


def with_place(turned: int = 1) -> bytes:
    """A JPEG as a phone makes it: where, when and by what it was taken, and a comment."""
    exif = Image.Exif()
    exif[MAKE], exif[SOFTWARE], exif[ORIENTATION] = "PhoneMaker", "Camera 9", turned
    exif.get_ifd(GPS).update({1: "S", 2: (1.0, 57.0, 13.0), 3: "E", 4: (30.0, 3.0, 41.0)})
    exif.get_ifd(0x8769)[COMMENT] = b"ASCII\0\0\0" + SECRET
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"
    return picture(size=(60, 40), exif=exif, comment=SECRET, xmp=xmp, dpi=(72, 72))


def anew(content: bytes) -> Image.Image:
    return Image.open(BytesIO(made_anew(BytesIO(content)).jpeg))


def markers(jpeg: bytes) -> set[int]:
    """The kinds of segments of a JPEG before its dots."""
    found, at = set(), 2
    while jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        found.add(jpeg[at + 1])
        at += 2 + int(struct.unpack(">H", jpeg[at + 2 : at + 4])[0])
    return found


def test_the_photograph_served_holds_nothing_of_where_when_and_by_which_camera(
    world: World, sign_in: SignIn
) -> None:
    sent = with_place()
    assert SECRET in sent  # the test would be none otherwise
    assert b"PhoneMaker" in sent
    assert Image.open(BytesIO(sent)).getexif().get_ifd(GPS)
    teacher = sign_in("teacher")
    data = {"client_key": str(uuid4()), "words": "The wall.", "kind": "seen", "says": "A wall"}
    teacher.post(WRITE, data | {"photo": upload(sent)})
    note = DataNote.objects.get()
    served = teacher.get(f"/small-data/{note.pk}/photo.jpg")
    assert served["Content-Type"] == "image/jpeg"
    for said in (b"Exif", b"PhoneMaker", b"Camera 9", b"xmpmeta", b"GPS", SECRET, b"ICC_PROFILE"):
        assert said not in served.content, said
    # APP0 (how JFIF says its version), tables and frame alone: no APP1 to APP15, no comment.
    assert not markers(served.content) & ({*range(0xE1, 0xF0)} | {0xFE})
    kept = Image.open(BytesIO(served.content))
    assert not kept.getexif()
    assert "comment" not in kept.info


@pytest.mark.parametrize(
    ("turned", "size", "dark"),
    [
        (1, (60, 40), (5, 20)),
        (3, (60, 40), (55, 20)),
        (6, (40, 60), (20, 5)),
        (8, (40, 60), (20, 55)),
    ],
)
def test_it_stands_upright_as_it_was_taken(
    turned: int, size: tuple[int, int], dark: tuple[int, int]
) -> None:
    kept = anew(with_place(turned))
    assert kept.size == size
    red = kept.getpixel(dark)
    assert isinstance(red, tuple)
    assert red[0] < 100  # the dark half is where it was before the camera was turned


def noise(width: int, height: int) -> Image.Image:
    """What no format packs well."""
    dots = random.Random(7).randbytes(width * height * 3)  # noqa: S311 - a picture
    return Image.frombytes("RGB", (width, height), dots)


def test_a_large_photograph_becomes_small_and_light() -> None:
    out = BytesIO()
    noise(2400, 1800).save(out, "JPEG", quality=80)
    photo = made_anew(BytesIO(out.getvalue()))
    assert max(photo.width, photo.height) <= LONGEST_SIDE
    assert len(photo.jpeg) <= AIM * 1.3  # noise is the worst there is
    assert (photo.width, photo.height) == Image.open(BytesIO(photo.jpeg)).size


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP"])
def test_the_formats_of_phones_are_read(fmt: str) -> None:
    kept = anew(picture(fmt, size=(300, 200)))
    assert (kept.format, kept.mode, kept.size) == ("JPEG", "RGB", (300, 200))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16", "CMYK"])
def test_other_kinds_of_dots_are_drawn_on_white(mode: str) -> None:
    out = BytesIO()
    source = Image.new("RGBA", (20, 10), (0, 0, 0, 0))
    if mode == "I;16":
        source = Image.new("I;16", (20, 10), 65535)
    elif mode != "RGBA":
        source = source.convert(mode) if mode == "LA" else Image.new(mode, (20, 10))
    source.save(out, "JPEG" if mode == "CMYK" else "PNG")
    kept = anew(out.getvalue())
    assert kept.mode == "RGB"
    if mode in {"RGBA", "LA"}:
        assert kept.getpixel((3, 3)) == (255, 255, 255)


def a_bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it has very many dots."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    dots = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + dots + chunk(b"IEND", b"")


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 60


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (a_bomb(9_000, 9_000), "too many dots"),
        (a_bomb(60_000, 60_000), "too many dots"),
        (b"\xff\xd8" + b"\0" * (10 * 1024 * 1024), "larger than 10 MB"),
        (HEIC, "HEIC"),
        (b"%PDF-1.7 not a picture", "choose a JPEG, PNG or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "choose a JPEG, PNG or WebP"),
        (b"", "choose a JPEG, PNG or WebP"),
        (picture("GIF"), "choose a JPEG, PNG or WebP"),
        (picture("TIFF"), "choose a JPEG, PNG or WebP"),
        (picture(size=(800, 600))[:600], "broken, or did not arrive whole"),
        (picture("PNG", size=(80, 60))[:90], "broken, or did not arrive whole"),
        (a_bomb(200, 200), "broken, or did not arrive whole"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        made_anew(BytesIO(content))


def test_half_a_picture_is_refused_after_the_paper_engine_was_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as WeasyPrint leaves it
    with pytest.raises(ValidationError, match="did not arrive whole"):
        made_anew(BytesIO(picture(size=(800, 600))[:600]))


def test_a_broken_photograph_loses_no_word(world: World, sign_in: SignIn) -> None:
    data = {"client_key": str(uuid4()), "words": "Zebra.", "kind": "seen", "says": "A wall"}
    page = sign_in("teacher").post(WRITE, data | {"photo": upload(b"nothing", "a.heic")})
    assert page.status_code == 200
    assert "choose a JPEG, PNG or WebP" in page.content.decode()
    assert "Zebra." in page.content.decode()
    assert not DataNote.objects.exists()


def test_a_photograph_says_what_is_on_it(world: World) -> None:
    with pytest.raises(ValidationError, match="what is on the photograph"):
        actions.write(
            Said("A wall.", today()), by=world.cast["teacher"], client_key=uuid4(), photo=a_photo()
        )


def test_a_photograph_waits_while_the_words_are_looked_at_again(
    world: World, sign_in: SignIn
) -> None:
    teacher, key = sign_in("teacher"), str(uuid4())
    data = {"client_key": key, "words": "Amina: with Amina Were.", "kind": "seen", "says": "A wall"}
    page = teacher.post(WRITE, data | {"photo": upload()})
    assert "Your photograph is kept meanwhile" in page.content.decode()
    assert HeldPhoto.objects.count() == 1
    # Another person who knows the key gets nothing.
    assert queries.held_photo(key, world.person("head")) is None
    data["words"] = "With a girl in class 3."
    assert teacher.post(WRITE, data).status_code == 302
    note = DataNote.objects.get()
    assert NotePhoto.objects.get().note == note
    assert not HeldPhoto.objects.exists()
    # Sent once more, as a phone does that got no answer: still one.
    assert teacher.post(WRITE, data).status_code == 302
    assert DataNote.objects.count() == NotePhoto.objects.count() == 1


def test_a_photograph_that_waited_a_day_is_forgotten(world: World) -> None:
    actions.hold_photo(a_photo(), uuid4(), by=world.cast["teacher"])
    HeldPhoto.objects.update(at=timezone.now() - queries.HELD * 2)
    a_note(world)
    assert not HeldPhoto.objects.exists()


def test_it_is_kept_with_the_reader_and_asked_about_each_time(
    world: World, sign_in: SignIn
) -> None:
    note = helpers.shared(world, photo=a_photo())
    reader, address = sign_in("partner_head"), f"/small-data/{note.pk}/photo.jpg"
    first = reader.get(address)
    assert first.status_code == 200
    assert first["Cache-Control"] == "private, no-cache"
    assert first["X-Content-Type-Options"] == "nosniff"
    assert first["Content-Disposition"] == f'inline; filename="note-{note.pk}.jpg"'
    again = reader.get(address, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    sharing.take_back(note, by=world.cast["head"])
    assert reader.get(address, headers={"if-none-match": first["ETag"]}).status_code == 404


def test_it_is_taken_away_and_put_in_the_place_of_another(world: World) -> None:
    note = a_note(world, photo=a_photo())
    teacher = world.cast["teacher"]
    other = made_anew(BytesIO(picture(size=(33, 22))))
    said = Said("They read.", today(), says="Another")
    note = actions.change(note, said, by=teacher, seen=None, photo=other)
    kept = NotePhoto.objects.get()
    assert (kept.width, kept.says) == (33, "Another")
    actions.change(note, Said("They read.", today()), by=teacher, seen=None, without_photo=True)
    assert not NotePhoto.objects.exists()


def test_lists_read_no_picture(world: World) -> None:
    note = a_note(world, photo=a_photo())
    found = queries.notes_visible_to(world.cast["teacher"])
    assert list(found) == [note]
    assert "jpeg" not in str(found.query)
    assert "jpeg" not in str(queries.shared_with(world.partnerships["Upper"]).query)
