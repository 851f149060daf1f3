"""A CSV of pupils before an engine reads it: its encoding, its separator and its header."""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from brightspots.core.errors import InputError

FORMATS = "Give a CSV file (gzip or not) or a Parquet file."
_HEAD = 1 << 16
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class CsvLayout:
    """How a CSV is to be read.

    Parameters
    ----------
    path : Path
        The file, or a copy in UTF-8 where it was in another encoding.
    zipped : bool
    delimiter : str
    names : tuple of str
        Columns, each name once whatever its case.
    """

    path: Path
    zipped: bool
    delimiter: str
    names: tuple[str, ...]


def begins_with(path: Path, magic: bytes) -> bool:
    """Tell a file's format by its first bytes."""
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def look_at_csv(path: Path, scratch: Path) -> CsvLayout:
    """Look at a CSV's encoding, its separator and its header.

    Parameters
    ----------
    path : Path
    scratch : Path
        Folder for a copy in UTF-8, where one is needed.

    Raises
    ------
    InputError
        The file is empty, damaged, not text, or has no usable header.
    """
    zipped = begins_with(path, b"\x1f\x8b")
    encoding = _encoding(path, zipped)
    read_from = path
    if encoding != "utf-8":
        read_from = scratch / "pupils.csv"
        _recode(path, zipped, encoding, read_from)
        zipped = False
    header = _header(read_from, zipped, path)
    delimiter = max(_DELIMITERS, key=header.count)
    return CsvLayout(read_from, zipped, delimiter, tuple(_column_names(header, delimiter, path)))


def _open(path: Path, zipped: bool) -> BinaryIO:
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]  # GzipFile reads like one


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error, OSError) as error:
        raise InputError(
            "The file is damaged: it cannot be unpacked to its end.",
            file=str(path),
            mend="Send or export it again.",
        ) from error


def _encoding(path: Path, zipped: bool) -> str:
    """Tell UTF-8, UTF-16 and cp1252 apart; the whole file is looked at, in blocks."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _reading(path), _open(path, zipped) as file:
        block = file.read(_HEAD)
        if not block:
            raise InputError("The file is empty.", file=str(path))
        if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        try:
            while block:
                if b"\x00" in block:
                    raise InputError("This is not a text file.", file=str(path), mend=FORMATS)
                decoder.decode(block)
                block = file.read(1 << 20)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _recode(path: Path, zipped: bool, encoding: str, to: Path) -> None:
    """Copy a file as UTF-8, in blocks."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with (
        _reading(path),
        _open(path, zipped) as file,
        to.open("w", encoding="utf-8", newline="") as out,
    ):
        try:
            while block := file.read(1 << 20):
                text = decoder.decode(block)
                if "\x00" in text:
                    raise InputError("This is not a text file.", file=str(path), mend=FORMATS)
                out.write(text)
            out.write(decoder.decode(b"", final=True))
        except UnicodeError as error:
            raise InputError(
                "The file is neither UTF-8, UTF-16 nor Windows text.",
                file=str(path),
                mend="Save it as CSV UTF-8.",
            ) from error


def _header(path: Path, zipped: bool, shown: Path) -> str:
    with _reading(shown), _open(path, zipped) as file:
        line = file.readline(1 << 20)
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        text = ""
    if (
        "\r" in text
        or (line and not line.endswith(b"\n") and len(line) == 1 << 20)
        or not text.strip()
    ):
        raise InputError("The first line holds no column names.", file=str(shown), row=1)
    return text


def _column_names(header: str, delimiter: str, path: Path) -> list[str]:
    if header.count('"') % 2:
        raise InputError('A " in the header is not closed.', file=str(path), row=1)
    names = next(csv.reader([header], delimiter=delimiter))
    for position, name in enumerate(names, start=1):
        if names.index(name) != position - 1 and name:
            raise InputError("Two columns have the same name.", file=str(path), row=1, column=name)
    lowered: dict[str, int] = {}
    unique = []
    for position, name in enumerate(names, start=1):
        # The engine does not tell "Score" from "score", and wants a name for every column.
        name = name or f"unnamed column {position}"
        if name.lower() in lowered:
            name = f"{name} (column {position})"
        lowered[name.lower()] = position
        unique.append(name)
    return unique
