"""What everybody gets from the addresses of ceremony; a part of the matrix."""

from collections.abc import Sequence

from tests.web.permission_matrix import Case

CEREMONY: dict[str, Sequence[Case]] = {}
