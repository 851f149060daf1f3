"""The secret seed of a lottery until its draw: a file that only the installation's owner reads.

It is in no database and in no dump of one, so that nobody who can read those knows more than its
hash. Once disclosed it stands in the lottery's row and the file is taken away. Unlike the keys of
what was said in confidence, it belongs into backups: a seed that is lost is a lottery that has to
be called off.
"""

import os
import secrets
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from brightspots_web.evidence.choice_draw import commitment


class SeedLostError(ValidationError):
    """The seed is not there, or is not the one that was promised."""


def folder() -> Path:
    return Path(settings.HOME) / "lottery-seeds"


def make(code: UUID) -> str:
    """Make a seed, written through to the disk; return the hash that may be published."""
    seed, here = secrets.token_hex(32), folder()
    try:
        here.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A file that an attempt left which came to nothing is no promise: its hash is nowhere.
        _path(code).unlink(missing_ok=True)
        file = os.open(_path(code), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(file, seed.encode())
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as problem:
        raise ValidationError(
            _("The seed cannot be written in {folder}: {problem}. Nothing was opened.").format(
                folder=here, problem=problem.strerror
            )
        ) from problem
    return commitment(seed)


def new_key() -> str:
    """A key by which the schools of a lottery get their numbers."""
    return secrets.token_hex(32)


def read(code: UUID, promised: str) -> str:
    """The seed, if it is the promised one.

    Raises
    ------
    SeedLostError
        The file is missing, cannot be read, or holds something else.
    """
    try:
        seed = _path(code).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        seed = ""
    if not seed or commitment(seed) != promised:
        raise SeedLostError(
            _(
                "The seed of this lottery is not on the server any more, or it is not the one that "
                "was promised. Nothing can be drawn with another: bring the file back from a "
                "backup, or begin again with a new seed; the page says how."
            )
        )
    return seed


def is_there(code: UUID, promised: str) -> bool:
    try:
        read(code, promised)
    except SeedLostError:
        return False
    return True


def forget(code: UUID) -> None:
    """Take the file away once the seed is disclosed, or of no more use."""
    _path(code).unlink(missing_ok=True)


def _path(code: UUID) -> Path:
    return folder() / f"{code}.seed"
