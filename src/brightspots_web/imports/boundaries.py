"""Boundaries of areas from GeoJSON: checked, made light, matched to areas by name."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import shapely
from django.utils.translation import gettext as _
from shapely.geometry.base import BaseGeometry

from brightspots_web.directory import queries as register
from brightspots_web.imports.analysis import PROBLEM_SCHEMA, CheckedFile, InputError

LARGEST = 100 * 10**6
"""Bytes: a boundary file is read whole."""

MOST_FEATURES = 20_000
CORNERS = 300
"""Corners an area's outline has on average at most: pages draw hundreds of areas."""

TOLERANCES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Degrees; the first that makes the outlines light enough is taken."""

GRID = 1e-5
"""Degrees, about a metre: more decimals say nothing on a screen."""


def look(path: Path, name: str) -> dict[str, Any]:
    """The properties of the features and their first values, for a person to choose from."""
    features = _features(path, name)
    columns = list(dict.fromkeys(key for each in features[:50] for key in _properties(each)))
    rows = [[_shown(_properties(each).get(key)) for key in columns] for each in features[:5]]
    return {"columns": columns, "rows": rows, "format": "geojson"}


def checked_mapping(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with its parts proved: property, level, what becomes of unknown names."""
    column, level = definition.get("property"), definition.get("level")
    unmatched = definition.get("unmatched", "refuse")
    if not isinstance(column, str) or not column:
        raise InputError(_("Choose the property that holds the area's name."))
    if not isinstance(level, int) or not 0 <= level <= 12:
        raise InputError(_("Choose the level of the areas: 1 is the one below the whole system."))
    if unmatched not in {"refuse", "skip"}:
        raise InputError(_("Choose what becomes of areas that are not known: refuse or skip."))
    name = str(definition.get("name", ""))[:100]
    return {
        "name": name,
        "kind": "boundaries",
        "property": column,
        "level": level,
        "unmatched": unmatched,
    }


def check(path: Path, name: str, definition: Mapping[str, Any]) -> CheckedFile:
    """Match every feature to an area by name at one level; simplify all outlines together."""
    column, level = definition["property"], definition["level"]
    skip = definition["unmatched"] == "skip"
    features = _features(path, name)
    areas = _areas_at(level)
    named = [" ".join(_shown(_properties(each).get(column)).split()) for each in features]
    times = Counter(_plain(each) for each in named)
    problems: list[tuple[Any, ...]] = []
    found: dict[int, tuple[int, BaseGeometry]] = {}
    for number, (feature, text) in enumerate(zip(features, named, strict=True), start=1):
        keys = areas.get(_plain(text), [])
        wrong = _wrong_name(keys, times[_plain(text)], skip=skip)
        geometry = None if wrong else _polygon(feature)
        if wrong is None and geometry is None:
            wrong = ("error", _("This is no polygon that can be drawn."), _("Export it again."))
        if wrong is not None:
            severity, problem, mend = wrong
            problems.append((number, column, text[:80], problem, mend, severity, None))
        elif geometry is not None:
            found[keys[0]] = (number, geometry)
    rows = _rows(found)
    refused = sum(1 for each in problems if each[5] == "error")
    counts = {
        "rows": len(features),
        "usable": rows.height,
        "refused": refused,
        "repeated": 0,
        "skipped": len(problems) - refused,
        "warnings": len(problems) - refused,
    }
    return CheckedFile(rows, pl.DataFrame(problems, PROBLEM_SCHEMA, orient="row"), counts)


def compare(rows: pl.DataFrame) -> dict[str, int]:
    """How many outlines are new, other than those there, or the same."""
    now = register.outlines_of(rows["area"].to_list())
    counts = {"new": 0, "changed": 0, "same": 0}
    for key, outline in outlines(rows).items():
        old = now.get(key)
        counts["new" if old is None else "same" if old == outline else "changed"] += 1
    return counts


def outlines(rows: pl.DataFrame) -> dict[int, dict[str, Any]]:
    """GeoJSON geometry by the area's key."""
    return {int(key): json.loads(text) for key, text in rows.select("area", "outline").iter_rows()}


def _features(path: Path, name: str) -> list[Mapping[str, Any]]:
    if path.stat().st_size > LARGEST:
        raise InputError(
            _("The boundary file is larger than %(size)d MB.") % {"size": LARGEST // 10**6},
            file=name,
            mend=_("Simplify the outlines first."),
        )
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(
            _("This is not GeoJSON."), file=name, mend=_("Export the boundaries as GeoJSON.")
        ) from error
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(features, list) or not features:
        raise InputError(
            _("This GeoJSON holds no features."), file=name, mend=_("Send a FeatureCollection.")
        )
    if len(features) > MOST_FEATURES:
        raise InputError(_("There are more than %(most)d features.") % {"most": MOST_FEATURES})
    return [each if isinstance(each, dict) else {} for each in features]


def _properties(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = feature.get("properties")
    return properties if isinstance(properties, dict) else {}


def _shown(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)[:200]


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _areas_at(level: int) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for key, names in register.area_names().items():
        if len(names) == level + 1:
            found[_plain(names[-1])].append(key)
    return found


def _wrong_name(keys: Sequence[int], times: int, *, skip: bool) -> tuple[str, str, str] | None:
    """Severity, problem and how to mend it; never a guess between two."""
    if len(keys) > 1 or (keys and times > 1):
        problem = _("More than one area or feature has this name.")
    elif not keys:
        problem = _("No area of this name is registered at this level.")
    else:
        return None
    if skip:
        return "warning", problem, _("It is left out.")
    return "error", problem, _("Correct the name, choose another level, or leave it out.")


def _polygon(feature: Mapping[str, Any]) -> BaseGeometry | None:
    """The feature's area, repaired where lines cross; None where there is none on the globe."""
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict) or geometry.get("type") not in {"Polygon", "MultiPolygon"}:
        return None
    try:
        drawn = shapely.make_valid(shapely.from_geojson(json.dumps(geometry)))
    except (shapely.errors.ShapelyError, ValueError, TypeError):
        return None
    parts = [each for each in shapely.get_parts(drawn) if each.geom_type.endswith("Polygon")]
    area = shapely.unary_union(parts)
    if area.is_empty or not area.area > 0:
        return None
    west, south, east, north = area.bounds
    on_globe = west >= -180 and south >= -90 and east <= 180 and north <= 90
    return area if on_globe else None


def _rows(found: Mapping[int, tuple[int, BaseGeometry]]) -> pl.DataFrame:
    keys = sorted(found)
    light = _light([found[key][1] for key in keys])
    records = [
        (key, found[key][0], shapely.to_geojson(outline))
        for key, outline in zip(keys, light, strict=True)
    ]
    schema = {"area": pl.Int64, "row": pl.Int64, "outline": pl.String}
    return pl.DataFrame(records, schema=schema, orient="row")


def _light(shapes: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """Drop corners, neighbours keeping their common line, until the outlines are light."""
    if not shapes:
        return []
    whole = list(shapes)
    for tolerance in TOLERANCES:
        if sum(shapely.get_num_coordinates(whole)) <= CORNERS * len(whole):
            break
        simpler = shapely.coverage_simplify(list(shapes), tolerance)
        whole = [
            new if not new.is_empty and new.area > 0 else old
            for new, old in zip(simpler, shapes, strict=True)
        ]
    gridded = [shapely.set_precision(each, GRID) for each in whole]
    return [new if not new.is_empty else old for new, old in zip(gridded, whole, strict=True)]
