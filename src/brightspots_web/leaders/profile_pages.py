"""A leader's own page, what colleagues see of a leader, and the certificate."""

from typing import Any

from django.core.signing import Signer
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.alignment import queries as alignment
from brightspots_web.directory import colleague_queries as colleagues
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders import (
    coaching_queries,
    development_next,
    development_queries,
    time_pages,
)
from brightspots_web.leaders import designation_queries as designation
from brightspots_web.leaders import development_learning_queries as learning
from brightspots_web.leaders import development_pages as development
from brightspots_web.leaders import profile_queries as queries
from brightspots_web.leaders.models import Attendance, Designation, Grade
from brightspots_web.leaders.profile_queries import Leader
from brightspots_web.shared import charts, words
from brightspots_web.shared.components import Cell, KeyFigure, Link
from brightspots_web.shared.permissions import Capability, Role, may

Row = dict[str, Any]
Facts = list[tuple[str, Cell]]


# One's own page


def own_page(acting: Appointment) -> Row:
    """Everything on the acting person's own page; all of it is for this person alone."""
    person = acting.person
    held = designation.live_designation(person)
    grows = development_queries.may_grow(acting)
    leads = held is not None or acting.role == Role.SYSTEM_LEADER
    return {
        "breadcrumb": [Link(_("Leaders"), reverse("leaders:leaders")), Link(_("My page"))],
        "person": person,
        "grows": grows,
        "leads": leads,
        "designation": held,
        "facts": designation_facts(held) if held is not None else [],
        "figures": _figures(person) if leads else [],
        "sides": development.sides(person, acting) if grows else [],
        "next": development_next.next_for(acting) if grows else [],
        "term_words": development_next.term_of(acting),
        "to_answer": len({row.leader_id for row in development_queries.to_answer(acting)}),
        "coaching_waits": coaching_queries.waits_for(acting),
        "enrolled": learning.enrolled(person),
        "attended": learning.attended(person),
        "hours": development.hours_text(learning.hours_of(person)),
        "track_record": _track_record(person, held) if leads else [],
        "track_record_url": queries.track_record_page(person) if leads else "",
        "records_time": may(acting, Capability.RECORD_TIME),
        "balance": time_pages.own_shares(acting),
    }


def _figures(person: Person) -> list[KeyFigure]:
    load = queries.load_of(person)
    left = max(float(load.limit - load.agreed), 0.0)
    hours_text = development.hours_text
    return [
        KeyFigure(
            _("Days agreed with schools"),
            hours_text(load.agreed),
            sentence=_("Of {limit} in {year}; {left} can still be agreed.").format(
                limit=hours_text(load.limit), year=str(load.year), left=hours_text(left)
            ),
        ),
        KeyFigure(
            _("Days used so far"),
            hours_text(load.used),
            sentence=_("As written down for each visit, call and preparation."),
        ),
        KeyFigure(
            _("Schools at this time"),
            charts.number(load.schools, 0),
            sentence=_("Of {cap} at most; supported or promised, as of today.").format(
                cap=charts.number(load.cap, 0)
            ),
        ),
    ]


def _track_record(person: Person, held: Designation | None) -> list[tuple[str, str]]:
    """Each priority and what is known; an honest "no record yet" where nothing is."""
    named = list(held.priorities.all()) if held is not None else []
    listed = {each.pk: each for each in [*named, *alignment.live_priorities()]}
    nothing = _("No record yet.")
    return [
        (each.title, queries.track_record_of(person, each) or nothing) for each in listed.values()
    ]


def designation_facts(held: Designation) -> Facts:
    """What a designation says, for its holder and for everybody else alike."""
    facts: Facts = [
        (_("Grade"), str(Grade(held.grade).label)),
        (_("School"), held.school.name),
        (_("Specialisms"), specialisms(held)),
        (
            _("Term"),
            _("from {starts} until {ends}").format(
                starts=words.day(held.starts), ends=words.day(held.ends)
            ),
        ),
    ]
    return facts


def specialisms(held: Designation) -> str:
    return ", ".join(each.title for each in held.priorities.all()) or _("none named")


# On the front page


def front_card(acting: Appointment | None) -> dict[str, str] | None:
    """What colleagues ask of somebody, for their front page; None where nothing waits.

    Keys: `heading`, `text`, `url` and `link`, as the notice component takes them. Coaching is not
    named: somebody may look over the shoulder.
    """
    if acting is None:
        return None
    if development_queries.to_answer(acting):
        return {
            "heading": _("A colleague asks how you see them"),
            "text": _("It takes ten minutes, and they read it beside their own view."),
            "url": reverse("leaders:development"),
            "link": _("Answer"),
        }
    if coaching_queries.waits_for(acting):
        return {
            "heading": _("Something for you alone"),
            "text": _("A colleague waits for your answer."),
            "url": reverse("leaders:coaching"),
            "link": _("Have a look"),
        }
    return None


# What colleagues see


def open_page(leader: Leader, acting: Appointment) -> Row:
    """The open facts: name, school, grade, specialisms, term, confirmed learning."""
    person = leader.person
    shared = development_queries.shares_visible_to(acting).filter(leader=person).exists()
    return {
        "breadcrumb": [Link(_("Leaders"), reverse("leaders:leaders")), Link(str(person))],
        "person": person,
        "designation": leader.designation,
        "facts": _open_facts(leader),
        "learning": [learning_line(each) for each in leader.learning],
        "check": check_text(leader),
        "shared_url": reverse("leaders:development_of", args=[person.pk]) if shared else "",
        "is_own": person.pk == acting.person_id,
    }


def _open_facts(leader: Leader) -> Facts:
    if leader.designation is not None:
        facts = designation_facts(leader.designation)
    else:
        facts = [(_("School"), _school_of(leader))]
    leads = [
        each.partnership.name
        for each in leader.appointments
        if each.role == Role.SYSTEM_LEADER and each.partnership is not None
    ]
    if leads:
        facts.append((_("Leads"), ", ".join(leads)))
    return facts


def _school_of(leader: Leader) -> str:
    schools = [colleagues.school_of(each) for each in leader.appointments]
    return next((school.name for school in schools if school is not None), _("not on record"))


# The certificate


def learning_line(each: Attendance) -> Row:
    hours = each.learning.hours
    return {
        "title": each.learning.title,
        "kind": str(each.learning.get_kind_display()),
        "on": words.day(each.attended_on),
        "hours": ngettext("{n} hour", "{n} hours", 1 if hours == 1 else 2).format(
            n=development.hours_text(hours)
        ),
        "confirmed_by": each.confirmed_by,
    }


def certificate(leader: Leader, address: str) -> Row:
    """What the certificate says, and how whoever is shown it can check it.

    Parameters
    ----------
    address : str
        Where the leader's open page is reached, in full.
    """
    system = directory.system()
    total = sum(float(each.learning.hours) for each in leader.learning)
    return {
        "person": leader.person,
        "system_name": system.name if system is not None else _("School system"),
        "facts": _open_facts(leader),
        "designation": leader.designation,
        "learning": [learning_line(each) for each in leader.learning],
        "hours": development.hours_text(total),
        "on": words.day(directory.today()),
        "check": check_text(leader),
        "address": address,
        "breadcrumb": [Link(_("My page"), reverse("leaders:me")), Link(_("Certificate"))],
    }


def check_text(leader: Leader) -> str:
    """Twelve signs made from the facts with this installation's key: the same facts, the same text.

    It is no seal. Whoever holds the paper compares it with the one on the leader's open page; one
    who changed a fact on the paper cannot make the text that belongs to it.
    """
    held = leader.designation
    facts = [str(leader.person.pk), str(leader.person)]
    if held is not None:
        priorities = ",".join(sorted(each.code for each in held.priorities.all()))
        facts += [held.grade, held.school.code, str(held.starts), str(held.ends), priorities]
    facts += [
        f"{each.learning_id}|{each.learning.title}|{each.attended_on}|{each.learning.hours}"
        for each in leader.learning
    ]
    signed = Signer(salt="leaders.certificate").signature("\n".join(facts))
    signs = [sign for sign in signed.upper() if sign.isalnum()][:12]
    return "-".join("".join(signs[i : i + 4]) for i in (0, 4, 8))
