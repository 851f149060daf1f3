"""What everybody gets who writes down that a school closes; a part of the permission matrix."""

from collections.abc import Mapping, Sequence

from tests.web.permission_matrix import APPOINTERS, ELSEWHERE, IN_A_MONTH, Case, allow

CLOSING: Mapping[str, Sequence[Case]] = {
    "connectedness:close_school": [
        Case(
            kwargs=lambda world: {"code": "N2"},
            get={**allow(APPOINTERS), **ELSEWHERE},
            post={**allow(APPOINTERS, 302), **ELSEWHERE},
            data=lambda world: {"on": IN_A_MONTH, "successor_0": "N3"},
        )
    ],
}
