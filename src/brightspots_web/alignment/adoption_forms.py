"""Adopting: which proposals, and for each its aim, and where its indicators stand today."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment import living_queries, living_words
from brightspots_web.alignment.adoption_actions import (
    LONGEST_REASON,
    LONGEST_WHY,
    Measured,
    Taken,
)
from brightspots_web.alignment.living_forms import AimForm, BaselineForm
from brightspots_web.alignment.models import PriorityProposal
from brightspots_web.directory.models import Indicator


class ReasonForm(forms.Form):
    """Why others than the ballot chose, where that is so; and what was on the page."""

    why = forms.CharField(
        label=_("Why not just what the ballot chose"),
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Everybody reads it, next to the result."),
    )
    mark = forms.CharField(required=False, widget=forms.HiddenInput)


class OneForm(AimForm):
    """The aim of one that is adopted, and why it is one, in a few words for everybody."""

    why = forms.CharField(
        label=_("Why it is a priority"),
        required=False,
        max_length=LONGEST_WHY,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Taken from the proposal; shorten it, as it stands on every front page."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["why", "how_good", "for_whom", "by_when", "seen"])


class StandsForm(BaselineForm):
    """Where an indicator stands: a published figure, by hand, or not known yet."""

    figure = forms.ChoiceField(label=_("Where it stands today"), required=False)

    def __init__(self, *args: Any, subject: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["figure"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _now("written by hand below, or not known yet")),
            *(
                (each.figure, living_words.published(each))
                for each in living_queries.published_figures(subject)
            ),
        ]

    def by_hand(self) -> Iterator[forms.BoundField]:
        return (self[name] for name in BaselineForm.base_fields if name != "seen")


class Section:
    """One proposal on the page: its forms, and what they say together."""

    def __init__(self, proposal: PriorityProposal, data: Any) -> None:
        self.proposal = proposal
        prefix = f"p{proposal.pk}"
        self.one = OneForm(data, prefix=prefix, initial={"why": shortened(proposal.why)})
        self.stands: list[tuple[Indicator, StandsForm]] = [
            (each, StandsForm(data, prefix=f"{prefix}-i{each.pk}", subject=proposal.subject))
            for each in proposal.indicators.all()
        ]

    @property
    def forms(self) -> list[forms.Form]:
        return [self.one, *(form for _indicator, form in self.stands)]

    def is_valid(self) -> bool:
        valid = [form.is_valid() for form in self.forms]  # all of them, so that each says its own
        return all(valid)

    def taken(self) -> Taken:
        return Taken(
            self.proposal,
            self.one.cleaned_data["why"],
            self.one.aim(),
            [
                Measured(indicator, form.cleaned_data["figure"], form.value())
                for indicator, form in self.stands
            ],
        )

    def say(self, problem: ValidationError) -> None:
        """Put each message beside the field it is about."""
        by_indicator = {str(indicator.pk): form for indicator, form in self.stands}
        if not hasattr(problem, "error_dict"):
            self.one.add_error(None, problem.messages)
            return
        for name, words in problem.message_dict.items():
            key, _dash, field = name.partition("-")
            form = by_indicator.get(key, self.one)
            field = field if key in by_indicator else name
            form.add_error(field if field in form.fields else None, words)


def sections(proposals: Sequence[PriorityProposal], data: Any = None) -> list[Section]:
    return [Section(each, data) for each in proposals]


def shortened(why: str) -> str:
    """As many whole sentences as fit into what a priority says of itself."""
    why = " ".join(why.split())
    if len(why) <= LONGEST_WHY:
        return why
    cut = why[: LONGEST_WHY - 1]
    end = max(cut.rfind(mark) for mark in (". ", "! ", "? "))
    return cut[: end + 1] if end > LONGEST_WHY // 3 else f"{cut.rpartition(' ')[0]}…"
