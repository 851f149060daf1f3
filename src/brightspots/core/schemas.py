"""What an imported file can hold: the fields of schools, their links, and of results.

A *field key* names one thing that a column can be mapped to:

==========================  ===========================================================
``code``, ``mean``          a field of the schema
``context:free meals``      a named field; any number of them
``grade:A``                 the count of pupils with grade A
``mean@Reading``            a measure of one subject, for wide files (a column a subject)
``grade:A@Reading``         both
==========================  ===========================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from brightspots.core.errors import InputError

Kind = Literal["schools", "school_results", "pupil_results", "school_links"]
FieldType = Literal["code", "text", "area", "integer", "number", "date", "year", "context"]


@dataclass(frozen=True)
class Field:
    """One field of a schema.

    Parameters
    ----------
    name : str
        Field key, or its first part for a `named` field.
    type : str
        "code" (text, never a number: leading zeros count), "text", "area" (levels joined into a
        path), "integer", "number", "date", "year", or "context" (number or text, by what it
        holds).
    label, help : str
        For people.
    low, high : float, optional
        Values outside are refused.
    named : bool
        The key has a name after a colon, and there can be many.
    by_subject : bool
        The key may carry ``@subject``.
    """

    name: str
    type: FieldType
    label: str
    help: str
    low: float | None = None
    high: float | None = None
    named: bool = False
    by_subject: bool = False


@dataclass(frozen=True)
class Schema:
    """The fields of one kind of file, and the fields that together name a row."""

    kind: Kind
    label: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]

    def field(self, name: str) -> Field | None:
        """Return the field of this name, or None."""
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True)
class FieldKey:
    """A field key taken apart: the field, its name (``context:<name>``) and its subject."""

    key: str
    field: Field
    name: str | None = None
    subject: str | None = None

    @property
    def base(self) -> str:
        """The key without its subject: the name of the column in a long frame."""
        return self.field.name if self.name is None else f"{self.field.name}:{self.name}"


_LARGEST_SCHOOL = 200_000  # pupils; the largest known has about 60,000

_CONTEXT = Field(
    "context",
    "context",
    "Context",
    "Anything that describes the circumstances, under a name of your own.",
    named=True,
)
_AREA = Field(
    "area_path",
    "area",
    "Area",
    "One column a level, largest first: region, district, ward.",
)
_SCHOOL = Field("school", "code", "School code", "The same code as in the list of schools.")
_SCHOOL_NAME = Field("school_name", "text", "School name", "Needed to match by name and area.")
_YEAR = Field(
    "year",
    "year",
    "Year",
    "2022, or a school year such as 2021/22, which is known by the year it ends in.",
    1900,
    2100,
)
_SUBJECT = Field("subject", "text", "Subject", "Subject or examination.")

SCHOOLS = Schema(
    "schools",
    "Schools",
    (
        Field("code", "code", "Code", "The code by which the school is known in every file."),
        Field("name", "text", "Name", "The school's name."),
        _AREA,
        Field("latitude", "number", "Latitude", "Decimal degrees, north positive.", -90, 90),
        Field("longitude", "number", "Longitude", "Decimal degrees, east positive.", -180, 180),
        Field("phase", "text", "Phase", "Primary, secondary and so on."),
        Field("sector", "text", "Sector", "Public, private, faith and so on."),
        Field("language", "text", "Language", "Language of instruction."),
        Field(
            "roll",
            "integer",
            "Roll",
            "Pupils on roll; several columns are added up.",
            0,
            _LARGEST_SCHOOL,
        ),
        Field("opened", "date", "Opened", "Date or year."),
        Field("closed", "date", "Closed", "Date or year."),
        _CONTEXT,
    ),
    key=("code",),
)

SCHOOL_RESULTS = Schema(
    "school_results",
    "Results by school",
    (
        _SCHOOL,
        _SCHOOL_NAME,
        _AREA,
        _YEAR,
        _SUBJECT,
        Field("mean", "number", "Mean", "Mean score of the school.", by_subject=True),
        Field(
            "candidates",
            "integer",
            "Candidates",
            "Pupils who sat.",
            0,
            _LARGEST_SCHOOL,
            by_subject=True,
        ),
        Field(
            "spread",
            "number",
            "Spread",
            "Standard deviation of the pupils' scores.",
            0,
            by_subject=True,
        ),
        Field("lower", "number", "Lower limit", "Of the official interval.", by_subject=True),
        Field("upper", "number", "Upper limit", "Of the official interval.", by_subject=True),
        Field(
            "grade",
            "integer",
            "Grade count",
            "Pupils with this grade.",
            0,
            _LARGEST_SCHOOL,
            named=True,
            by_subject=True,
        ),
        _CONTEXT,
    ),
    key=("school", "year", "subject"),
)

PUPIL_RESULTS = Schema(
    "pupil_results",
    "Results by pupil",
    (
        _SCHOOL,
        _SCHOOL_NAME,
        _AREA,
        _YEAR,
        Field("pupil", "code", "Pupil code", "Never a name; needed to find repeated rows."),
        _SUBJECT,
        Field("score", "number", "Score", "The pupil's result.", by_subject=True),
        _CONTEXT,
    ),
    key=("school", "year", "subject", "pupil"),
)

SCHOOL_LINKS = Schema(
    "school_links",
    "Who took over from which school",
    (
        _SCHOOL,
        _SCHOOL_NAME,
        _AREA,
        Field("other", "code", "The other school", "The code of the predecessor or successor."),
        Field(
            "link",
            "text",
            "Kind of link",
            "What the other school is to this one: successor, predecessor, merged, split.",
        ),
        Field("on", "date", "Since when", "Date or year."),
    ),
    key=("school", "other"),
)

SCHEMAS: dict[Kind, Schema] = {
    "schools": SCHOOLS,
    "school_results": SCHOOL_RESULTS,
    "pupil_results": PUPIL_RESULTS,
    "school_links": SCHOOL_LINKS,
}


def schema_of(kind: str) -> Schema:
    """Return the schema of a kind of file.

    Raises
    ------
    InputError
        When there is no such kind.
    """
    for known, schema in SCHEMAS.items():
        if known == kind:
            return schema
    raise InputError(
        f'There is no kind of file called "{kind}".',
        mend=f"Choose one of: {', '.join(SCHEMAS)}.",
    )


def parse_key(kind: str, key: str) -> FieldKey:
    """Take a field key apart and check it against the schema.

    Raises
    ------
    InputError
        When the schema has no such field, a name is missing or not allowed, or a subject is.
    """
    schema = schema_of(kind)
    field = schema.field(key)
    if field is not None and not field.named:
        return FieldKey(key, field)
    before, at, subject = key.rpartition("@")
    base = before if at else key
    if base.startswith("context:"):
        # A context has no subject, so that an @ belongs to its name.
        base, subject, at = key, "", ""
    first, colon, name = base.partition(":")
    field = schema.field(first)
    if field is None:
        names = ", ".join(each.name for each in schema.fields)
        raise InputError(
            f'"{key}" is not a field of {schema.label.lower()}.', mend=f"The fields are: {names}."
        )
    if field.named != bool(colon and name.strip()):
        what = "needs a name after a colon" if field.named else "takes no name after a colon"
        raise InputError(f'The field "{first}" {what}; "{key}" cannot be used.')
    if at and not (field.by_subject and subject.strip()):
        raise InputError(f'The field key "{key}" cannot carry a subject after "@".')
    return FieldKey(key, field, name if colon else None, subject if at else None)
