"""A small invented school system that a person can check by hand, and its cast.

    Testland
      North county: Upper district (6 schools), Lower district (4 schools)
      South county: East district (3 schools), West district (1 school, in no partnership)

Partnership "Upper" holds the six schools of Upper district and is led by the head of N1;
partnership "Lower" holds the four of Lower district, led by L1. The three schools of East district
form partnership "East", led by E1. W1 in West district is isolated.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils import timezone

from brightspots_web.directory.models import (
    Appointment,
    Area,
    Membership,
    Partnership,
    Person,
    School,
    System,
)
from brightspots_web.shared.permissions import Role

FORMED = date(2024, 9, 1)


@dataclass
class World:
    areas: dict[str, Area] = field(default_factory=dict)
    schools: dict[str, School] = field(default_factory=dict)
    partnerships: dict[str, Partnership] = field(default_factory=dict)
    cast: dict[str, Appointment] = field(default_factory=dict)
    nobody: Person | None = None

    def person(self, who: str) -> Person:
        if who == "nobody":
            assert self.nobody is not None
            return self.nobody
        return self.cast[who].person


def build() -> World:
    world = World()
    System.objects.create(name="Testland", is_sample=True)
    _areas(world)
    _schools(world)
    _partnerships(world)
    _cast(world)
    return world


def _areas(world: World) -> None:
    tree = {
        "Testland": None,
        "North": "Testland",
        "South": "Testland",
        "Upper": "North",
        "Lower": "North",
        "East": "South",
        "West": "South",
    }
    for name, parent in tree.items():
        above = world.areas[parent] if parent else None
        area = Area.objects.create(
            name=name, parent=above, level=above.level + 1 if above else 0, path=f"new-{name}"
        )
        area.path = f"{above.path if above else ''}{area.pk}/"
        area.save()
        world.areas[name] = area


def _schools(world: World) -> None:
    places = {
        "Upper": (["N1", "N2", "N3", "N4", "N5", "N6"], 1.0, 30.0),
        "Lower": (["L1", "L2", "L3", "L4"], 0.5, 30.0),
        "East": (["E1", "E2", "E3"], 0.0, 31.0),
        "West": (["W1"], 0.0, 28.0),
    }
    for district, (codes, latitude, longitude) in places.items():
        for i, code in enumerate(codes):
            world.schools[code] = School.objects.create(
                code=code,
                name=f"School {code}",
                area=world.areas[district],
                latitude=latitude + 0.02 * i,
                longitude=longitude + 0.01 * i,
                phase="primary",
                sector="public",
                roll=100 + 10 * i,
                context={"poverty": 20.0 + 5 * i},
            )


def _partnerships(world: World) -> None:
    for code, members in {
        "Upper": ["N1", "N2", "N3", "N4", "N5", "N6"],
        "Lower": ["L1", "L2", "L3", "L4"],
        "East": ["E1", "E2", "E3"],
    }.items():
        partnership = Partnership.objects.create(
            code=f"P-{code.upper()}",
            name=f"{code} partnership",
            lead_school=world.schools[members[0]],
            formed=FORMED,
        )
        world.partnerships[code] = partnership
        for i, member in enumerate(members):
            Membership.objects.create(
                partnership=partnership,
                school=world.schools[member],
                distance_km=2.5 * i,
                starts=FORMED,
            )


def _cast(world: World) -> None:
    areas, schools, partnerships = world.areas, world.schools, world.partnerships
    _appoint(world, "minister", Role.MINISTER)
    _appoint(world, "analyst", Role.ANALYST)
    _appoint(world, "district_officer", Role.DISTRICT_OFFICER, area=areas["North"])
    _appoint(world, "other_district_officer", Role.DISTRICT_OFFICER, area=areas["South"])
    _appoint(
        world,
        "system_leader",
        Role.SYSTEM_LEADER,
        partnership=partnerships["Upper"],
        school=schools["N1"],
    )
    _appoint(
        world,
        "other_system_leader",
        Role.SYSTEM_LEADER,
        partnership=partnerships["East"],
        school=schools["E1"],
    )
    _appoint(world, "head", Role.HEAD, school=schools["N2"])
    _appoint(world, "partner_head", Role.HEAD, school=schools["N3"])
    _appoint(world, "other_head", Role.HEAD, school=schools["E2"])
    _appoint(world, "teacher", Role.TEACHER, school=schools["N2"])
    yesterday = timezone.localdate() - timedelta(days=1)
    _appoint(world, "former_head", Role.HEAD, school=schools["N2"], ends=yesterday)
    world.nobody = Person.objects.create_user(
        "nobody@test.invalid", "a long password", name="Nobody"
    )


def _appoint(world: World, who: str, role: str, **place: object) -> None:
    name = who.replace("_", " ").title()
    person = Person.objects.create_user(f"{who}@test.invalid", "a long password", name=name)
    world.cast[who] = Appointment.objects.create(person=person, role=role, starts=FORMED, **place)
