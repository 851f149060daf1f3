"""The forms of the framework, of ratings and of what is shared."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders.development_framework_actions import (
    LONGEST_LEVEL,
    LONGEST_NAME,
    LONGEST_WHAT,
    Text,
)
from brightspots_web.leaders.development_rating_actions import LONGEST_EVIDENCE, Said
from brightspots_web.leaders.development_words import LEVELS, level_name
from brightspots_web.leaders.models import Competence, CompetenceRating


def _sentence(level: int) -> forms.CharField:
    label: Any = LEVELS[level - 1]  # the stubs of forms know no lazy text but their own
    return forms.CharField(
        label=label,
        max_length=LONGEST_LEVEL,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class CompetenceForm(forms.Form):
    """A competence in words; its sentences begin with “I”, so that a leader can own them."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME)
    what_it_is = forms.CharField(
        label=_("What it is"),
        max_length=LONGEST_WHAT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("In one or two sentences: what a leader does, and what for."),
    )
    level_1 = _sentence(1)
    level_2 = _sentence(2)
    level_3 = _sentence(3)
    level_4 = _sentence(4)

    def text(self) -> Text:
        said = self.cleaned_data
        return Text(
            said["name"],
            said["what_it_is"],
            (said["level_1"], said["level_2"], said["level_3"], said["level_4"]),
        )


def level_choices(competence: Competence) -> list[tuple[str, str]]:
    """The four sentences of a competence with the names of their levels."""
    return [
        (
            str(at),
            format_html(
                "<span><strong>{}</strong><br>{}</span>", capfirst(level_name(at)), sentence
            ),
        )
        for at, sentence in enumerate(competence.levels, start=1)
    ]


EVIDENCE_HINT = _(
    "One or two things that happened: where, what you did, what came of it. Name no pupils."
)


class RateForm(forms.Form):
    """How far one is, and what shows it."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    level = forms.ChoiceField(
        label=_("Which sentence fits best today?"), widget=forms.RadioSelect
    )  # fmt: skip
    evidence = forms.CharField(
        label=_("What shows it?"),
        max_length=LONGEST_EVIDENCE,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=EVIDENCE_HINT,
    )

    def __init__(self, *args: Any, competence: Competence, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        level = self.fields["level"]
        assert isinstance(level, forms.ChoiceField)
        level.choices = level_choices(competence)

    def said(self) -> Said:
        said = self.cleaned_data
        return Said(int(said["level"]), said["evidence"], said["seen"])


class AnswerForm(forms.Form):
    """How a colleague sees what was asked: each competence with its sentences and words.

    What is left empty stays open; a level without evidence, or evidence without a level, is not
    taken.
    """

    def __init__(self, *args: Any, asked: Sequence[CompetenceRating], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = list(asked)
        for row in self.asked:
            competence = row.competence
            key = f"c{competence.pk}"
            self.fields[f"{key}_seen"] = forms.IntegerField(
                widget=forms.HiddenInput, required=False, initial=competence.version
            )
            self.fields[f"{key}_level"] = forms.ChoiceField(
                label=competence.name,
                widget=forms.RadioSelect,
                required=False,
                choices=[*level_choices(competence), ("", _now("I cannot say yet"))],
                help_text=competence.what_it_is,
                initial="",
            )
            self.fields[f"{key}_evidence"] = forms.CharField(
                label=_now("What have you seen that shows it?"),
                required=False,
                max_length=LONGEST_EVIDENCE,
                widget=forms.Textarea(attrs={"rows": 3}),
            )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for row in self.asked:
            key = f"c{row.competence_id}"
            level, evidence = said.get(f"{key}_level"), said.get(f"{key}_evidence")
            if level and not evidence and f"{key}_evidence" not in self.errors:
                self.add_error(
                    f"{key}_evidence",
                    _now("Write what you have seen: without it a level says little."),
                )
            if evidence and not level and f"{key}_level" not in self.errors:
                self.add_error(f"{key}_level", _now("Choose the sentence that fits best."))
        return said

    def said(self) -> dict[int, Said]:
        found: dict[int, Said] = {}
        for row in self.asked:
            key = f"c{row.competence_id}"
            level = self.cleaned_data.get(f"{key}_level")
            if level:
                found[row.competence_id] = Said(
                    int(level),
                    self.cleaned_data[f"{key}_evidence"],
                    self.cleaned_data[f"{key}_seen"],
                )
        return found

    def groups(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The two visible fields of each competence."""
        return [
            (self[f"c{row.competence_id}_level"], self[f"c{row.competence_id}_evidence"])
            for row in self.asked
        ]

    def read_anew(self) -> None:
        """Hold what was typed from now on against the sentences as they read by now."""
        data = {name: self.data[name] for name in self.data}
        for row in self.asked:
            data[f"c{row.competence_id}_seen"] = str(row.competence.version)
        self.data = data


def person_choices(people: Mapping[int, Appointment]) -> list[tuple[str, str]]:
    """Name, role and place of each colleague."""
    return [(str(key), appointment.label) for key, appointment in people.items()]


class FindColleague(forms.Form):
    """A leader further away, by name."""

    q = forms.CharField(
        label=_("Name of a leader elsewhere"), required=False, max_length=100
    )  # fmt: skip


class AskForm(forms.Form):
    """Whom to ask, and what of."""

    people = forms.MultipleChoiceField(
        label=_("Whom do you ask?"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Who has seen you at work, and would tell you also what is not yet there."),
    )
    competences = forms.MultipleChoiceField(
        label=_("What of?"), widget=forms.CheckboxSelectMultiple
    )  # fmt: skip

    def __init__(
        self,
        *args: Any,
        people: Mapping[int, Appointment],
        competences: Sequence[Competence],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._people, self._competences = people, {each.code: each for each in competences}
        _offer(self.fields["people"], person_choices(people))
        _offer(self.fields["competences"], [(each.code, each.name) for each in competences])

    def chosen_people(self) -> list[Person]:
        return [self._people[int(key)].person for key in self.cleaned_data["people"]]

    def chosen_competences(self) -> list[Competence]:
        return [self._competences[code] for code in self.cleaned_data["competences"]]


class ShareForm(forms.Form):
    person = forms.ChoiceField(label=_("With whom?"))

    def __init__(self, *args: Any, people: Mapping[int, Appointment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people
        _offer(self.fields["person"], [("", _now("choose")), *person_choices(people)])

    def chosen(self) -> Person:
        return self.people[int(self.cleaned_data["person"])].person


def _offer(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
