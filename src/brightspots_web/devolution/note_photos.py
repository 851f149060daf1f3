"""A photograph as a phone sends it, made anew: smaller, upright, and with nothing but the picture.

What the file says of where, when and by which camera is not copied: a new picture is drawn from
the old one's dots, and only that is kept.
"""

from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import BinaryIO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

LARGEST_FILE = 10 * 1024 * 1024
MOST_DOTS = 60_000_000
"""A picture of more dots may be small as a file and still fill the server's memory."""
LONGEST_SIDE = 1600
AIM = 250_000
"""Bytes of the picture kept, about: a page of them opens on a weak network."""
READ = ("JPEG", "PNG", "WEBP")
SIZES = (1600, 1280, 1024, 800)
QUALITIES = (82, 74, 66, 58, 50)
HEIF = (b"heic", b"heix", b"heif", b"mif1", b"msf1", b"hevc")


@dataclass(frozen=True)
class Photo:
    """A picture as it is kept, and which file it was made from."""

    jpeg: bytes
    width: int
    height: int
    sent: str
    """The hash of the file sent."""


def made_anew(file: BinaryIO) -> Photo:
    """Read a photograph and write it anew.

    Raises
    ------
    ValidationError
        It is too large, of another kind, or cannot be read; in words that say what to do.
    """
    content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValidationError(
            _("The photograph is larger than 10 MB. Take it in a lower size and choose it again.")
        )
    picture = _upright(content)
    jpeg, size = _written(picture)
    return Photo(jpeg, *size, sha256(content).hexdigest())


def _upright(content: bytes) -> Image.Image:
    """The dots of the picture alone, turned as it was taken, no longer than it is kept."""
    if content[4:8] == b"ftyp" and content[8:12] in HEIF:
        raise ValidationError(
            _(
                "This photograph is in the format HEIC, which cannot be read here. In the camera's "
                "settings choose “Most compatible”, or send a screenshot of it."
            )
        )
    # The paper engine, once loaded, has the whole process take half a picture for a whole one.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(BytesIO(content), formats=READ) as opened:
            if opened.width * opened.height > MOST_DOTS:
                raise ValidationError(_too_many_dots())
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is read smaller at once
            opened.load()
            turned = ImageOps.exif_transpose(opened)
            turned.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            return _on_white(turned)
    except ValidationError:
        raise
    except UnidentifiedImageError as problem:
        raise ValidationError(
            _("This file is no photograph that can be read here: choose a JPEG, PNG or WebP.")
        ) from problem
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
        raise ValidationError(_too_many_dots()) from problem
    except Exception as problem:  # a broken file breaks the reader in many ways
        raise ValidationError(
            _(
                "The photograph is broken, or did not arrive whole. Choose it again, or save "
                "without it."
            )
        ) from problem


def _too_many_dots() -> str:
    return _("The photograph has too many dots to be read here. Take it in a lower size.")


def _on_white(picture: Image.Image) -> Image.Image:
    """Drawn on a new sheet, to which nothing clings that the file said beside its dots."""
    sheet = Image.new("RGB", picture.size, "white")
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        sheet.paste(clear, mask=clear.getchannel("A"))
    else:
        sheet.paste(picture.convert("RGB"))
    return sheet


def _written(picture: Image.Image) -> tuple[bytes, tuple[int, int]]:
    """As JPEG, in the best quality that is light enough; at the least in the smallest."""
    jpeg, size = b"", picture.size
    for longest in SIZES:
        smaller = picture.copy()
        smaller.thumbnail((longest, longest))
        for quality in QUALITIES:
            out = BytesIO()
            smaller.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
            jpeg, size = out.getvalue(), smaller.size
            if len(jpeg) <= AIM:
                return jpeg, size
    return jpeg, size
