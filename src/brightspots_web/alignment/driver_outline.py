"""A driver diagram as an outline that people write: a line a driver, deeper for what drives it.

    Teachers see how each child reads
      A short check every month
        The check on one page
    Books that children can read

The aim is the priority itself and stands in no line. Two blanks lead one step deeper; so does a
tab. A phone turns two blanks into a full stop: there, dashes may stand for them, one for a primary
driver, two for a secondary one, three for an idea. Other bullets are as good as dashes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.shared.charts.drivers import Driver

STEP = 2
"""Blanks for each step deeper."""
DEEPEST = 3
"""Primary drivers, secondary drivers, ideas to try."""
MOST = 40
"""So many lines can still be read as a drawing."""
LONGEST = 140
"""Characters of a line."""
MOST_PROBLEMS = 5
"""So many problems are named at once; mending them often mends the others."""

_BULLET = re.compile(r"(?P<marks>-+|\*+|•+|–+|—+|·+|◦+|▪+)(?:\s+|$)")
_BLANKS = re.compile(r"[^\S\n]*")


@dataclass(frozen=True)
class _Line:
    number: int
    blanks: int
    label: str


@dataclass
class _Node:
    label: str
    children: list["_Node"] = field(default_factory=list)

    def frozen(self) -> Driver:
        return Driver(self.label, tuple(each.frozen() for each in self.children))


def parse(text: str) -> tuple[Driver, ...]:
    """The primary drivers, each with its own; none for an empty text.

    Raises
    ------
    ValidationError
        With a message for each line that cannot be read, its number in it.
    """
    lines = list(_lines(text))
    problems = _problems(lines)
    if problems:
        raise ValidationError(problems[:MOST_PROBLEMS])
    top = _Node("")
    path = [top]
    for line in lines:
        level = line.blanks // STEP
        node = _Node(line.label)
        del path[level + 1 :]
        path[level].children.append(node)
        path.append(node)
    return top.frozen().children


def written(drivers: Sequence[Driver], deeper: int = 0) -> str:
    """The outline of drivers, as :func:`parse` reads it."""
    lines = (
        f"{' ' * (STEP * deeper)}{each.label}"
        + (f"\n{written(each.children, deeper + 1)}" if each.children else "")
        for each in drivers
    )
    return "\n".join(lines)


def tidy(text: str) -> str:
    """The outline without bullets, tabs and empty lines; what cannot be read is refused."""
    return written(parse(text))


def _lines(text: str) -> Iterator[_Line]:
    """The lines that say something, with how deep they stand; a margin common to all is none."""
    found = []
    rows = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, row in enumerate(rows, start=1):
        margin = _BLANKS.match(row)
        before = margin.group() if margin else ""
        blanks = sum(STEP if each == "\t" else 1 for each in before)
        label, marks = _without_bullets(row[len(before) :])
        if label:
            found.append(_Line(number, blanks + STEP * max(marks - 1, 0), label))
    common = min((line.blanks for line in found), default=0)
    for line in found:
        yield _Line(line.number, line.blanks - common, line.label)


def _without_bullets(row: str) -> tuple[str, int]:
    """What a line says, and of how many marks the bullet before it was made."""
    first = _BULLET.match(row)
    marks = len(first["marks"]) if first else 0
    while found := _BULLET.match(row):
        row = row[found.end() :]
    return " ".join(row.split()), marks


def _problems(lines: Sequence[_Line]) -> list[str]:
    found = []
    before: _Line | None = None
    for line in lines:
        problem = _problem(line, before)
        if problem:
            found.append(problem)
        before = line
    if len(lines) > MOST:
        found.append(
            _("There are {n} lines, and {most} are the most that can be read at a glance.").format(
                n=len(lines), most=MOST
            )
        )
    return found


def _problem(line: _Line, before: _Line | None) -> str:
    if len(line.label) > LONGEST:
        return _("Line {line} has {n} characters: {most} at most.").format(
            line=line.number, n=len(line.label), most=LONGEST
        )
    deeper = line.blanks - (before.blanks if before else 0)
    if before is None:
        # The margin that all lines have is gone: deeper than others, the first has nothing above.
        return (
            _("Line {line} is the first and stands deeper than others: begin at the edge.").format(
                line=line.number
            )
            if deeper
            else ""
        )
    if deeper > STEP:
        return ngettext(
            "Line {line} is {n} blank deeper than line {before}: two at most.",
            "Line {line} is {n} blanks deeper than line {before}: two at most.",
            deeper,
        ).format(line=line.number, n=_in_words(deeper), before=before.number)
    if line.blanks % STEP:
        return ngettext(
            "Line {line} stands {n} blank from the edge: two for each step deeper.",
            "Line {line} stands {n} blanks from the edge: two for each step deeper.",
            line.blanks,
        ).format(line=line.number, n=_in_words(line.blanks))
    if line.blanks // STEP >= DEEPEST:
        return _(
            "Line {line} is deeper than an idea to try, and nothing goes there: move it two "
            "blanks to the left."
        ).format(line=line.number)
    return ""


def _in_words(n: int) -> str:
    words = {
        1: _("one"), 2: _("two"), 3: _("three"), 4: _("four"), 5: _("five"), 6: _("six"),
    }  # fmt: skip
    return words.get(n, str(n))
