from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class StartForm(forms.Form):
    """What an analysis takes into account; empty means the default."""

    subjects = forms.MultipleChoiceField(
        label=_("Outcomes"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "None ticked means all. Pages show one analysis: an outcome left out of it is no "
            "longer shown once it is published."
        ),
    )
    context = forms.MultipleChoiceField(
        label=_("Circumstances to take into account"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "None ticked means the default: every number known for half of the schools, and every "
            "kind with 2 to 12 different values."
        ),
    )
    formula = forms.CharField(
        label=_("Or, for experts: the fixed part of a formula"),
        required=False,
        max_length=1000,
        help_text=_(
            "For instance: prior + I(prior**2) + sex*poverty. It takes the place of the "
            "circumstances above. Schools and years are added. Names with spaces stand in "
            "back-quotes."
        ),
    )
    earlier = forms.ChoiceField(
        label=_("Earlier results of the same pupil"),
        required=False,
        widget=forms.RadioSelect,
        choices=[
            ("", _("Do not use")),
            ("same", _("The same subject the year before")),
            ("all", _("Every subject the year before")),
        ],
        help_text=_(
            "Pupils are found by their code. Years without a year before drop out. In a formula "
            "the same subject is called prior, another one `prior Reading`."
        ),
    )
    drift = forms.ChoiceField(
        label=_("How a school's years hang together"),
        required=False,
        widget=forms.RadioSelect,
        choices=[
            ("none", _("Each year is what lasts plus that year's luck")),
            ("ar1", _("Neighbouring years are more alike (needs three years)")),
        ],
        initial="none",
    )
    delta = forms.FloatField(
        label=_("What counts as markedly better"),
        required=False,
        min_value=0.01,
        max_value=2.0,
        help_text=_(
            "In standard deviations of pupils. Empty means one standard deviation of the true "
            "differences between schools, and 0.10 at least."
        ),
    )
    note = forms.CharField(
        label=_("What to remember about it"),
        required=False,
        max_length=500,
        help_text=_("For instance why it was made. Analysts see it."),
    )
    publish = forms.BooleanField(
        label=_("Publish when it is done"),
        required=False,
        help_text=_(
            "Not ticked, it is a draft: analysts look at it, compare it and publish it, or do not."
        ),
    )

    def __init__(
        self,
        *args: Any,
        subjects: list[str],
        context: list[str],
        pupil_codes: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.names = {*context}
        self.outcomes = list(subjects)
        for name, choices in (("subjects", subjects), ("context", context)):
            field = self.fields[name]
            if isinstance(field, forms.MultipleChoiceField):
                field.choices = [(each, each.removeprefix("context:")) for each in choices]
            if not choices:
                del self.fields[name]
        if not pupil_codes:
            del self.fields["earlier"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        formula = str(cleaned.get("formula") or "").strip()
        if formula and cleaned.get("context"):
            self.add_error("formula", _("Tick circumstances or write a formula, not both."))
        elif formula:
            from brightspots_web.insight import analysis  # heavy: only for a formula

            earlier = cleaned.get("earlier")
            prior = {"prior"} if earlier else set()
            if earlier == "all":
                prior |= {f"prior {name}" for name in self.outcomes}
            known = self.names | prior
            why_not = analysis.why_not(formula, known)
            if why_not:
                self.add_error("formula", why_not)
        return cleaned


class WithdrawForm(forms.Form):
    """Why a published analysis is taken back."""

    reason = forms.CharField(
        label=_("Why it is withdrawn"),
        max_length=500,
        help_text=_("People who saw its figures can read this."),
    )


class CompareForm(forms.Form):
    """Two analyses to hold against each other."""

    a = forms.ChoiceField(label=_("This analysis"))
    b = forms.ChoiceField(label=_("against this one"))

    def __init__(self, *args: Any, runs: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for place, field in enumerate(self.fields.values()):
            if isinstance(field, forms.ChoiceField):
                field.choices = runs
                # The newest against the one before, unless somebody chose.
                field.initial = runs[min(place, len(runs) - 1)][0] if runs else None
