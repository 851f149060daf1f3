"""What a person says about a file: what it holds, and how its columns are read."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from brightspots_web.imports import analysis, queries
from brightspots_web.imports.models import Kind

MOST_COLUMNS = 400
"""Columns shown on the page; a wider file is mapped on the command line."""

READING = ("encoding", "delimiter", "header_row", "sheet")
OPTIONS = ("decimal", "date_order", "types", "keep", "shape", *READING)
"""Parts of a mapping that the form passes on as they are."""


def too_large() -> ValidationError:
    return ValidationError(
        _("The file is larger than %(limit)d MB. Send it packed, as Parquet, or in parts."),
        params={"limit": settings.UPLOAD_LIMIT // 10**6},
    )


class UploadForm(forms.Form):
    kind = forms.ChoiceField(
        label=lazy("What does the file hold?"), choices=Kind.choices, widget=forms.RadioSelect
    )
    file = forms.FileField(
        label=lazy("File"),
        help_text=lazy("CSV (also packed with gzip), XLSX or Parquet; boundaries as GeoJSON."),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_LIMIT:
            raise too_large()
        return file


class ReadingForm(forms.Form):
    """How the file is opened, where finding it out by itself went wrong."""

    encoding = forms.ChoiceField(
        label=lazy("Letters"),
        required=False,
        choices=[
            ("", lazy("found automatically")),
            ("utf-8", "UTF-8"),
            ("utf-16", "UTF-16"),
            ("cp1252", lazy("Windows, western Europe (cp1252)")),
            ("latin-1", "ISO 8859-1"),
        ],
    )
    delimiter = forms.ChoiceField(
        label=lazy("Columns are parted by"),
        required=False,
        choices=[
            ("", lazy("found automatically")),
            (",", lazy("commas")),
            (";", lazy("semicolons")),
            ("tab", lazy("tabs")),
            ("|", lazy("vertical bars")),
        ],
    )
    header_row = forms.IntegerField(
        label=lazy("Row with the names of the columns"), required=False, min_value=1, max_value=200
    )
    sheet = forms.CharField(label=lazy("Sheet of the workbook"), required=False, max_length=100)

    def options(self) -> dict[str, Any]:
        given = {name: self.cleaned_data.get(name) or None for name in READING}
        given["delimiter"] = "\t" if given["delimiter"] == "tab" else given["delimiter"]
        return given


class SavedForm(forms.Form):
    """One of the saved mappings of this kind."""

    saved = forms.ChoiceField(label=lazy("Saved mapping"))

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = queries.mappings(kind).values_list("name", flat=True)
        field = self.fields["saved"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, name) for name in names]


class MappingForm(forms.Form):
    """A use for each column of the file; see :meth:`definition`."""

    year = forms.CharField(label=lazy("Year"), required=False, max_length=20)
    subject = forms.CharField(label=lazy("Subject"), required=False, max_length=200)
    match = forms.ChoiceField(
        label=lazy("How is a school found?"),
        choices=[("code", lazy("by its code")), ("name and area", lazy("by name and area"))],
        initial="code",
    )
    unmatched = forms.ChoiceField(
        label=lazy("Rows of schools that are not registered"),
        choices=[("refuse", lazy("are refused")), ("skip", lazy("are left out, and listed"))],
        initial="refuse",
    )
    grade_bands = forms.CharField(
        label=lazy("Scores of each grade"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=lazy("One a line, such as: A 241 300"),
    )
    non_values = forms.CharField(
        label=lazy("Further codes for a missing figure"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy(
            "One a line, such as: X = withheld. NA, SUPP, NE, NEW, LOWCOV, NP are known."
        ),
    )
    save_as = forms.CharField(
        label=lazy("Save this mapping as"),
        required=False,
        max_length=100,
        help_text=lazy("Next time, choose it by this name."),
    )

    def __init__(
        self,
        *args: Any,
        kind: str,
        columns: Sequence[str],
        definition: Mapping[str, Any],
        examples: Mapping[str, str],
        **kwargs: Any,
    ) -> None:
        self.examples = examples
        self.kind, self.columns = kind, list(columns[:MOST_COLUMNS])
        self.start = dict(definition)
        self.known = {field["key"]: field for field in analysis.fields(kind)}
        kwargs["initial"] = {**self._initial(), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        uses = [("", _("not used"))] + [(key, each["label"]) for key, each in self.known.items()]
        for at, column in enumerate(self.columns):
            label = _("Use of %(column)s") % {"column": column}
            self.fields[f"use_{at}"] = forms.ChoiceField(label=label, choices=uses, required=False)
            label = _("Name for %(column)s") % {"column": column}
            self.fields[f"name_{at}"] = forms.CharField(label=label, required=False, max_length=200)
        if kind in {Kind.SCHOOLS, Kind.SCHOOL_LINKS}:
            del self.fields["year"], self.fields["subject"]
        if kind != Kind.SCHOOL_RESULTS:
            del self.fields["grade_bands"]

    def column_rows(self) -> list[tuple[str, str, Any, Any]]:
        """Column, an example of what is in it, and the two fields that say what it holds."""
        return [
            (column, self.examples.get(column, ""), self[f"use_{at}"], self[f"name_{at}"])
            for at, column in enumerate(self.columns)
        ]

    def option_fields(self) -> list[Any]:
        names = [name for name in self.fields if not name.startswith(("use_", "name_"))]
        return [self[name] for name in names]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        try:
            definition = analysis.checked_mapping(self._definition(data))
            lacking = analysis.missing(definition)
        except analysis.InputError as error:
            raise ValidationError(str(error)) from error
        if lacking:
            raise ValidationError(
                _("Still to be mapped: %(fields)s."), params={"fields": ", ".join(lacking)}
            )
        self.definition = definition
        return data

    def _definition(self, data: Mapping[str, Any]) -> dict[str, Any]:
        passed_on = {name: self.start[name] for name in OPTIONS if self.start.get(name)}
        given: dict[str, list[tuple[int, str]]] = {}
        for at, column in enumerate(self.columns):
            use, name = data.get(f"use_{at}"), " ".join(str(data.get(f"name_{at}", "")).split())
            if use:
                level = int(name) if use == "area_path" and name.isdecimal() else at
                given.setdefault(self._key(use, name, column), []).append((level, column))
        columns: dict[str, Any] = {}
        for key, several in given.items():
            chosen = [column for _level, column in sorted(several)]
            if len(chosen) > 1 and not self.known[key.split(":")[0].split("@")[0]]["several"]:
                raise ValidationError(
                    _("Two columns have the same use: %(columns)s."),
                    params={"columns": ", ".join(chosen)},
                )
            columns[key] = chosen
        for field in ("year", "subject"):
            if data.get(field) and field not in columns:
                columns[field] = {"constant": data[field].strip()}
        return {
            **passed_on,
            "name": data.get("save_as", ""),
            "kind": self.kind,
            "columns": columns,
            "match": data.get("match", "code"),
            "unmatched": data.get("unmatched", "refuse"),
            "grade_bands": _bands(data.get("grade_bands", "")),
            "non_values": _codes(data.get("non_values", "")),
        }

    def _key(self, use: str, name: str, column: str) -> str:
        field = self.known[use]
        if field["named"]:
            return f"{use}:{name or column}"
        return f"{use}@{name}" if field["by_subject"] and name else use

    def _initial(self) -> dict[str, Any]:
        """What the form shows of a mapping that was suggested, saved or tried before."""
        shown: dict[str, Any] = {
            name: self.start[name] for name in ("match", "unmatched") if name in self.start
        }
        shown["save_as"] = self.start.get("name", "")
        shown["grade_bands"] = "\n".join(
            f"{label} {lower:g} {upper:g}"
            for label, lower, upper in self.start.get("grade_bands", ())
        )
        shown["non_values"] = "\n".join(
            f"{code} = {meaning}" for code, meaning in self.start.get("non_values", {}).items()
        )
        places = {column: at for at, column in enumerate(self.columns)}
        for key, source in self.start.get("columns", {}).items():
            if isinstance(source, Mapping):
                shown[key] = source.get("constant", "")
                continue
            chosen = [source] if isinstance(source, str) else list(source)
            for position, column in enumerate(chosen, start=1):
                if column in places:
                    use, name = _taken_apart(key)
                    shown[f"use_{places[column]}"] = use
                    several = use == "area_path" and len(chosen) > 1
                    shown[f"name_{places[column]}"] = str(position) if several else name
        return shown


class BoundariesForm(forms.Form):
    property = forms.ChoiceField(label=lazy("Which property holds the area's name?"))
    level = forms.TypedChoiceField(label=lazy("Which areas are these?"), coerce=int)
    unmatched = forms.ChoiceField(
        label=lazy("Features whose area is not registered"),
        choices=[("refuse", lazy("are refused")), ("skip", lazy("are left out, and listed"))],
        initial="refuse",
    )

    def __init__(
        self, *args: Any, columns: Sequence[str], levels: Sequence[tuple[int, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        properties, known = self.fields["property"], self.fields["level"]
        assert isinstance(properties, forms.ChoiceField)
        assert isinstance(known, forms.ChoiceField)
        properties.choices = [(column, column) for column in columns]
        known.choices = list(levels)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        self.definition = {**data, "kind": str(Kind.BOUNDARIES), "name": ""}
        return data


class ConfirmForm(forms.Form):
    leave_out_refused = forms.BooleanField(required=False)

    def __init__(self, *args: Any, refused: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not refused:
            del self.fields["leave_out_refused"]
            return
        self.fields["leave_out_refused"].label = _(
            "Leave out the %(refused)d refused rows and import the rest"
        ) % {"refused": refused}


def _taken_apart(key: str) -> tuple[str, str]:
    first, colon, name = key.partition(":")
    if colon:
        return first, name
    use, _at, subject = key.partition("@")
    return use, subject


def _bands(text: str) -> list[list[Any]]:
    bands: list[list[Any]] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        parts = line.replace(":", " ").split()
        try:
            label, lower, upper = " ".join(parts[:-2]), float(parts[-2]), float(parts[-1])
        except (IndexError, ValueError) as error:
            raise ValidationError(
                _("The scores of a grade cannot be read: “%(line)s”. Write: A 241 300"),
                params={"line": line[:60]},
            ) from error
        bands.append([label, lower, upper])
    return sorted(bands, key=lambda band: float(band[1]))


def _codes(text: str) -> dict[str, str]:
    codes: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        code, _equals, meaning = line.partition("=")
        codes[code.strip()] = meaning.strip()
    return codes
