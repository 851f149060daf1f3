from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from brightspots_web.alignment import queries
from brightspots_web.alignment.actions import Wanted
from brightspots_web.alignment.models import MOST, Priority


class PrioritiesForm(forms.Form):
    """Three places for priorities; the third may stay empty."""

    def __init__(
        self, data: Any = None, *, live: Sequence[Priority], subjects: Sequence[str]
    ) -> None:
        super().__init__(data)
        self.fields["seen"] = forms.CharField(
            required=False, widget=forms.HiddenInput, initial=queries.mark_of(live)
        )
        named = [("", _("none: no figures speak of it")), *((each, each) for each in subjects)]
        for place in range(MOST):
            now = live[place] if place < len(live) else None
            number = place + 1
            self.fields[f"code_{number}"] = forms.CharField(
                required=False, widget=forms.HiddenInput, initial=now.code if now else ""
            )
            self.fields[f"title_{number}"] = forms.CharField(
                label=_("Priority {number}").format(number=number),
                max_length=120,
                required=False,
                initial=now.title if now else "",
                help_text=_("What pupils will be better at. Leave empty to have two priorities.")
                if number == MOST
                else "",
            )
            self.fields[f"why_{number}"] = forms.CharField(
                label=_("Why"), max_length=500, required=False, initial=now.why if now else ""
            )
            choices = list(named)
            if now and now.subject and now.subject not in subjects:
                choices.append((now.subject, now.subject))
            self.fields[f"subject_{number}"] = forms.ChoiceField(
                label=_("Outcome whose figures speak of it"),
                choices=choices,
                required=False,
                initial=now.subject if now else "",
            )

    def look_again(self, live: Sequence[Priority]) -> None:
        """Hold what was typed against the priorities as they are now."""
        codes = {each.code for each in live}
        self.data = {**dict(self.data.items()), "seen": queries.mark_of(live)}
        for number in range(1, MOST + 1):
            if self.data.get(f"code_{number}") not in codes:
                self.data[f"code_{number}"] = ""

    def wanted(self) -> Iterator[Wanted]:
        """The places that have a title; a title taken out ends that priority."""
        for number in range(1, MOST + 1):
            data = {
                name: self.cleaned_data.get(f"{name}_{number}", "").strip()
                for name in ("title", "why", "subject", "code")
            }
            if data["title"]:
                yield Wanted(**data)
