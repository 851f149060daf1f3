"""How the columns of one file become the fields we know: made once, saved, named, reused.

``Mapping.columns`` maps a field key (see :mod:`brightspots.core.schemas`) to a :class:`Source`:
one column, several columns (joined for an area path, added up for a number) or a constant::

    Mapping(
        name="PSLE by school",
        kind="school_results",
        columns={
            "school": "school_id",
            "year": {"constant": "2022"},
            "subject": {"constant": "PSLE average"},
            "mean": "average_300",
            "candidates": "num_sitters",
            "grade:A": "n_all_A",
        },
        grade_bands=(GradeBand("A", 241, 300),),
    )

``to_dict`` and ``from_dict`` make the round trip through JSON. ``suggest_mapping(kind, header)``
makes a first guess from column names.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from brightspots.core.errors import InputError
from brightspots.core.schemas import FieldKey, Kind, parse_key, schema_of
from brightspots.core.suggestions import suggest_columns, suggest_keep

Decimal = Literal["auto", ".", ","]
DateOrder = Literal["auto", "dmy", "mdy"]
Match = Literal["code", "name and area"]
Unmatched = Literal["refuse", "skip"]
Shape = Literal["long", "wide"]
ContextType = Literal["number", "text"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "decimal": get_args(Decimal),
    "date_order": get_args(DateOrder),
    "match": get_args(Match),
    "unmatched": get_args(Unmatched),
    "shape": get_args(Shape),
}


@dataclass(frozen=True)
class Source:
    """Where a field comes from: one or several columns, or one constant for every row."""

    columns: tuple[str, ...] = ()
    constant: str | None = None

    def __post_init__(self) -> None:
        if bool(self.columns) == (self.constant is not None):
            raise InputError("A field comes from columns or from a constant: give one of them.")

    @classmethod
    def of(cls, given: object) -> Source:
        """Read ``"column"``, ``["column", "column"]``, ``{"constant": "2022"}`` or a Source."""
        if isinstance(given, Source):
            return given
        if isinstance(given, str):
            return cls(columns=(given,))
        if isinstance(given, AnyMapping) and set(given) == {"constant"}:
            return cls(constant=str(given["constant"]))
        if isinstance(given, Sequence) and given and all(isinstance(each, str) for each in given):
            return cls(columns=tuple(given))
        raise InputError(
            f"{given!r} does not say where a field comes from.",
            mend='Write a column\'s name, a list of names, or {"constant": "2022"}.',
        )

    def to_json(self) -> str | list[str] | dict[str, str]:
        """Return the shortest form that :meth:`of` reads."""
        if self.constant is not None:
            return {"constant": self.constant}
        return self.columns[0] if len(self.columns) == 1 else list(self.columns)


@dataclass(frozen=True)
class GradeBand:
    """A grade and the scores it stands for, from `lower` up to `upper`."""

    label: str
    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise InputError(
                f'Grade "{self.label}" goes from {self.lower} to {self.upper}.',
                mend="The lower edge has to be below the upper edge.",
            )


@dataclass(frozen=True)
class Mapping:
    """How one kind of file is read.

    Parameters
    ----------
    name : str
        By which it is saved and chosen.
    kind : {"schools", "school_results", "pupil_results", "school_links"}
        What the rows are.
    columns : mapping
        Field key -> where it comes from; anything :meth:`Source.of` reads.
    decimal : {"auto", ".", ","}
        The decimal mark. "auto" decides by the numbers themselves.
    date_order : {"auto", "dmy", "mdy"}
        Order in dates such as 03/04/2020; ISO dates need no order.
    grade_bands : sequence of GradeBand
        Edges of the grades, from the lowest grade to the highest.
    non_values : mapping
        Further codes that stand for a missing figure -> meaning.
    types : mapping
        Context field key -> "number" or "text", where the content should not decide.
    keep : mapping
        Column -> values; only rows with one of the values are read (record types).
    match : {"code", "name and area"}
        How rows find their school.
    unmatched : {"refuse", "skip"}
        What becomes of rows whose school is not known.
    shape : {"long", "wide"}
        For pupils with several outcomes: a row a subject, or a column a subject.
    header_row, sheet, encoding, delimiter : optional
        Passed to :func:`brightspots.core.tables.read_table`; None means detect.

    Raises
    ------
    InputError
        When a field is not known or an option has no such choice.
    """

    name: str
    kind: Kind
    columns: AnyMapping[str, Source]
    decimal: Decimal = "auto"
    date_order: DateOrder = "auto"
    grade_bands: tuple[GradeBand, ...] = ()
    non_values: AnyMapping[str, str] = field(default_factory=dict)
    types: AnyMapping[str, ContextType] = field(default_factory=dict)
    keep: AnyMapping[str, tuple[str, ...]] = field(default_factory=dict)
    match: Match = "code"
    unmatched: Unmatched = "refuse"
    shape: Shape = "long"
    header_row: int | None = None
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None

    def __post_init__(self) -> None:
        schema_of(self.kind)
        for option, choices in _CHOICES.items():
            if getattr(self, option) not in choices:
                raise InputError(
                    f'{option} cannot be "{getattr(self, option)}".',
                    mend=f"Choose one of: {', '.join(choices)}.",
                )
        for option in ("name", "sheet", "encoding", "delimiter"):
            given = getattr(self, option)
            if not isinstance(given, str) and (given is not None or option == "name"):
                raise InputError(f"{option} has to be text, not {given!r}.")
        row = self.header_row
        if row is not None and (not isinstance(row, int) or row < 1):
            raise InputError(f"The header row has to be a number from 1, not {row!r}.")
        sources = {key: Source.of(given) for key, given in self.columns.items()}
        for key in sources:
            parse_key(self.kind, key)
        for key, type_ in self.types.items():
            if parse_key(self.kind, key).field.type != "context":
                raise InputError(f'The type of "{key}" is fixed.', mend="Types are for context.")
            if type_ not in get_args(ContextType):
                raise InputError(f'"{type_}" is no type.', mend="Choose number or text.")
        object.__setattr__(self, "columns", sources)
        object.__setattr__(self, "keep", {name: tuple(v) for name, v in self.keep.items()})
        object.__setattr__(self, "grade_bands", tuple(self.grade_bands))

    def field_keys(self) -> tuple[FieldKey, ...]:
        """Return the mapped field keys, taken apart, in the order of the schema."""
        parsed = [parse_key(self.kind, key) for key in self.columns]
        order = {each.name: at for at, each in enumerate(schema_of(self.kind).fields)}
        return tuple(sorted(parsed, key=lambda each: order[each.field.name]))

    def subjects(self) -> tuple[str, ...]:
        """Return the subjects named with ``@`` in field keys, in the order given."""
        named = (key.subject for key in (parse_key(self.kind, each) for each in self.columns))
        return tuple(dict.fromkeys(subject for subject in named if subject is not None))

    def missing(self) -> tuple[str, ...]:
        """Return what still has to be mapped before a file can be read."""
        have = {key.field.name for key in self.field_keys()}
        school = "code" if self.kind == "schools" else "school"
        name = "name" if self.kind == "schools" else "school_name"
        needed = [school] if self.match == "code" else [name, "area_path"]
        if self.kind == "school_links":
            needed += ["other", "link"]
        elif self.kind != "schools":
            needed.append("year")
            if not self.subjects():
                needed.append("subject")
        lacking = [each for each in needed if each not in have]
        if self.kind == "school_results" and not have & {"mean", "grade"}:
            lacking.append("mean")
        if self.kind == "pupil_results" and "score" not in have:
            lacking.append("score")
        return tuple(lacking)

    def to_dict(self) -> dict[str, Any]:
        """Return the mapping in JSON types."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        plain["columns"] = {key: source.to_json() for key, source in self.columns.items()}
        plain["grade_bands"] = [[band.label, band.lower, band.upper] for band in self.grade_bands]
        plain["non_values"] = dict(self.non_values)
        plain["types"] = dict(self.types)
        plain["keep"] = {name: list(values) for name, values in self.keep.items()}
        return plain

    @classmethod
    def from_dict(cls, given: AnyMapping[str, Any]) -> Mapping:
        """Read what :meth:`to_dict` wrote.

        Raises
        ------
        InputError
            When a part is missing, not known, or not of the right kind.
        """
        known = {each.name for each in fields(cls)}
        strange = sorted(set(given) - known)
        if strange:
            raise InputError(
                f"The mapping has parts that are not known: {', '.join(map(str, strange))}.",
                mend=f"The parts are: {', '.join(sorted(known))}.",
            )
        absent = [each for each in ("name", "kind", "columns") if each not in given]
        if absent:
            raise InputError(f"The mapping lacks: {', '.join(absent)}.")
        parts = dict(given)
        try:
            parts["grade_bands"] = tuple(
                GradeBand(str(label), float(lower), float(upper))
                for label, lower, upper in given.get("grade_bands", ())
            )
            return cls(**parts)
        except (TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"The mapping cannot be read: {error}.", mend="Write it again from the screen."
            ) from error


def suggest_mapping(
    kind: Kind, header: Sequence[str], *, name: str = "", file_name: str | None = None
) -> Mapping:
    """Guess a mapping from the names of columns, for a person to confirm.

    What cannot be recognised is left out; :meth:`Mapping.missing` tells what a person has to add
    (often the year and the subject, as constants).

    Parameters
    ----------
    kind : {"schools", "school_results", "pupil_results", "school_links"}
    header : sequence of str
        Names of the columns.
    name : str
        Name of the mapping.
    file_name : str, optional
        Where no column holds the year and the file's name holds exactly one, it is taken.
    """
    schema_of(kind)
    columns = suggest_columns(kind, header, file_name)
    match: Match = "code"
    if kind == "schools" and "code" not in columns and {"name", "area_path"} <= set(columns):
        match = "name and area"
    return Mapping(
        name=name,
        kind=kind,
        columns={key: Source.of(source) for key, source in columns.items()},
        keep=suggest_keep(header),
        match=match,
    )
