"""What track records add to apps below: brokering, a leader's own page, a practice's page."""

from collections.abc import Collection

from django.urls import reverse

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import practice_parts, records
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.evidence import record_pages as pages
from brightspots_web.evidence import record_queries as queries
from brightspots_web.evidence import record_words as words
from brightspots_web.leaders import profile_queries as profiles


@records.register
def outlook(leaders: Collection[int], priorities: Collection[Priority]) -> records.Outlook:
    """What brokering goes by."""
    return queries.outlook(leaders, priorities)


@profiles.register_track_record
def of_leader(person: Person, priority: Priority) -> str | None:
    """What a leader's own page says of a priority; None: no record yet."""
    told = queries.in_words_for(person, priority)
    return None if told.state == queries.NONE else words.told(told)


@profiles.register_track_record_page
def page_of(person: Person) -> str:
    return reverse("evidence:record", args=[person.pk])


@practice_parts.register("record", place=20)
def of_practice(
    practice: practice_parts.Shown, acting: Appointment | None
) -> practice_parts.Part | None:
    """The record of a practice on its page."""
    part = pages.practice_part(practice.pk, acting)
    return practice_parts.Part("evidence/record/_practice.html", part) if part else None
