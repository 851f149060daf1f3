"""The words of the competence framework: its four levels, and the five it begins with."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

LEVELS: Sequence[Promise] = (
    gettext_lazy("beginning"),
    gettext_lazy("developing"),
    gettext_lazy("embedding"),
    gettext_lazy("leading"),
)


def level_name(level: int) -> str:
    """The name of a level from 1 to 4."""
    return str(LEVELS[level - 1])


@dataclass(frozen=True)
class First:
    """A competence of the framework as it is before the ministry changes it."""

    code: str
    name: str
    what_it_is: str
    levels: tuple[str, str, str, str]


def first_framework() -> list[First]:
    """Five competences, in the language of whoever begins; a ministry makes them its own."""
    return [
        First(
            "diagnosing",
            _("Diagnosing a school"),
            _(
                "Seeing with a school what it needs: figures, lessons and voices side by side, "
                "before anything is proposed."
            ),
            (
                _("I look at a school’s results and ask its head what lies behind them."),
                _(
                    "I bring figures, lessons I saw and what people tell me together, and say how "
                    "sure each of them is."
                ),
                _(
                    "The head and I agree on one need and its likely cause, and can name what "
                    "would show that we are wrong."
                ),
                _(
                    "Other leaders learn to diagnose with me: they come to the need in their own "
                    "way, and show me what I missed."
                ),
            ),
        ),
        First(
            "coaching",
            _("Coaching"),
            _(
                "Helping colleagues to think and act for themselves, and staying with it until "
                "something changes for pupils."
            ),
            (
                _("I listen, and notice when I give advice instead of asking."),
                _("My questions lead a colleague to a next step of their own; we come back to it."),
                _(
                    "Colleagues change what they do, in lessons or in leading, and can say what it "
                    "changed for pupils."
                ),
                _(
                    "Colleagues whom I coached coach others. I watch, and they tell me what I "
                    "could do better."
                ),
            ),
        ),
        First(
            "brokering",
            _("Brokering support"),
            _("Bringing a school that wants help together with one that can give it: both gain."),
            (
                _("I know what the schools near mine do well, and say so when somebody asks."),
                _("I bring two schools together on one aim, with days and an end agreed."),
                _(
                    "Both schools say that it was worth it. Where a match does not hold I see it "
                    "early, and say so."
                ),
                _(
                    "Schools find each other without me: what I know of who can help stands where "
                    "everybody can use it."
                ),
            ),
        ),
        First(
            "reviewing",
            _("Leading a review"),
            _("Leading colleagues through a review that leaves a school stronger, never exposed."),
            (
                _("I take part in reviews, and tell what I saw apart from what I think of it."),
                _(
                    "I prepare and lead a review around the school’s own question; what I report "
                    "was seen by two of us."
                ),
                _("Schools act on what we found, and on an agreed day we look again together."),
                _("I prepare others to lead reviews, and ask them to look at how I lead mine."),
            ),
        ),
        First(
            "using-data",
            _("Using data"),
            _(
                "Reading large and small data together, with how sure they are, to decide what to "
                "try and to see whether it worked."
            ),
            (
                _("I can say in plain words what a figure of my school means and how sure it is."),
                _(
                    "I lead conversations in which figures and small data weigh the same, and that "
                    "end with a decision."
                ),
                _(
                    "What my group tries is measured, and kept or stopped for reasons we wrote "
                    "down before."
                ),
                _(
                    "Other groups ask how we decide. I tell them also where the data misled us, "
                    "and what we changed."
                ),
            ),
        ),
    ]
