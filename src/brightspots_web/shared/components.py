"""What the component templates take. Small frozen values, so that a page's data is typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Link:
    """A link: a crumb (no url for the last), a table cell, an export."""

    label: str
    url: str = ""


@dataclass(frozen=True)
class NavItem:
    label: str
    url: str
    current: bool = False


@dataclass(frozen=True)
class Badge:
    """A neutral label. bright: bright spot; visit: worth a visit; unsure: not enough evidence."""

    label: str
    kind: Literal["bright", "visit", "unsure", "plain"] = "plain"


@dataclass(frozen=True)
class KeyFigure:
    """One figure that says how sure it is. Values are formatted text."""

    label: str
    value: str
    unit: str = ""
    interval: str = ""  # "1.0 and 5.2", read after "likely between"
    n: int | None = None
    n_of: str = ""  # what n counts, in the plural: "schools"
    as_of: str = ""
    certainty: str = ""
    sentence: str = ""
    made_url: str = ""
    more: Link | None = None  # where what was counted can be seen


Cell = str | int | float | Link | Badge | SafeString | None


@dataclass(frozen=True)
class Column:
    """A column; sort is the name used in ?sort= ("" where it cannot be sorted)."""

    label: str
    sort: str = ""
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """A table; sort is the order in force: "name", or "-name" for descending."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    sort: str = ""
    exports: Sequence[Link] = ()
    empty: str = ""


@dataclass(frozen=True)
class CastCard:
    """One-click sign-in as a person of the sample's cast; url takes a POST."""

    role: str
    name: str
    url: str
    sees: str = ""
