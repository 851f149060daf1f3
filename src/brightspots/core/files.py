"""The bytes of a file: what it is, unpacked within limits, and which letters they stand for."""

from __future__ import annotations

import codecs
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from brightspots.core.errors import InputError


@dataclass(frozen=True)
class Limits:
    """What is refused rather than read, so that one file cannot take the machine down.

    Parameters
    ----------
    max_bytes : int
        Size after unpacking.
    max_ratio : float
        Unpacked size over packed size, looked at from 64 MiB on. Tables shrink 5 to 60 times; a
        decompression bomb about 1000 times.
    max_cell : int
        Characters in one cell.
    max_columns : int
        As many as a spreadsheet has.
    max_rows : int
        Rows of a table that has to be read row by row (XLSX, ragged CSV).
    """

    max_bytes: int = 4 << 30
    max_ratio: float = 300.0
    max_cell: int = 1_000_000
    max_columns: int = 16_384
    max_rows: int = 20_000_000


_BLOCK = 1 << 20
_RATIO_FROM = 64 << 20

#: How a file begins -> what it is, for files that hold no table we can read.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file (.xls, .doc)"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"ARROW1", "an Arrow file"),
    (b"RDX", "an R data file"),
    (b"$FL2", "an SPSS file"),
    (b"<stata_dta>", "a Stata file"),
    (b"{\\rtf", "a rich-text document"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
)
_MARKUP: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "a web page (HTML)"),
    (b"<html", "a web page (HTML)"),
    (b"<?xml", "an XML file"),
    (b'{"', "a JSON file"),
    (b"[{", "a JSON file"),
)
_MEND = "Save the table as CSV, XLSX or Parquet and try again."


def read_bytes(path: Path, name: str, limits: Limits) -> tuple[bytes, str | None]:
    """Read a file and unpack gzip; return its bytes and the compression ("gzip" or None).

    Raises
    ------
    InputError
        When the file cannot be opened, is empty, larger than the limits, or damaged.
    """
    try:
        size = path.stat().st_size
        if size > limits.max_bytes:
            raise _too_large(name, limits)
        packed = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"The file cannot be opened: {error.strerror or error}.",
            file=name,
            mend="Check the name and that you may read it.",
        ) from error
    if not packed:
        raise InputError("The file is empty.", file=name, mend="Export it again.")
    if packed[:2] != b"\x1f\x8b":
        return packed, None
    data = _gunzip(packed, name, limits)
    if data[:2] == b"\x1f\x8b":
        raise InputError("The file is gzip inside gzip.", file=name, mend="Unpack it once.")
    if not data.strip():
        raise InputError("The file is empty once unpacked.", file=name, mend="Export it again.")
    return data, "gzip"


def _too_large(name: str, limits: Limits) -> InputError:
    return InputError(
        f"The file is larger than {limits.max_bytes / (1 << 20):,.0f} MiB once unpacked.",
        file=name,
        mend="Split it, for example by year, or send it as Parquet with fewer columns.",
    )


def _gunzip(packed: bytes, name: str, limits: Limits) -> bytes:
    """Unpack all members of a gzip file, block by block, so that a bomb is stopped early."""
    out = bytearray()
    rest = packed
    view_at = 0
    try:
        while view_at < len(packed):
            member = zlib.decompressobj(wbits=31)
            while not member.eof:
                rest = packed[view_at : view_at + _BLOCK]
                if not rest:
                    raise InputError(
                        "The gzip file is cut short.",
                        file=name,
                        mend="It was probably not sent completely; send it again.",
                    )
                for block in _unpack(member, rest):
                    out += block
                    if len(out) > limits.max_bytes:
                        raise _too_large(name, limits)
                    if len(out) > _RATIO_FROM and len(out) > limits.max_ratio * len(packed):
                        raise InputError(
                            "The gzip file unpacks to far more than a table would.",
                            file=name,
                            mend="Send the unpacked file.",
                        )
                view_at += len(rest) - len(member.unused_data)
            # Some tools pad the end with zeros.
            if not packed[view_at : view_at + _BLOCK].strip(b"\0"):
                break
    except zlib.error as error:
        raise InputError(
            "The gzip file is damaged.", file=name, mend="Pack or send it again."
        ) from error
    return bytes(out)


def _unpack(member: zlib._Decompress, block: bytes) -> Iterator[bytes]:
    rest = block
    while True:
        out = member.decompress(rest, _BLOCK)
        yield out
        rest = member.unconsumed_tail
        if not rest and (member.eof or len(out) < _BLOCK):
            return


def kind_of(data: bytes, name: str) -> str:
    """Say whether bytes are "parquet", "xlsx" or "text".

    Raises
    ------
    InputError
        When they are something else that we know by its first bytes, saying what.
    """
    if data[:4] == b"PAR1":
        return "parquet"
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _kind_of_zip(data, name)
    start = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    looks = next((what for sign, what in _SIGNATURES if data.startswith(sign)), None)
    looks = looks or next((what for sign, what in _MARKUP if start.startswith(sign)), None)
    if looks is not None:
        raise InputError(f"This looks like {looks}, not a table.", file=name, mend=_MEND)
    return "text"


def _kind_of_zip(data: bytes, name: str) -> str:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            inside = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as error:
        raise InputError(
            "This looks like a damaged Excel or zip file.",
            file=name,
            mend="It was probably not sent completely; send it again.",
        ) from error
    if "xl/workbook.xml" in inside:
        return "xlsx"
    looks = "a zip archive"
    if "word/document.xml" in inside:
        looks = "a Word document"
    elif "content.xml" in inside:
        looks = "an OpenDocument file"
    elif "xl/workbook.bin" in inside:
        looks = "a binary Excel file (.xlsb)"
    raise InputError(f"This looks like {looks}, not a table.", file=name, mend=_MEND)


_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Letters:
    """Text as UTF-8 bytes without a mark, the encoding it had, and whether that was a guess."""

    utf8: bytes
    encoding: str
    guessed: bool = False


def to_utf8(data: bytes, name: str, encoding: str | None = None) -> Letters:
    """Find the encoding of text and give the text back as UTF-8.

    A byte-order mark decides; then UTF-16 without a mark, known by the zeros at every other byte;
    then UTF-8, where it is valid; then cp1252 (Windows, western Europe), which is a guess and
    marked as one. A file in UTF-8 with a few damaged letters is refused: reading it as cp1252
    would damage all the others.

    Raises
    ------
    InputError
        When the bytes are no text, or not in the encoding asked for.
    """
    if encoding is not None:
        return _as_asked(data, name, encoding)
    for mark, known in _BOMS:
        if data.startswith(mark):
            if known == "utf-8":
                return _utf8_or_refuse(data[len(mark) :], name)
            return Letters(_decode(data[len(mark) :], known, name), known)
    wide = _utf16_without_mark(data)
    if wide is not None:
        return Letters(_decode(data, wide, name), wide)
    _refuse_zeros(data, name)
    if _is_utf8(data):
        return _no_controls(Letters(data, "utf-8"), name)
    _refuse_damaged_utf8(data, name)
    try:
        text, known = data.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        text, known = data.decode("latin-1"), "latin-1"
    return _no_controls(Letters(text.encode(), known, guessed=True), name)


def _as_asked(data: bytes, name: str, encoding: str) -> Letters:
    try:
        known = codecs.lookup(encoding).name
    except LookupError as error:
        raise InputError(
            f'There is no encoding called "{encoding}".', mend="Try utf-8, utf-16 or cp1252."
        ) from error
    for mark, marked in _BOMS:
        if data.startswith(mark) and known.replace("-sig", "") in (marked, marked[:6]):
            data = data[len(mark) :]
            known = marked
            break
    if known == "utf-8":
        return _utf8_or_refuse(data, name)
    return _no_controls(Letters(_decode(data, known, name), known), name)


def _decode(data: bytes, encoding: str, name: str) -> bytes:
    try:
        text = data.decode(encoding)
        utf8 = text.encode()
    except (UnicodeError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"The file is not valid {encoding} text.",
            file=name,
            mend="Save it as UTF-8 and try again.",
        ) from error
    _refuse_zeros(utf8, name)
    return utf8


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _BLOCK):
            decoder.decode(data[start : start + _BLOCK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _utf8_or_refuse(data: bytes, name: str) -> Letters:
    _refuse_zeros(data, name)
    if not _is_utf8(data):
        raise _damaged_utf8(data, name)
    return _no_controls(Letters(data, "utf-8"), name)


def _utf16_without_mark(data: bytes) -> str | None:
    """Tell UTF-16 by zeros that stand at even places only, or at odd places only."""
    head = data[: 1 << 16]
    head = head[: len(head) // 2 * 2]
    even, odd = head[::2].count(0), head[1::2].count(0)
    places = len(head) / 2
    # Delimiters, digits and line ends have a zero in every script.
    if len(data) % 2 or max(even, odd) <= 0.3 * places or min(even, odd) > 0.01 * places:
        return None
    known = "utf-16-le" if odd > even else "utf-16-be"
    try:
        text = head.decode(known, errors="ignore")
    except UnicodeError:
        return None
    return known if "\x00" not in text and any(end in text for end in "\r\n,;\t|") else None


def _row_of(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _refuse_zeros(data: bytes, name: str) -> None:
    at = data.find(b"\0")
    if at >= 0:
        raise InputError(
            "There is a binary zero (NUL byte), which no table holds.",
            file=name,
            row=_row_of(data, at),
            mend=f"The file is damaged or is no text. {_MEND}",
        )


def _refuse_damaged_utf8(data: bytes, name: str) -> None:
    """Refuse text that is plainly UTF-8 but for a few letters."""
    text = data.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    good = sum(1 for letter in text[:10_000_000] if letter > "\x7f") - bad
    if good >= 10 * bad:
        raise _damaged_utf8(data, name)


def _damaged_utf8(data: bytes, name: str) -> InputError:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        row: int | None = _row_of(data, error.start)
    else:
        row = None
    return InputError(
        "The file is UTF-8 with damaged letters.",
        file=name,
        row=row,
        mend="Export it again; if it is in another encoding, choose that encoding.",
    )


def _no_controls(letters: Letters, name: str) -> Letters:
    """Refuse what decodes but is no text: more than a few control characters at the start."""
    head = letters.utf8[: 1 << 16].decode(errors="ignore")
    controls = sum(
        1
        for each in head
        if (each < " " and each not in "\t\n\r\x0b\x0c") or "\x7f" <= each < "\xa0"
    )
    if controls > 0.02 * len(head):
        raise InputError("This looks like binary data, not a table.", file=name, mend=_MEND)
    return letters
