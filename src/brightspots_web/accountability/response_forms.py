"""The forms of moderation, answers and suggestions."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from brightspots_web.accountability.models import VoiceComment
from brightspots_web.accountability.voice_forms import OneOfField
from brightspots_web.directory.models import Person


def _words(label: Any, most: int, rows: int = 3, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=most, widget=forms.Textarea(attrs={"rows": rows}), **more
    )


class JudgeForm(forms.Form):
    """Show something, or withhold it for a reason."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)
    show = forms.CharField(widget=forms.HiddenInput, required=False, max_length=5)
    reason = forms.ChoiceField(
        label=lazy("Why it is withheld"),
        required=False,
        choices=[("", lazy("choose")), *VoiceComment.Reason.choices],
    )
    reason_words = forms.CharField(label=lazy("More on it"), required=False, max_length=300)

    @property
    def shows(self) -> bool:
        """Whether the button to show it was pressed."""
        return bool(self.data.get("show") == "yes")


class PointForm(forms.Form):
    """You said; we did; we could not, because."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    said = _words(lazy("You said"), 300, 2, help_text=lazy("In your words, never as a quotation."))
    did = _words(lazy("We did"), 1000, required=False)
    could_not = _words(lazy("We could not, because"), 1000, required=False)


class SendForm(forms.Form):
    """The answer as a whole."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    words = _words(
        lazy("What you say to everybody"), 3000, 5,
        help_text=lazy("Everybody who was asked is told and reads it, with the points above."),
    )  # fmt: skip


class SuggestionForm(forms.Form):
    """A suggestion, sealed when it is sent."""

    used = forms.IntegerField(widget=forms.HiddenInput, required=False)
    looked = forms.CharField(widget=forms.HiddenInput, required=False, max_length=10)
    words = forms.CharField(
        label=lazy("Your suggestion"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off"}),
        help_text=lazy("Do not name your school, yourself or a pupil."),
    )


class SuggestionAnswerForm(forms.Form):
    did = _words(lazy("We did"), 1000, required=False)
    could_not = _words(lazy("We could not, because"), 1000, required=False)


class BoxForm(forms.Form):
    """Who answers for the box of an area, who moderates, within how many days."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    stakeholder = OneOfField(label=lazy("Who owes the answers"))
    moderator = OneOfField(
        label=lazy("Who moderates"),
        help_text=lazy("Outside the line: neither who answers nor of the area."),
    )
    answer_days = forms.IntegerField(
        label=lazy("Days until an answer is owed"), min_value=7, max_value=90, initial=30
    )

    def __init__(
        self,
        *args: Any,
        seniors: Iterable[Person],
        moderators: Mapping[int, tuple[Person, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        people = [person for person, _label in moderators.values()]
        labels = {key: label for key, (_person, label) in moderators.items()}
        for name, rows, named in (("stakeholder", seniors, None), ("moderator", people, labels)):
            field = self.fields[name]
            assert isinstance(field, OneOfField)
            field.offer(rows, named)
