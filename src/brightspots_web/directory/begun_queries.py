"""Since when schools have been in a partnership: for those above who ask what came of it."""

from datetime import date

from brightspots_web.directory.models import Membership, School


def in_partnership_since() -> dict[int, date]:
    """School -> the first day on which it was in any partnership."""
    rows = Membership.objects.order_by("-starts", "pk").values_list("school", "starts")
    return dict(rows)


def partnerships_by_school() -> dict[int, str]:
    """School -> the code of the partnership it was in last."""
    rows = Membership.objects.order_by("starts", "pk")
    return dict(rows.values_list("school", "partnership__code"))


def circumstances_of_schools() -> dict[int, dict[str, object]]:
    """School -> what the register holds of it: its context, and its phase and roll."""
    rows = School.objects.order_by().values_list("pk", "context", "phase", "roll")
    return {
        pk: {**context, "phase": phase or "", "roll": roll} for pk, context, phase, roll in rows
    }
