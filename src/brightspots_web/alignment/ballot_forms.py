"""The forms of ballots: opening one, giving more time, and the paper itself."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment import ballot_queries as queries
from brightspots_web.alignment import ballot_words as words
from brightspots_web.alignment.models import Ballot

DAY = {"type": "date"}


class OpenForm(forms.Form):
    seats = forms.TypedChoiceField(
        label=_("How many are to be chosen"),
        choices=[(number, str(number)) for number in queries.SEATS],
        coerce=int,
        initial=3,
        help_text=_("At least one proposal more than that is needed, or there is no choice."),
    )
    closes_on = forms.DateField(
        label=_("Closes on"),
        widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
        help_text=_("The first day on which nobody can vote any more. It can be moved back later, "
                    "never forward."),
    )  # fmt: skip
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)


class MoreTimeForm(forms.Form):
    closes_on = forms.DateField(
        label=_("Closes on"),
        widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
        help_text=_("The first day on which nobody can vote any more."),
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)


class PaperForm(forms.Form):
    """A place for each proposal, in the order drawn by lot, or an abstention."""

    abstain = forms.BooleanField(
        label=_("I abstain: the paper counts as cast and ranks nothing"), required=False
    )

    def __init__(self, data: Any = None, *, ballot: Ballot) -> None:
        super().__init__(data)
        self.choices = [each for each in ballot.choices if not each["withdrawn"]]
        places = [
            ("", _now("no place")),
            *((str(n), words.place(n)) for n in range(1, len(self.choices) + 1)),
        ]
        for each in self.choices:
            self.fields[_name(each["key"])] = forms.ChoiceField(
                label=each["title"], choices=places, required=False
            )
        self.order_fields([*(_name(each["key"]) for each in self.choices), "abstain"])

    def place_fields(self) -> Iterator[BoundField]:
        return (self[_name(each["key"])] for each in self.choices)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        given: dict[int, list[dict[str, Any]]] = {}
        for each in self.choices:
            if chosen := data.get(_name(each["key"])):
                given.setdefault(int(chosen), []).append(each)
        if data.get("abstain"):
            if given:
                self.add_error("abstain", _now(
                    "You gave places and abstain. Take the places out, or take this tick out."
                ))  # fmt: skip
            return data
        if not given:
            self.add_error(None, _now(
                "Give at least one proposal a place, or say that you abstain."
            ))  # fmt: skip
        self._say_doubles(given)
        if not self.errors:
            self._say_gaps(sorted(given))
        return data

    def _say_doubles(self, given: dict[int, list[dict[str, Any]]]) -> None:
        for number, those in sorted(given.items()):
            if len(those) > 1:
                others = words.listed([each["title"] for each in those[:-1]])
                said = _now("it has the same place as {titles}: {place}. Give each place once.")
                self.add_error(
                    _name(those[-1]["key"]),
                    said.format(titles=others, place=words.place(number)),
                )

    def _say_gaps(self, places: Sequence[int]) -> None:
        missing = [n for n in range(1, max(places, default=0)) if n not in places]
        if missing:
            self.add_error(None, _now(
                "There is a {last}, but no {missing}. Give the places in order, without a gap."
            ).format(last=words.place(places[-1]), missing=words.place(missing[0])))  # fmt: skip

    def hidden(self) -> Iterator[tuple[str, str]]:
        """What was typed, for the page that asks once more."""
        for name in self.fields:
            if value := self.data.get(name, ""):
                yield name, value


def _name(key: int) -> str:
    return f"place_{key}"


def ranked(ranking: Sequence[int]) -> dict[str, str]:
    """What a paper would send that ranks these in this order."""
    return {_name(key): str(place) for place, key in enumerate(ranking, start=1)}


def sent_ranking(ballot: Ballot, data: Mapping[str, Any]) -> list[int]:
    """Keys of the proposals by place, as far as what was sent can be read; valid or not."""
    placed = []
    for each in ballot.choices:
        value = str(data.get(_name(each["key"]), ""))
        if value.isdecimal() and len(value) < 6:
            placed.append((int(value), int(each["key"])))
    return [key for _place, key in sorted(placed, key=lambda pair: pair[0])]
