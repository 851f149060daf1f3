"""A first guess at a mapping, from the names of columns alone; a person confirms it.

Names are compared in small letters with everything but letters and digits made "_". The patterns
come from files of ministries: NECTA and TAMISEMI (Tanzania), the Ministry of Education and KNEC
(Kenya), performance tables and GIAS (England), state assessments (United States).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

Suggested = str | list[str] | dict[str, str]

# For each field, patterns from the surest to the vaguest; the first column that fits is taken.
_SCHOOL_CODE = (
    r"school_(id|code|number|no)",
    r"urn",
    r"(emis|udise|nemis|knec)_?(id|code|number|no)?",
    r"code",
    r"cent(re|er)_(code|number|no)",
    r"reg(istration)?_?(no|number|code)",
    r".*_knec_code|ncessch",
    r"schoolid|schoolcode|school_key",
)
_SCHOOL_NAME = (
    r"school_?name|schname|establishment_?name(_name)?|name_of_(the_)?school",
    r".*school_name",
    r"name",
    r"school",
)
_YEAR = (r"(academic|school|exam|examination)_year", r"year", r"yr")
_SUBJECT = (r"subject(_name)?", r"content_area")

_PATTERNS: dict[str, dict[str, tuple[str, ...]]] = {
    "schools": {
        "code": (*_SCHOOL_CODE, r"school"),
        "name": _SCHOOL_NAME,
        "latitude": (r"latitude", r"lat", r"gps_lat(itude)?"),
        "longitude": (r"longitude", r"lon|long|lng", r"gps_lon(g|gitude)?"),
        "phase": (r"phase.*", r"(school_)?level", r"emh_level"),
        "sector": (
            r"sector",
            r"ownership",
            r"status",
            r"management",
            r"school_sponsor",
            r"establishment_?type(_name)?|typeofestablishment_name|schtype|nftype",
        ),
        "language": (r"language(_of_instruction)?", r"medium(_of_instruction)?"),
        "roll": (
            r"roll",
            r"total_enrol?lment|enrol?lment(_total)?",
            r"totpups|numberofpupils|number_of_pupils|total_pupils|pupils(_total)?",
        ),
        "opened": (r"opened|open_?date|date_opened|opening_date",),
        "closed": (r"closed|close_?date|date_closed|closing_date",),
    },
    "school_results": {
        "school": (*_SCHOOL_CODE, r"school"),
        "year": _YEAR,
        "subject": _SUBJECT,
        "mean": (r"mean(_score|_mark|_marks)?", r"average(_score|_mark|_marks|_\d+)?", r"avg.*"),
        "candidates": (
            r"(num|number_of|n|total)_(sitters|candidates|entries|pupils_tested)",
            r"candidates|sitters|sat|entries",
            r"telig",
            r".*total_students",
            r"n",
        ),
        "spread": (r"spread|sd|std|st_?dev|standard_deviation",),
        "lower": (r"lower(_limit|_ci)?|ci_lower",),
        "upper": (r"upper(_limit|_ci)?|ci_upper",),
    },
    "pupil_results": {
        "school": (*_SCHOOL_CODE, r"school"),
        "year": _YEAR,
        "pupil": (
            r"(pupil|student|learner|candidate)_?(id|code|number|no)",
            r"upn",
            r"pupil|student|learner",
            r"id",
        ),
        "subject": _SUBJECT,
        "score": (r"scale_score|scaled_score", r"score|mark|marks|result|points", r"normexam|mach"),
    },
    "school_links": {
        "other": (r"link_?urn", r"(successor|predecessor|other|linked)(_school)?_?(code|id|no)?"),
        "school": (*_SCHOOL_CODE, r"school"),
        "link": (r"link_?type|kind_of_link", r"link|relation(ship)?|type|kind"),
        "on": (r"link_?established_?date", r"on|since|(link_?)?date|valid_from"),
    },
}

# Levels of area, the largest first. A file that has sub-counties names districts of another age.
_AREAS = (
    r"(region|province|state|gor)(_name)?|mkoa",
    r"((g_)?county|la|lea|local_authority)(_name)?",
    r"(district|council|municipality|administrative_district|districtadministrative)(_name)?"
    r"|halmashauri|wilaya",
    r"(sub_?county|constituency)(_name)?",
    r"(zone|circuit|cluster)(_name)?",
    r"(ward|sector_name|cell|administrative_?ward)(_name)?|kata",
)
_OLD_WITH_SUB_COUNTY = (2, 4)

_CONTEXT = {
    "schools": r"pop_\d+km|population.*|p(ercentage|ct)?_?fsm.*|ptfsm\w*|rural|urban.*|poverty.*"
    r"|wealth.*|altitude|electricity|water",
    "school_results": r"pop_\d+km|ptfsm6cla1a|ptealgrp2|psenelse|tks1average|ptmobn|poverty.*",
    "pupil_results": r"sex|gender|female|age|ethnicity|grade|frl|ell|iep|ses|minrty|disability.*"
    r"|free_reduced_lunch_status|ell_status|iep_status|home_language|standlrt|prior.*|.*_prior",
}

_SUBJECTS = {
    "Mathematics": r"math|maths|mathematics|mat|hisabati|numeracy",
    "Reading": r"read|reading|literacy",
    "Writing": r"writ|writing",
    "English": r"english|eng|kiingereza",
    "Kiswahili": r"kiswahili|swahili",
    "Science": r"science|sci|sayansi",
    "Social studies": r"social_studies|maarifa",
    "French": r"french|francais",
    "Kinyarwanda": r"kinyarwanda",
}
_GRADE = re.compile(r"(?:n_all|n|num|grade|count|n_grade)_([a-fu])")
_BOYS_GIRLS = re.compile(r"total_(boys|girls|male|female)|(boys|girls|male|female)_total")


def plain(name: str) -> str:
    """Return a column's name in small letters with "_" between its parts."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def suggest_columns(
    kind: str, header: Sequence[str], file_name: str | None = None
) -> dict[str, Suggested]:
    """Return field key -> column(s) or constant, for the fields that could be recognised."""
    names = {column: plain(column) for column in header}
    taken: set[str] = set()
    chosen: dict[str, Suggested] = {}
    if kind in ("school_results", "pupil_results"):
        chosen |= _by_subject(kind, names, taken)
    wide = any("@" in key for key in chosen)
    for field, patterns in _PATTERNS[kind].items():
        if field in chosen or (wide and field in ("mean", "score", "subject", "lower", "upper")):
            continue
        column = _first(names, patterns, taken)
        if column is not None:
            chosen[field] = column
            taken.add(column)
    if kind == "schools":
        chosen |= _areas(names, taken) | _roll(names, chosen)
    if kind == "school_results":
        chosen |= _grades(names, taken)
    chosen |= _context(kind, names, taken)
    if kind in ("school_results", "pupil_results") and "year" not in chosen:
        chosen |= _year(file_name)
    return chosen


def _first(names: dict[str, str], patterns: Iterable[str], taken: set[str]) -> str | None:
    for pattern in patterns:
        for column, name in names.items():
            if column not in taken and re.fullmatch(pattern, name):
                return column
    return None


def _areas(names: dict[str, str], taken: set[str]) -> dict[str, Suggested]:
    found = {
        level: column
        for level, pattern in enumerate(_AREAS)
        if (column := _first(names, (pattern,), taken)) is not None
    }
    if {1, 3} <= set(found):
        found = {level: each for level, each in found.items() if level not in _OLD_WITH_SUB_COUNTY}
    taken.update(found.values())
    return {"area_path": list(found.values())} if found else {}


def _roll(names: dict[str, str], chosen: dict[str, Suggested]) -> dict[str, Suggested]:
    """Add boys and girls up where there is no total."""
    both = [column for column, name in names.items() if _BOYS_GIRLS.fullmatch(name)]
    return {"roll": both} if "roll" not in chosen and len(both) == 2 else {}


def _grades(names: dict[str, str], taken: set[str]) -> dict[str, Suggested]:
    """Find counts by grade; those of all pupils before others."""
    found: dict[str, Suggested] = {}
    for column, name in sorted(names.items(), key=lambda item: not item[1].startswith("n_all")):
        grade = _GRADE.fullmatch(name)
        if grade and column not in taken:
            found.setdefault(f"grade:{grade[1].upper()}", column)
    return dict(sorted(found.items())) if len(found) > 1 else {}


def _context(kind: str, names: dict[str, str], taken: set[str]) -> dict[str, Suggested]:
    return {
        f"context:{column}": column
        for column, name in names.items()
        if column not in taken and kind in _CONTEXT and re.fullmatch(_CONTEXT[kind], name)
    }


def _subject_of(word: str) -> str | None:
    return next((each for each, pattern in _SUBJECTS.items() if re.fullmatch(pattern, word)), None)


def _by_subject(kind: str, names: dict[str, str], taken: set[str]) -> dict[str, Suggested]:
    """Find wide files: READPROG and READPROG_LOWER, math_mean, or math_2025 beside math_2024."""
    if kind == "school_results":
        found = _progress(names) or _measures(names, r"(?:mean|average|avg|score)", "mean")
    else:
        found = _measures(names, r"(?:score|mark|marks)", "score") or _latest(names)
    for source in found.values():
        taken.update([source] if isinstance(source, str) else [])
    return found


def _progress(names: dict[str, str]) -> dict[str, Suggested]:
    """Progress scores of England's performance tables, with their official intervals."""
    found: dict[str, Suggested] = {}
    for column, name in names.items():
        match = re.fullmatch(r"(read|writ|mat)prog(?:_(lower|upper))?", name)
        if match and (subject := _subject_of(match[1])):
            found[f"{match[2] or 'mean'}@{subject}"] = column
    return found


def _measures(names: dict[str, str], word: str, field: str) -> dict[str, Suggested]:
    found: dict[str, Suggested] = {}
    for column, name in names.items():
        match = re.fullmatch(rf"{word}_(.+)|(.+)_{word}", name)
        if match and (subject := _subject_of(match[1] or match[2])):
            found.setdefault(f"{field}@{subject}", column)
    return found if len(found) > 1 else {}


def _latest(names: dict[str, str]) -> dict[str, Suggested]:
    """Take the latest year of math_2025, math_2024 as the outcome and the rest as priors."""
    dated = [
        (int(match[2]), subject, column)
        for column, name in names.items()
        if (match := re.fullmatch(r"(.+)_((?:19|20)\d\d)", name))
        and (subject := _subject_of(match[1]))
    ]
    if not dated:
        return {}
    last = max(year for year, _, _ in dated)
    found: dict[str, Suggested] = {"year": {"constant": str(last)}}
    for year, subject, column in dated:
        found[f"score@{subject}" if year == last else f"context:{column}"] = column
    return found


def _year(file_name: str | None) -> dict[str, Suggested]:
    """Take the year from the file's name where it names exactly one."""
    years = set(re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", file_name or ""))
    return {"year": {"constant": years.pop()}} if len(years) == 1 else {}


def suggest_keep(header: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Keep schools only where England's tables mix them with areas and the nation (RECTYPE)."""
    return {column: ("1", "2") for column in header if column.upper() == "RECTYPE"}
