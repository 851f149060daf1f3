from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness.network_queries import PRACTICE, SUPPORT, Search, Span
from brightspots_web.directory.forms import AreaFilter


class NetworkFilter(AreaFilter):
    """What the picture of who helps whom is narrowed to; read from the address."""

    priority = forms.ChoiceField(label=_("Priority"), required=False)
    span = forms.ChoiceField(label=_("When"), required=False)
    kind = forms.ChoiceField(
        label=_("Kind of help"),
        required=False,
        choices=[("", _("all")), (SUPPORT, _("support")), (PRACTICE, _("practices taken up"))],
    )

    field_order = ("priority", "span", "kind", "area")

    def __init__(
        self, *args: Any, priorities: Sequence[Priority], spans: Sequence[Span], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.spans = {span.key: span for span in spans}
        chosen = {
            "priority": [(str(each.pk), each.title) for each in priorities],
            "span": [(span.key, span.label) for span in spans],
        }
        for name, choices in chosen.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("all")), *choices]

    def search(self) -> Search:
        """What a valid filter asks for."""
        data = self.cleaned_data
        return Search(
            data["area"],
            int(data["priority"]) if data["priority"] else None,
            self.spans.get(data["span"]),
            data["kind"],
        )
