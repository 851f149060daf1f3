"""What one person gave to other schools, for that person's own pages."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from brightspots_web.connectedness.models import Deployment, DeploymentLog
from brightspots_web.directory.models import School


@dataclass(frozen=True)
class Given:
    """Days written down for a school within some weeks."""

    school: School
    days: Decimal


def days_given(person: int, first: date, last: date) -> list[Given]:
    """Days of support a person wrote down from one day to another, both included, by school."""
    logged = DeploymentLog.objects.filter(
        deployment__giver=person, on__gte=first, on__lte=last
    ).select_related("deployment__receiving")
    found: dict[int, Given] = {}
    for each in logged.order_by("deployment__receiving__name", "pk"):
        school = each.deployment.receiving
        before = found[school.pk].days if school.pk in found else Decimal(0)
        found[school.pk] = Given(school, before + each.days)
    return list(found.values())


def schools_supported(person: int) -> list[School]:
    """Schools with whom a person's support is under way, by name."""
    running = Deployment.objects.filter(giver=person, state=Deployment.State.RUNNING)
    found = {each.receiving_id: each.receiving for each in running.select_related("receiving")}
    return sorted(found.values(), key=lambda school: (school.name, school.code))
