"""The forms of stages: for each strand a stage, and a few words."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.pace import stage_queries as queries
from brightspots_web.pace import stage_words as words
from brightspots_web.pace.models import StageRound
from brightspots_web.pace.stage_actions import LONGEST, Rating
from brightspots_web.pace.stage_agree_actions import Put, Word
from brightspots_web.pace.stage_models import Stage, Strand
from brightspots_web.shared.forms import SeenForm

DAY = {"type": "date"}
NO_PUPILS = _("Name no pupils.")


def _few(label: Any, hint: Any = "", *, most: int = LONGEST, required: bool = True
         ) -> forms.CharField:  # fmt: skip
    return forms.CharField(
        label=label,
        max_length=most,
        help_text=hint,
        required=required,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class DayForm(SeenForm):
    closes_on = forms.DateField(
        label=_("Last day to rate"),
        widget=forms.DateInput(attrs=DAY),
        help_text=_("Two weeks are usual. All rate by themselves until then."),
    )


class WhyForm(SeenForm):
    why = _few(
        _("Why it is closed although not everybody carries it"),
        _("It stands on the page beside what others see differently."),
        most=500,
    )


def _choice(stage: str, text: str) -> str:
    """A stage by name, and what it looks like, as one label."""
    return format_html("<span><strong>{}</strong>: {}</span>", stage, text)


class RateForm(forms.Form):
    """A stage and what shows it, for every strand."""

    def __init__(self, *args: Any, round: StageRound, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for strand in Strand.values:
            name = words.strand(strand)
            self.fields[f"stage_{strand}"] = forms.TypedChoiceField(
                label=name,
                coerce=int,
                widget=forms.RadioSelect,
                choices=[
                    (each.stage, _choice(words.stage(each.stage), each.text))
                    for each in queries.texts(strand, round.texts)
                ],
            )
            self.fields[f"shows_{strand}"] = _few(
                _now("{strand}: what shows it?").format(strand=name),
                _("Something others could see too. It is shown without your name."),
            )

    def ratings(self) -> dict[str, Rating]:
        given = self.cleaned_data
        return {
            strand: Rating(given[f"stage_{strand}"], given[f"shows_{strand}"])
            for strand in Strand.values
        }


class PutForm(SeenForm):
    """The stages put to the group; what is agreed already is left out."""

    def __init__(self, *args: Any, strands: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.strands = list(strands)
        for strand, rated in strands.items():
            name = words.strand(strand)
            self.fields[f"stage_{strand}"] = forms.TypedChoiceField(
                label=name,
                coerce=int,
                required=False,
                choices=[("", _("not yet")), *Stage.choices],
                help_text=rated,
            )
            self.fields[f"words_{strand}"] = _few(
                _now("{strand}: why this one").format(strand=name), required=False
            )

    def put(self) -> dict[str, Put]:
        given = self.cleaned_data
        return {
            strand: Put(given[f"stage_{strand}"], given[f"words_{strand}"])
            for strand in self.strands
            if given[f"stage_{strand}"]
        }


class SayForm(SeenForm):
    """One's word to each stage that is put to the group."""

    def __init__(self, *args: Any, open_ones: Mapping[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.strands = list(open_ones)
        for strand, stage in open_ones.items():
            label = _now("{strand}: {stage}").format(
                strand=words.strand(strand), stage=words.stage(stage)
            )
            self.fields[f"agrees_{strand}"] = forms.ChoiceField(
                label=label,
                required=False,
                widget=forms.RadioSelect,
                choices=[("yes", _("We carry it")), ("no", _("We see it differently"))],
            )
            self.fields[f"words_{strand}"] = _few(
                _now("{strand}: in a few words").format(strand=words.strand(strand)),
                _("Needed where you see it differently. The group reads it with your name."),
                required=False,
            )

    def said(self) -> dict[str, Word]:
        given = self.cleaned_data
        return {
            strand: Word(given[f"agrees_{strand}"] == "yes", given[f"words_{strand}"])
            for strand in self.strands
            if given[f"agrees_{strand}"]
        }


class TextForm(forms.Form):
    """The four texts of a strand."""

    def __init__(self, *args: Any, strand: str, **kwargs: Any) -> None:
        self.texts = queries.texts(strand)
        initial: dict[str, Any] = {f"stage_{each.stage}": each.text for each in self.texts}
        initial |= {f"seen_{each.stage}": each.version for each in self.texts}
        super().__init__(*args, **kwargs | {"initial": initial})
        for each in self.texts:
            hint = _("Assumed: ours until you edit it.") if each.assumed else each.by
            self.fields[f"stage_{each.stage}"] = _few(words.stage(each.stage), hint)
            self.fields[f"seen_{each.stage}"] = forms.IntegerField(widget=forms.HiddenInput)

    def given(self) -> dict[int, str]:
        return {each.stage: self.cleaned_data[f"stage_{each.stage}"] for each in self.texts}

    def versions(self) -> dict[int, int]:
        return {each.stage: self.cleaned_data[f"seen_{each.stage}"] for each in self.texts}

    def read_anew(self) -> None:
        """Hold what was typed against the texts as they are now."""
        fresh = {f"seen_{each.stage}": str(each.version) for each in self.texts}
        self.data = {**{name: self.data[name] for name in self.data}, **fresh}


class PlaceFilter(forms.Form):
    q = forms.CharField(label=_("Name"), required=False, max_length=200)
    kind = forms.ChoiceField(
        required=False, choices=[("", ""), ("area", "")], widget=forms.HiddenInput
    )
