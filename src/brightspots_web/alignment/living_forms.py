"""The forms of priorities at work, and of the directory of indicators."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment import living_words as words
from brightspots_web.alignment.living_actions import LONGEST, Aim, Baseline
from brightspots_web.alignment.living_queries import Published
from brightspots_web.alignment.living_sense_actions import LONGEST as LONGEST_SENSE
from brightspots_web.directory.indicator_actions import Measure
from brightspots_web.directory.models import Indicator
from brightspots_web.shared.forms import SeenForm

DAY = {"type": "date"}


class AimForm(SeenForm):
    how_good = forms.CharField(
        label=_("How good"),
        required=False,
        max_length=LONGEST["how_good"],
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What will be so: “Nine in ten read a page aloud and say what it tells”."),
    )
    for_whom = forms.CharField(
        label=_("For whom"),
        required=False,
        max_length=LONGEST["for_whom"],
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("“Every child in its fifth year of school”."),
    )
    by_when = forms.DateField(
        label=_("By when"), required=False, widget=forms.DateInput(attrs=DAY)
    )  # fmt: skip

    def aim(self) -> Aim:
        return Aim(
            **{name: self.cleaned_data[name] for name in ("how_good", "for_whom", "by_when")}
        )


class DriversForm(SeenForm):
    """The outline. A phone's keyboard neither capitalises nor corrects what it does not know."""

    drivers = forms.CharField(
        label=_("What drives it"),
        required=False,
        strip=False,  # the blanks before the first line count as those before the others
        widget=forms.Textarea(attrs={"rows": 16, "class": "outline", "autocapitalize": "off"}),
    )


class MeasureForm(forms.Form):
    """One more indicator."""

    indicator = forms.ChoiceField(label=_("Indicator"))

    def __init__(self, *args: Any, offered: Iterable[Indicator], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = {each.code: each for each in offered}
        field = self.fields["indicator"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (code, f"{each.name} ({words.purpose_short(each.purpose)})")
            for code, each in self.offered.items()
        ]

    def chosen(self) -> Indicator:
        return self.offered[self.cleaned_data["indicator"]]


class BaselineForm(SeenForm):
    """Where an indicator stood, with what stands behind it."""

    baseline = forms.FloatField(label=_("Value"), required=False)
    lower = forms.FloatField(
        label=_("Likely from"),
        required=False,
        help_text=_("The interval in which the true value lies, if the source gives one."),
    )
    upper = forms.FloatField(label=_("Likely to"), required=False)
    n = forms.IntegerField(
        label=_("How many stand behind it"), required=False, min_value=1, max_value=2_000_000_000
    )
    n_of = forms.CharField(
        label=_("Of what"),
        required=False,
        max_length=LONGEST["n_of"],
        help_text=_("pupils, schools, lessons"),
    )
    as_of = forms.DateField(label=_("Of which day"), required=False,
                            widget=forms.DateInput(attrs=DAY))  # fmt: skip
    source = forms.CharField(
        label=_("Where it comes from"),
        required=False,
        max_length=LONGEST["source"],
        help_text=_("So that others can look: “Reading survey 2025, table 3”."),
    )

    def value(self) -> Baseline:
        return Baseline(**{name: self.cleaned_data[name] for name in Baseline.__dataclass_fields__})


class FigureForm(SeenForm):
    """Which published figure the baseline is taken from."""

    figure = forms.ChoiceField(label=_("Published figure"), widget=forms.RadioSelect)

    def __init__(
        self, *args: Any, offered: Sequence[Published], unit: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["figure"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.figure, words.published(each)) for each in offered]


class SenseForm(SeenForm):
    words = forms.CharField(
        label=_("What this priority means here"),
        max_length=LONGEST_SENSE,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_(
            "What does it look like in our schools? Where do we stand, what do we begin with? "
            "The schools of the partnership read it. Name no pupils."
        ),
    )
    shared = forms.BooleanField(
        label=_("The district and the ministry may read it too"), required=False
    )
    names_no_pupil = forms.BooleanField(
        label=_("I looked again: no pupil is named"), required=False
    )  # fmt: skip

    def __init__(self, *args: Any, warned: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not warned:
            self.fields["names_no_pupil"].widget = forms.HiddenInput()


class IndicatorFilter(forms.Form):
    q = forms.CharField(label=_("Words"), required=False, max_length=100)
    purpose = forms.ChoiceField(label=_("What for"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["purpose"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _now("all")),
            *((each.value, words.purpose_short(each)) for each in Indicator.Purpose),
        ]


class IndicatorForm(forms.Form):
    """An indicator in words; its code is chosen once, when it is added."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=16)
    name = forms.CharField(
        label=_("Name"),
        max_length=200,
        help_text=_("What is measured, in words that a parent understands."),
    )
    unit = forms.CharField(
        label=_("Unit"), required=False, max_length=60, help_text=_("points, %, days a year")
    )
    purpose = forms.ChoiceField(label=_("What it is for"), widget=forms.RadioSelect)
    code = forms.CharField(
        label=_("Code"),
        required=False,
        max_length=100,
        help_text=_("For files: small letters, digits, hyphens. Made from the name if left empty."),
    )

    def __init__(self, *args: Any, new: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["purpose"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.value, words.purpose(each)) for each in Indicator.Purpose]
        if not new:
            del self.fields["code"]

    def measure(self) -> Measure:
        return Measure(**{name: self.cleaned_data[name] for name in ("name", "purpose", "unit")})
