"""The forms of the pulse: two questions on a phone, and the ministry's settings."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import VoiceQuestion
from brightspots_web.accountability.voice_answer_actions import Given
from brightspots_web.pace import pulse_words as words
from brightspots_web.pace.models import PulseTerm
from brightspots_web.pace.pulse_actions import MOST_TERMS, Days, stays

DAY = {"type": "date"}


class PulseForm(forms.Form):
    """Two questions of five steps; either may be left out."""

    token = forms.CharField(widget=forms.HiddenInput, required=False, max_length=200)

    def __init__(self, *args: Any, questions: Sequence[VoiceQuestion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.questions = questions
        for each in questions:
            steps = zip(voice.SCALE, words.steps(each.words), strict=True)
            self.fields[f"q{each.pk}"] = forms.ChoiceField(
                label=words.question(each.words),
                required=False,
                widget=forms.RadioSelect,
                initial="",
                choices=[*steps, ("", words.no_answer())],
            )

    def given(self) -> Given:
        said = {each.pk: self.cleaned_data.get(f"q{each.pk}", "") for each in self.questions}
        return Given({key: step for key, step in said.items() if step})


class SettingsForm(forms.Form):
    """On or off, and by which areas."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    on = forms.BooleanField(
        label=lazy("Ask teachers and heads the two questions each term"), required=False
    )
    level = forms.TypedChoiceField(
        label=lazy("Shown apart by"),
        coerce=int,
        help_text=lazy(
            "Small areas are often too few to be shown. A change breaks the lines of areas."
        ),
    )

    def __init__(self, *args: Any, levels: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["level"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(str(steps), label) for steps, label in levels]


class TermsForm(forms.Form):
    """The days of a cycle's terms; what was opened cannot be changed any more."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=400)

    def __init__(self, *args: Any, terms: Sequence[PulseTerm], **kwargs: Any) -> None:
        initial: dict[str, Any] = dict(kwargs.pop("initial", None) or {})
        for each in terms:
            initial[f"opens{each.number}"] = each.opens
            initial[f"last{each.number}"] = each.closes - timedelta(days=1)
        super().__init__(*args, **kwargs | {"initial": initial})
        stay = stays(terms)
        opened = {each.number for each in terms if each.consultation_id is not None}
        for number in range(1, MOST_TERMS + 1):
            self.fields[f"opens{number}"] = self._day(
                _("Term {n}: asked from").format(n=number),
                fixed=number <= stay,
                opened=number in opened,
            )
            self.fields[f"last{number}"] = self._day(
                _("Term {n}: last day for answers").format(n=number),
                fixed=number <= stay,
                opened=number in opened,
            )

    def _day(self, label: str, *, fixed: bool, opened: bool) -> forms.DateField:
        hint = _("It was opened: its days stay.") if opened else ""
        widget = forms.DateInput(attrs=DAY, format="%Y-%m-%d")
        return forms.DateField(
            label=label, required=False, disabled=fixed, help_text=hint, widget=widget
        )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        ended = False
        for number in range(1, MOST_TERMS + 1):
            opens, last = data.get(f"opens{number}"), data.get(f"last{number}")
            if opens and not last and f"last{number}" not in self.errors:
                self.add_error(f"last{number}", _("Give the last day as well."))
            if last and not opens and f"opens{number}" not in self.errors:
                self.add_error(f"opens{number}", _("Give the first day as well."))
            if (opens or last) and ended:
                self.add_error(f"opens{number}", ValidationError(_("Fill the terms from above.")))
            ended = ended or not (opens or last)
        return data

    def days(self) -> list[Days]:
        found: list[tuple[date, date]] = []
        for number in range(1, MOST_TERMS + 1):
            opens = self.cleaned_data.get(f"opens{number}")
            last = self.cleaned_data.get(f"last{number}")
            if opens and last:
                found.append((opens, last))
        return found
