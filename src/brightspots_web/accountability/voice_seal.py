"""Sealing what is written in confidence, with a key that lies outside the database.

Each consultation, and each filling of the box of suggestions, has a key of its own: a file in the
installation's home, readable by its owner alone. Whoever has the database without the file reads
nothing; once the file is destroyed, nobody does. The file is no part of a backup.
"""

import hashlib
import hmac
import logging
import os
import secrets
import struct
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

KEY_BYTES = 32
NONCE_BYTES = 12
PREFIX = struct.Struct(">I")
YOUNG = 3600
"""Seconds in which a key that no row names yet may belong to one that is being written."""
NO_BACKUP = "CACHEDIR.TAG"
NO_BACKUP_SAYS = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# Keys of consultations that are open: they are destroyed when these close, and a copy would\n"
    "# outlive that. Leave this folder out of backups (tar, borg, restic: --exclude-caches).\n"
)
"""By the rule of bford.info/cachedir tools for backups leave a folder out that has such a file."""
TOKEN = b"brightspots: one-time token of\0"

log = logging.getLogger(__name__)


class SealError(ValidationError):
    """Nothing can be sealed or opened: the key is missing or cannot be read. Nothing is changed."""


class BrokenSealError(SealError):
    """The key is there, and does not open this: it was changed, or sealed with another."""


class TooLongToSealError(ValidationError):
    """More was written than fits in what is sealed."""


def folder() -> Path:
    """Where the keys lie."""
    return Path(settings.HOME) / "voice-keys"


def new_key() -> UUID:
    """Make a key, written through to the disk before anything is sealed with it."""
    here = folder()
    try:
        here.mkdir(mode=0o700, parents=True, exist_ok=True)
        here.chmod(0o700)
        (here / NO_BACKUP).write_text(NO_BACKUP_SAYS)
        key_id = uuid4()
        file = os.open(_path(key_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(file, secrets.token_bytes(KEY_BYTES))
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as problem:
        raise SealError(
            _("No key can be written in {folder}: {problem}. Nothing was opened.").format(
                folder=here, problem=problem.strerror
            )
        ) from problem
    return key_id


def seal(key_id: UUID, text: str, length: int) -> bytes:
    """Make a text unreadable, of one size whatever its own.

    Parameters
    ----------
    length
        Bytes of UTF-8 that the longest text may have; every text is filled up to it.

    Raises
    ------
    SealError
        The key is missing.
    TooLongToSealError
        The text is longer than that.
    """
    plain = text.encode()
    if len(plain) > length:
        raise TooLongToSealError(
            _("This is too long to be sealed: shorten it. It is still here and was not sent.")
        )
    filled = PREFIX.pack(len(plain)) + plain.ljust(length, b"\0")
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + ChaCha20Poly1305(_key(key_id)).encrypt(nonce, filled, key_id.bytes)


def unseal(key_id: UUID, content: bytes | memoryview) -> str:
    """The text again; SealError where it was changed, or sealed with another key."""
    sealed = bytes(content)
    try:
        filled = ChaCha20Poly1305(_key(key_id)).decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], key_id.bytes
        )
    except InvalidTag as problem:
        raise BrokenSealError(
            _("A sealed answer does not open with its key: it was changed, or it is another's.")
        ) from problem
    (size,) = PREFIX.unpack_from(filled)
    return filled[PREFIX.size : PREFIX.size + size].decode()


def token(key_id: UUID, what: str) -> str:
    """What only this installation can say of something while the key lasts."""
    return hmac.digest(_key(key_id), TOKEN + what.encode(), hashlib.sha256).hex()


def destroy(key_id: UUID) -> None:
    """Write over the key and take it away; one that is gone already is left at that."""
    path = _path(key_id)
    try:
        with path.open("r+b", buffering=0) as file:
            file.write(bytes(KEY_BYTES))
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    except OSError:
        log.error("A key of a closed consultation cannot be written over: take it away by hand.")
    path.unlink(missing_ok=True)


def destroy_all_but(kept: Iterable[UUID]) -> int:
    """Destroy keys that no row names any more, as a crash may leave them; return how many."""
    names = {f"{each}.key" for each in kept}
    old = time.time() - YOUNG
    left = [
        path
        for path in folder().glob("*.key")
        if path.name not in names and path.stat().st_mtime < old
    ]
    for path in left:
        try:
            destroy(UUID(path.stem))
        except ValueError:
            continue
    return len(left)


def _path(key_id: UUID) -> Path:
    return folder() / f"{key_id}.key"


def _key(key_id: UUID) -> bytes:
    try:
        key = _path(key_id).read_bytes()
    except OSError as problem:
        raise lost() from problem
    if len(key) != KEY_BYTES or not any(key):
        raise lost()
    return key


def lost() -> SealError:
    """What is said where the key is not there."""
    return SealError(
        _(
            "The key of this round is missing or cannot be read on the server. Nothing was sent or "
            "changed. Whoever runs the installation finds how to go on in its guide to voice."
        )
    )
