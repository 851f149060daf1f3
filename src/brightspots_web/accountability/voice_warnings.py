"""What in a text would tell who wrote it, or who a pupil is: said before it is sent."""

import re
from collections.abc import Sequence

from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.shared.pupil_names import may_identify_pupil

_ORDINARY = """
school schools primary secondary high junior senior middle upper lower nursery infant academy
college girls boys mixed day boarding public private community government saint the and of at for
north south east west central new old county district partnership head teacher system leader
mwalimu shule
"""
ORDINARY = frozenset(_ORDINARY.split())
"""Words of names that everybody writes."""
SHORTEST = 3


def warnings(text: str, by: Appointment) -> list[str]:
    """Sentences about what in a text may tell who wrote it, or name a pupil; [] where nothing does.

    A guess that asks somebody to look again, once; what they then send is sent as it stands.
    """
    if not text.strip():
        return []
    found = _own(text, by)
    known = [each.name for each in (by.school, by.partnership, by.area) if each is not None]
    pupil = may_identify_pupil(text, [*known, str(by.person)])
    if pupil:
        found.append(
            _("“{words}” may tell who somebody is: a name, a number or an address.").format(
                words=pupil
            )
        )
    return found


def warnings_of_all(texts: Sequence[str], by: Appointment) -> list[str]:
    """The same for several texts; what is said of one is not said again of the next."""
    found = [each for text in texts for each in warnings(text, by)]
    return list(dict.fromkeys(found))


def _own(text: str, by: Appointment) -> list[str]:
    found = []
    name = _first_in(text, [str(by.person), *_telling(str(by.person))])
    if name:
        found.append(_("“{words}” is your own name, or part of it.").format(words=name))
    if by.school is not None:
        names = [by.school.name, by.school.code, *_telling(by.school.name)]
        school = _first_in(text, names)
        if school:
            found.append(
                _("“{words}” names your school: few people work there.").format(words=school)
            )
    if by.partnership is not None:
        led = _first_in(text, [by.partnership.name, by.partnership.code])
        if led:
            found.append(_("“{words}” names the partnership you lead.").format(words=led))
    return found


def _telling(name: str) -> list[str]:
    """The words of a name that not everybody writes."""
    words = re.findall(r"[^\W_][\w'’-]*", name)
    return [each for each in words if len(each) >= SHORTEST and each.casefold() not in ORDINARY]


def _first_in(text: str, names: Sequence[str]) -> str:
    for name in names:
        plain = " ".join(name.split())
        if len(plain) < 2:
            continue
        words = r"\s+".join(re.escape(word) for word in plain.split())
        found = re.search(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE)
        if found:
            return found.group()
    return ""
