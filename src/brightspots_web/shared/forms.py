"""What forms of every app are made of."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


def long_text(label: Any, hint: Any, most: int, rows: int = 4, **more: Any) -> forms.CharField:
    """Make a field for sentences, `most` characters long."""
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, help_text=hint, max_length=most, widget=widget, **more)


def day_field(label: Any, hint: Any = "", **more: Any) -> forms.DateField:
    """Make a field for a day, chosen as the browser lets one choose."""
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(label=label, help_text=hint, widget=widget, **more)


def offer(form: forms.Form, name: str, choices: Sequence[tuple[Any, Any]]) -> None:
    """Give a field of choices what this person may choose from."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = list(choices)


class SeenForm(forms.Form):
    """What the person had in front of them: the version of the row."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)


class AuditFilter(forms.Form):
    q = forms.CharField(label=_("Person, action or object"), required=False, max_length=100)
