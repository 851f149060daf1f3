"""The forms of proposals: finding, writing, withdrawing, merging, talking, answering."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment import living_words
from brightspots_web.alignment.models import (
    Agreement,
    PriorityProposal,
    ProposalComment,
    Tier,
)
from brightspots_web.alignment.proposal_actions import LONGEST, LONGEST_REASON, Text
from brightspots_web.alignment.proposal_merge_actions import LONGEST_WORDS
from brightspots_web.alignment.proposal_queries import PUBLIC, Search, Voice
from brightspots_web.alignment.proposal_talk_actions import LONGEST_COMMENT
from brightspots_web.directory.models import Indicator


def _long(rows: int = 4, **more: Any) -> forms.CharField:
    return forms.CharField(widget=forms.Textarea(attrs={"rows": rows}), **more)


def _choice(form: forms.Form, name: str) -> forms.ChoiceField:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    return field


class ProposalFilter(forms.Form):
    """What the list of proposals is narrowed to; read from the address."""

    q = forms.CharField(label=_("Words"), required=False, max_length=200)
    agreement = forms.ChoiceField(label=_("Cycle"), required=False)
    tier = forms.ChoiceField(
        label=_("Proposed by"), required=False, choices=[("", _("all")), *Tier.choices]
    )
    state = forms.ChoiceField(label=_("State"), required=False)
    subject = forms.ChoiceField(label=_("Outcome"), required=False)
    mine = forms.BooleanField(label=_("Ours"), required=False)

    def __init__(
        self,
        *args: Any,
        agreements: Sequence[Agreement],
        present: Agreement | None,
        subjects: Sequence[str],
        own: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.present = present
        cycles = [(str(each.pk), each.cycle.name) for each in agreements]
        now = _now("{cycle} (now)").format(cycle=present.cycle) if present else ""
        everything = ("all", _("all"))
        _choice(self, "agreement").choices = [
            *([("", now)] if present else []), *cycles, everything,
        ]  # fmt: skip
        states = [(each.value, each.label) for each in PriorityProposal.State if each in PUBLIC]
        _choice(self, "state").choices = [("", _("all")), *states]
        _choice(self, "subject").choices = [("", _("all")), *((each, each) for each in subjects)]
        if not subjects:
            del self.fields["subject"]
        if not own:
            del self.fields["mine"]

    def search(self) -> Search:
        """What the form asks for; what makes no sense is left out."""
        self.is_valid()
        asked = self.cleaned_data
        chosen = asked.get("agreement", "")
        present = self.present.pk if self.present else None
        agreement = int(chosen) if chosen.isdecimal() else None if chosen == "all" else present
        return Search(
            words=asked.get("q", ""),
            tier=asked.get("tier", ""),
            state=asked.get("state", ""),
            subject=asked.get("subject", ""),
            agreement=agreement,
            mine=asked.get("mine", False),
        )


class ProposalForm(forms.Form):
    """A proposal, and for whom it is made."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    agreement = forms.ChoiceField(label=_("For the cycle"))
    voice = forms.ChoiceField(label=_("We propose it as"))
    title = forms.CharField(
        label=_("What the whole system should get better at"),
        max_length=LONGEST["title"],
        help_text=_("About teaching and learning, in a few words: “Every child reads by ten”."),
    )
    why = _long(
        6,
        label=_("Why"),
        max_length=LONGEST["why"],
        help_text=_("What you see, and what would be different. Name no pupils."),
    )
    subject = forms.ChoiceField(
        label=_("Outcome whose figures speak of it"),
        required=False,
        help_text=_(
            "What is published about the need goes with the proposal as it stands on the day you "
            "propose it."
        ),
    )
    renew = forms.BooleanField(label=_("Take the newest published figures"), required=False)
    indicators = forms.MultipleChoiceField(
        label=_("By what would it be measured?"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    drivers = forms.CharField(
        label=_("What drives it"),
        required=False,
        strip=False,
        max_length=LONGEST["drivers"],
        widget=forms.Textarea(attrs={"rows": 7, "class": "outline", "autocapitalize": "off"}),
        help_text=_(
            "A first driver diagram, if you have one: a line for each driver; below it, two "
            "blanks further in (or one dash more), what drives it in turn."
        ),
    )

    def __init__(
        self,
        *args: Any,
        subjects: Sequence[str],
        indicators: Iterable[Indicator],
        voices: Sequence[Voice] = (),
        agreements: Sequence[Agreement] = (),
        newer: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.voices = {each.key: each for each in voices}
        self.agreements = {str(each.pk): each for each in agreements}
        self._offer("voice", [(key, each.label) for key, each in self.voices.items()])
        self._offer("agreement", [(key, each.cycle.name) for key, each in self.agreements.items()])
        _choice(self, "subject").choices = [
            ("", _("none: no figures speak of it")), *((each, each) for each in subjects),
        ]  # fmt: skip
        listed = [
            (each.code, f"{each.name} ({living_words.purpose_short(each.purpose)})")
            for each in indicators
        ]
        _choice(self, "indicators").choices = listed
        if not listed:
            del self.fields["indicators"]
        if not newer:
            del self.fields["renew"]

    def _offer(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        """A choice of one is none: it goes along unseen, so that it can be held against later."""
        if not choices:
            del self.fields[name]
            return
        field = _choice(self, name)
        field.choices = list(choices)
        field.error_messages["invalid_choice"] = _now(
            "You do not act for this place any more, or the time for it is over. What you wrote "
            "is still here: copy it for whoever does."
        )
        if len(choices) == 1:
            field.widget = forms.HiddenInput()
            field.initial = choices[0][0]

    def clean(self) -> None:
        """What went along unseen and no longer holds is said at the top."""
        super().clean()
        for name in ("voice", "agreement"):
            if name in self.errors and self.fields[name].widget.is_hidden:
                self.add_error(None, list(self.errors[name].data))
                del self.errors[name]

    def text(self) -> Text:
        data = self.cleaned_data
        chosen = tuple(data.get("indicators", ()))
        return Text(data["title"], data["why"], data["subject"], chosen, data["drivers"])

    def chosen_voice(self) -> Voice:
        return self.voices[self.cleaned_data["voice"]]

    def chosen_agreement(self) -> Agreement:
        return self.agreements[self.cleaned_data["agreement"]]


class ReasonForm(forms.Form):
    """Why a proposal is withdrawn."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    why = _long(3, label=_("Why"), max_length=LONGEST_REASON, help_text=_("Everybody can read it."))


class MergeForm(forms.Form):
    """With which other proposal, and which of the two carries on."""

    other = forms.ChoiceField(label=_("With which proposal?"))
    carries_on = forms.ChoiceField(
        label=_("Which of the two carries on?"),
        widget=forms.RadioSelect,
        choices=[("other", _("the other one")), ("this", _("this one"))],
        initial="other",
    )
    words = _long(
        3,
        label=_("A word to its authors"),
        required=False,
        max_length=LONGEST_WORDS,
        help_text=_("Everybody who can open the proposals can read it."),
    )

    def __init__(self, *args: Any, others: Sequence[PriorityProposal], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.others = {str(each.pk): each for each in others}
        _choice(self, "other").choices = [(key, each.title) for key, each in self.others.items()]

    def chosen(self) -> PriorityProposal:
        return self.others[self.cleaned_data["other"]]


class TalkForm(forms.Form):
    """Words that everybody can read; asked about again where they look like a pupil's name."""

    words = _long(4, label=_("Words"), max_length=LONGEST_COMMENT)
    names_no_pupil = forms.BooleanField(
        label=_("I looked again: no pupil is named"), required=False, widget=forms.HiddenInput
    )

    def ask_to_look_again(self) -> None:
        self.fields["names_no_pupil"].widget = forms.CheckboxInput()


class CommentForm(TalkForm):
    kind = forms.ChoiceField(
        label=_("Is it"),
        widget=forms.RadioSelect,
        choices=[
            (ProposalComment.Kind.COMMENT, _("a comment")),
            (ProposalComment.Kind.AMENDMENT, _("something I want changed in it")),
        ],
        initial=ProposalComment.Kind.COMMENT,
    )
    field_order = ("kind", "words", "names_no_pupil")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["words"].label = _now("What would you like to say?")
        self.fields["words"].help_text = _now(
            "Everybody with an appointment can read it, with your name and role. Name no pupils."
        )


class AnswerForm(TalkForm):
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    taken_up = forms.TypedChoiceField(
        label=_("Do you take it up?"),
        required=False,
        widget=forms.RadioSelect,
        choices=[("yes", _("yes: we change the proposal")), ("no", _("no"))],
        coerce=lambda value: value == "yes",
        empty_value=None,
    )
    field_order = ("taken_up", "words", "names_no_pupil")

    def __init__(self, *args: Any, amendment: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["words"].label = _now("Your answer")
        self.fields["words"].help_text = _now("Everybody with an appointment can read it.")
        if not amendment:
            del self.fields["taken_up"]


class HeardFilter(forms.Form):
    """What the page of a consultation is narrowed to."""

    tier = forms.ChoiceField(
        label=_("Said by"), required=False, choices=[("", _("all")), *Tier.choices]
    )
    answered = forms.ChoiceField(
        label=_("Answered"),
        required=False,
        choices=[("", _("all")), ("no", _("not yet")), ("yes", _("answered"))],
    )
