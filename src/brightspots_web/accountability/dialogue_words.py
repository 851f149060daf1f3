"""How dialogues and promises stand, in plain words that blame nobody."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability.models import Commitment, Dialogue, DialogueGuest
from brightspots_web.directory import queries as directory
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge
from brightspots_web.shared.words import day

State = Dialogue.State


def rule() -> str:
    """What a dialogue is; it stands on the list of them."""
    return _(
        "Teachers and heads sit down with a person who can decide. Who is asked is drawn by lot, "
        "evenly over areas and roles: nobody is picked. The agenda comes from what was said in "
        "consultations and suggestions; a point has no author. What is promised gets an owner and "
        "a day, and stays here until it is kept, or until it is said why not."
    )


def badge(dialogue: Dialogue) -> Badge:
    label = str(dialogue.get_state_display())
    return Badge(label, "visit" if dialogue.state == State.HELD else "plain")


def standing(dialogue: Dialogue) -> str:
    if dialogue.state == State.CALLED_OFF:
        return _("Called off: {why}").format(why=dialogue.called_off_why)
    if dialogue.state == State.HELD:
        return _("Held on {day}. The minutes are below.").format(day=day(dialogue.on))
    if dialogue.on < directory.today():
        return _("It was on {day}; the minutes are still to be written.").format(
            day=day(dialogue.on)
        )
    return _("On {day}, {place}.").format(day=day(dialogue.on), place=dialogue.place)


def guests(found: list[DialogueGuest]) -> str:
    """Who is asked, in numbers: what everybody reads."""
    if not found:
        return _("Nobody is asked yet.")
    teachers = sum(each.role == "teacher" for each in found)
    cannot = sum(each.state == DialogueGuest.State.CANNOT for each in found)
    comes = sum(each.state == DialogueGuest.State.COMES for each in found)
    asked = ngettext("{n} teacher", "{n} teachers", teachers).format(n=number(teachers, 0))
    others = len(found) - teachers
    heads = ngettext("{n} head", "{n} heads", others).format(n=number(others, 0))
    return _(
        "Drawn by lot: {teachers} and {heads}. Coming: {comes}; cannot come: {cannot}; no answer "
        "yet: {silent}."
    ).format(
        teachers=asked,
        heads=heads,
        comes=number(comes, 0),
        cannot=number(cannot, 0),
        silent=number(len(found) - comes - cannot, 0),
    )


def were_there(found: list[DialogueGuest]) -> str:
    n = sum(each.was_there is True for each in found)
    there = ngettext(
        "{n} teacher or head was there.", "{n} teachers and heads were there.", n
    ).format(n=number(n, 0))
    if not found:
        return there
    asked = _("Drawn by lot: {n}.").format(n=number(len(found), 0))
    return f"{there} {asked}"


def commitment_badge(commitment: Commitment) -> Badge:
    if commitment.state == Commitment.State.KEPT:
        return Badge(_("kept"), "bright")
    if commitment.state == Commitment.State.NOT_KEPT:
        return Badge(_("not kept, and why"), "plain")
    if commitment.due < directory.today():
        return Badge(_("its day has passed"), "unsure")
    return Badge(_("promised"), "visit")


def due(commitment: Commitment) -> str:
    """When it is due, was due first, or ended."""
    if commitment.ended_on is not None:
        said = _("ended on {day}, promised for {due}").format(
            day=day(commitment.ended_on), due=day(commitment.due)
        )
    elif commitment.due < directory.today():
        said = _("was to be done by {day}").format(day=day(commitment.due))
    else:
        said = _("by {day}").format(day=day(commitment.due))
    if commitment.due != commitment.first_due:
        said += " " + _("(first promised for {day})").format(day=day(commitment.first_due))
    return said
