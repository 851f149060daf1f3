"""The forms of track records."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.forms import AreaFilter
from brightspots_web.evidence.models import ProjectWords, RecordSettings
from brightspots_web.shared.pupil_names import MayNamePupilError


class RecordFilter(AreaFilter):
    """What the list of leaders is narrowed to."""

    q = forms.CharField(label=_("Name"), required=False, max_length=100)
    field_order = ("q", "area")


class ExplorationForm(forms.Form):
    exploration = forms.IntegerField(
        label=_("Of 100 requests for support, so many go by a draw"),
        min_value=0,
        max_value=50,
        help_text=_(
            "10 unless you set it. With 0 nobody new is tried and nothing is learnt; the more, the "
            "less the records count."
        ),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    @classmethod
    def of(cls, found: RecordSettings) -> "ExplorationForm":
        return cls(initial={"exploration": found.exploration, "seen": found.version})


class WordsForm(forms.Form):
    words = forms.CharField(
        label=_("What should stand beside this project"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "Whoever may see this project in your record reads it. Say what figures do not: what "
            "was difficult, what changed. Name no pupils. Leave it empty to take it back."
        ),
    )
    names_no_pupil = forms.BooleanField(
        label=_("I have looked again: no pupil is named"),
        required=False,
        widget=forms.HiddenInput,
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound and self.data.get("names_no_pupil"):
            self.fields["names_no_pupil"].widget = forms.CheckboxInput()

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        if isinstance(error, MayNamePupilError):
            self.fields["names_no_pupil"].widget = forms.CheckboxInput()

    @classmethod
    def of(cls, found: ProjectWords | None) -> "WordsForm":
        return cls(
            initial={
                "words": found.words if found else "",
                "seen": found.version if found else 0,
            }
        )
