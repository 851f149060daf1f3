"""The forms of choices and lotteries."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory.models import Area
from brightspots_web.evidence.choice_lottery_actions import MOST_PLACES, Terms
from brightspots_web.evidence.choice_queries import Search
from brightspots_web.evidence.models import Choice, Lottery
from brightspots_web.shared.forms import SeenForm, day_field, offer


class ChoiceFilter(forms.Form):
    """What the list is narrowed to; read from the address."""

    q = forms.CharField(label=_("School"), required=False, max_length=200)
    kind = forms.ChoiceField(label=_("What began"), required=False)
    way = forms.ChoiceField(label=_("How it was chosen"), required=False)
    priority = forms.ChoiceField(label=_("Priority"), required=False)
    area = forms.ChoiceField(label=_("Area"), required=False)
    since = day_field(_("Began on or after"), required=False)
    until = day_field(_("Began on or before"), required=False)

    def __init__(
        self,
        *args: Any,
        priorities: Sequence[Priority],
        areas: Sequence[Area],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.priorities = {str(each.pk): each for each in priorities}
        self.areas = {str(each.pk): each for each in areas}
        every = ("", _("all"))
        offer(self, "kind", [every, *Choice.Kind.choices])
        offer(self, "way", [every, *Choice.Way.choices])
        offer(self, "priority", [every, *((k, p.title) for k, p in self.priorities.items())])
        offer(self, "area", [every, *((k, a.name) for k, a in self.areas.items())])
        if not areas:
            del self.fields["area"]

    def search(self) -> Search:
        """What the form asks for; what makes no sense is left out."""
        self.is_valid()
        asked = self.cleaned_data
        return Search(
            words=asked.get("q", ""),
            kind=asked.get("kind", ""),
            way=asked.get("way", ""),
            priority=self.priorities.get(asked.get("priority", "")),
            area=self.areas.get(asked.get("area", "")),
            since=asked.get("since"),
            until=asked.get("until"),
        )


class LotteryFilter(forms.Form):
    state = forms.ChoiceField(label=_("How it stands"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "state", [("", _("all")), *Lottery.State.choices])

    def asked(self) -> str:
        self.is_valid()
        return str(self.cleaned_data.get("state", ""))


class LotteryForm(SeenForm):
    title = forms.CharField(label=_("Title"), max_length=160)
    words = forms.CharField(
        label=_("What there is to get"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("In plain words: every school reads it."),
    )
    kind = forms.ChoiceField(label=_("What begins then"))
    priority = forms.ChoiceField(
        label=_("Priority"), help_text=_("Live ones with published figures of their outcome.")
    )
    places = forms.IntegerField(label=_("Places"), min_value=1, max_value=MOST_PLACES)
    lower = forms.FloatField(
        label=_("From this published value on, in points"),
        required=False,
        help_text=_(
            "Points beyond what is expected of such pupils: −5 for five below. Empty: no limit."
        ),
    )
    upper = forms.FloatField(
        label=_("Below this published value, in points"),
        required=False,
        help_text=_("Empty: no limit."),
    )
    need_at_least = forms.IntegerField(
        label=_("Help is likely well spent, in 100 at least"),
        required=False,
        min_value=1,
        max_value=100,
        help_text=_(
            "The published chance that pupils achieve less than expected. Empty: no limit."
        ),
    )
    area = forms.ChoiceField(label=_("Area"), required=False)
    by_area = forms.BooleanField(
        label=_("Each area one step below has its share of the places"),
        required=False,
        help_text=_("Areas with one or two schools on the list are drawn together."),
    )
    follows = forms.ChoiceField(
        label=_("Whose schools without a place come first"),
        required=False,
        help_text=_("An earlier lottery for the same help."),
    )
    draws_on = day_field(
        _("Day of the draw"), _("At noon. The list is closed before that day.")
    )  # fmt: skip

    def __init__(
        self,
        *args: Any,
        priorities: Sequence[Priority],
        areas: Sequence[Area],
        earlier: Sequence[Lottery],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.priorities = {str(each.pk): each for each in priorities}
        self.areas = {str(each.pk): each for each in areas}
        self.earlier = {str(each.pk): each for each in earlier}
        offer(self, "kind", Lottery.What.choices)
        offer(self, "priority", [(k, p.title) for k, p in self.priorities.items()])
        whole = ("", _("the whole system"))
        offer(self, "area", [whole, *((k, a.name) for k, a in self.areas.items())])
        none = ("", _("none: this is the first"))
        offer(self, "follows", [none, *((k, e.title) for k, e in self.earlier.items())])

    @staticmethod
    def of(lottery: Lottery) -> Mapping[str, Any]:
        """The values of a row, for the form."""
        names = (
            "title", "words", "kind", "places", "lower", "upper", "need_at_least", "by_area",
            "draws_on",
        )  # fmt: skip
        values = {name: getattr(lottery, name) for name in names}
        keys = {name: getattr(lottery, f"{name}_id") for name in ("priority", "area", "follows")}
        return values | {k: str(v or "") for k, v in keys.items()} | {"seen": lottery.version}

    def terms(self) -> Terms:
        data = self.cleaned_data
        return Terms(
            title=data["title"],
            words=data["words"],
            kind=data["kind"],
            priority=self.priorities[data["priority"]],
            places=data["places"],
            draws_on=data["draws_on"],
            area=self.areas.get(data["area"]),
            lower=data["lower"],
            upper=data["upper"],
            need_at_least=data["need_at_least"],
            by_area=data["by_area"],
            follows=self.earlier.get(data["follows"]),
        )


class AnswerForm(SeenForm):
    agrees = forms.TypedChoiceField(
        label=_("Does the ministry agree that places are drawn?"),
        choices=[("yes", _("We agree")), ("no", _("We do not agree"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("In a sentence"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Needed where you do not agree."),
    )


class WhyForm(SeenForm):
    why = forms.CharField(
        label=_("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )  # fmt: skip
