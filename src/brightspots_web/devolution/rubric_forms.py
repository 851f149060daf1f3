"""The form in which a form for observations is made: so many rows, each one thing to look at."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution.models import Rubric
from brightspots_web.devolution.rubric_actions import (
    LONGEST_ABOUT,
    LONGEST_NAME,
    LONGEST_QUESTION,
    Form,
)
from brightspots_web.devolution.rubric_queries import LEVELS, MOST_ITEMS

KINDS = (("yes_no", _("yes or no")), ("scale", _("a scale")), ("count", _("a count")))
ROWS = range(1, MOST_ITEMS + 1)


class RubricForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME)
    about = forms.CharField(
        label=_("What it is for"),
        max_length=LONGEST_ABOUT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("When to use it, and for how long: “Ten minutes in any lesson”."),
    )
    priority = forms.ChoiceField(label=_("At which priority"), required=False)

    def __init__(self, *args: Any, priorities: Sequence[Priority], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.priorities = {each.code: each for each in priorities}
        priority = self.fields["priority"]
        assert isinstance(priority, forms.ChoiceField)
        priority.choices = [("", _now("none of them")), *((p.code, p.title) for p in priorities)]
        for n in ROWS:
            self.fields[f"question_{n}"] = forms.CharField(
                label=_now("{n}. What to look at").format(n=n),
                max_length=LONGEST_QUESTION,
                required=False,
            )
            self.fields[f"kind_{n}"] = forms.ChoiceField(
                label=_now("Answered by"), choices=KINDS, required=False
            )
            self.fields[f"most_{n}"] = forms.TypedChoiceField(
                label=_now("Highest level of a scale"),
                choices=[(level, level) for level in LEVELS],
                coerce=int,
                initial=4,
                required=False,
            )

    def rows(self) -> list[list[forms.BoundField]]:
        """The fields of each question together."""
        return [[self[f"{name}_{n}"] for name in ("question", "kind", "most")] for n in ROWS]

    def head(self) -> list[forms.BoundField]:
        return [self[name] for name in ("name", "about", "priority")]

    def form(self) -> Form:
        data = self.cleaned_data
        items = [
            {
                "question": data[f"question_{n}"],
                "kind": data[f"kind_{n}"] or "yes_no",
                "most": data[f"most_{n}"] or 4,
            }
            for n in ROWS
        ]
        return Form(data["name"], items, data["about"], self.priorities.get(data["priority"]))


def as_it_is(rubric: Rubric) -> dict[str, Any]:
    """A form as the fields hold it."""
    found: dict[str, Any] = {
        "seen": rubric.version,
        "name": rubric.name,
        "about": rubric.about,
        "priority": rubric.priority.code if rubric.priority else "",
    }
    for n, item in enumerate(rubric.items, start=1):
        found |= {
            f"question_{n}": item["question"],
            f"kind_{n}": item["kind"],
            f"most_{n}": item.get("most", 4),
        }
    return found
