"""The forms of practices: finding, writing, taking up, talking."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness.models import PracticeAdoption
from brightspots_web.connectedness.practice_actions import LONGEST, Text, languages
from brightspots_web.connectedness.practice_adoption_actions import LONGEST_CHANGE
from brightspots_web.connectedness.practice_queries import Circumstance, Search
from brightspots_web.connectedness.practice_talk_actions import LONGEST_COMMENT
from brightspots_web.directory import queries as directory

DAY = {"type": "date"}


def _long(name: str, label: Any, hint: Any, rows: int = 6, **more: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(
        label=label, max_length=LONGEST[name], widget=widget, help_text=hint, **more
    )


class LibraryFilter(forms.Form):
    """What the library is narrowed to; read from the address."""

    q = forms.CharField(label=_("Words"), required=False, max_length=200)
    priority = forms.ChoiceField(label=_("Priority"), required=False)
    phase = forms.ChoiceField(label=_("Phase of the source school"), required=False)
    language = forms.ChoiceField(label=_("Language of the source school"), required=False)
    circumstance = forms.ChoiceField(label=_("Circumstances of the source school"), required=False)
    like = forms.BooleanField(label=_("From schools like mine"), required=False)
    school = forms.CharField(widget=forms.HiddenInput, required=False, max_length=60)
    drafts = forms.BooleanField(label=_("Drafts I can open"), required=False)

    def __init__(
        self,
        *args: Any,
        priorities: Sequence[Priority],
        phases: Sequence[str],
        languages: Sequence[str],
        circumstances: Sequence[Circumstance],
        family: bool,
        drafts: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.priorities = {each.code: each for each in priorities}
        self._offer("priority", [(each.code, each.title) for each in priorities])
        self._offer("phase", [(name, name) for name in phases])
        self._offer("language", [(name, name) for name in languages])
        self._offer("circumstance", [_group(each) for each in circumstances])
        if not family:
            del self.fields["like"]
        if not drafts:
            del self.fields["drafts"]

    def _offer(self, name: str, choices: Sequence[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        if len(choices) < (1 if name == "circumstance" else 2):
            del self.fields[name]
            return
        field.choices = [("", _("all")), *choices]

    def search(self) -> Search:
        """What the form asks for; what makes no sense is left out."""
        self.is_valid()
        asked = self.cleaned_data
        return Search(
            words=asked.get("q", ""),
            priority=self.priorities.get(asked.get("priority", "")),
            phase=asked.get("phase", ""),
            language=asked.get("language", ""),
            circumstance=asked.get("circumstance", ""),
            like_mine=asked.get("like", False),
            school=asked.get("school", ""),
            drafts=asked.get("drafts", False),
        )


def _group(each: Circumstance) -> tuple[str, list[tuple[str, str]]]:
    if each.cuts is None:
        return each.name, [(f"{each.name}={kind}", kind) for kind in each.kinds]
    thirds = {
        "lower": _now("{name}: the lower third of schools"),
        "middle": _now("{name}: the middle third"),
        "upper": _now("{name}: the upper third"),
    }
    return each.name, [
        (f"{each.name}={third}", words.format(name=each.name)) for third, words in thirds.items()
    ]


class PracticeForm(forms.Form):
    """A practice in words. What one school needs to know to try it."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    title = forms.CharField(
        label=_("Title"),
        max_length=LONGEST["title"],
        help_text=_("What people will call it: “Fours by turns”."),
    )
    summary = _long(
        "summary",
        _("In two sentences"),
        _("What is done, and what for. At most 300 characters."),
        3,
    )
    what_to_do = _long(
        "what_to_do",
        _("What to do"),
        _("Step by step, so that somebody who was not there can try it on Monday."),
        10,
    )
    what_it_takes = _long(
        "what_it_takes",
        _("What it takes"),
        _("Time, people, materials, training, what it costs."),
        5,
    )
    context = _long(
        "context",
        _("Where it was found to work"),
        _("The school and its circumstances, as far as the register knows. Add what matters."),
    )
    evidence = _long(
        "evidence",
        _("Evidence so far"),
        _("What the figures say and how sure they are; what people saw; what is not known."),
        required=False,
    )
    priority = forms.ChoiceField(label=_("At which priority"), required=False)
    language = forms.ChoiceField(label=_("Written in"))

    def __init__(
        self, *args: Any, priorities: Sequence[Priority], language: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.priorities = {each.code: each for each in priorities}
        priority = self.fields["priority"]
        written = self.fields["language"]
        assert isinstance(priority, forms.ChoiceField)
        assert isinstance(written, forms.ChoiceField)
        priority.choices = [("", _("none of them")), *((p.code, p.title) for p in priorities)]
        written.choices = list(languages().items())
        if not language:
            del self.fields["language"]

    def text(self) -> Text:
        return Text(**{name: self.cleaned_data[name] for name in LONGEST})

    def chosen_priority(self) -> Priority | None:
        return self.priorities.get(self.cleaned_data.get("priority", ""))


class TranslationForm(PracticeForm):
    """The same words in another language; the priority is the original's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, priorities=(), **kwargs)
        del self.fields["priority"]


class AdoptForm(forms.Form):
    """From whom, since when, and what is done otherwise."""

    source = forms.ChoiceField(label=_("From which school did you learn it?"), required=False)
    on = forms.DateField(
        label=_("Since when"), widget=forms.DateInput(attrs=DAY), initial=directory.today
    )
    adapted = forms.CharField(
        label=_("What do you do otherwise?"),
        required=False,
        max_length=LONGEST_CHANGE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Leave empty if you do it as it is written. Name no pupils."),
    )

    def __init__(
        self, *args: Any, source_school: str, adoptions: Sequence[PracticeAdoption], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.adoptions = {str(each.pk): each for each in adoptions}
        source = self.fields["source"]
        assert isinstance(source, forms.ChoiceField)
        source.choices = [
            ("", _now("{school}, where it comes from").format(school=source_school)),
            *((key, each.school.name) for key, each in self.adoptions.items()),
        ]

    def chosen(self) -> PracticeAdoption | None:
        return self.adoptions.get(self.cleaned_data["source"])


class AdaptForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    adapted = forms.CharField(
        label=_("What we do otherwise"),
        required=False,
        max_length=LONGEST_CHANGE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Leave empty if you do it as it is written. Name no pupils."),
    )


class StopForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    on = forms.DateField(
        label=_("Since when"), widget=forms.DateInput(attrs=DAY), initial=directory.today
    )
    why = forms.CharField(
        label=_("Why"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What did not fit is worth as much to others as what did."),
    )


class WhyForm(forms.Form):
    """A reason, for what is withdrawn."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    why = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class CommentForm(forms.Form):
    words = forms.CharField(
        label=_("What would you like to say?"),
        max_length=LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "How it went at your school, what you would ask. Everybody with an appointment can "
            "read it, with your name and role. Name no pupils."
        ),
    )
    names_no_pupil = forms.BooleanField(
        label=_("I looked again: no pupil is named"), required=False
    )

    def __init__(self, *args: Any, warned: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not warned:
            self.fields["names_no_pupil"].widget = forms.HiddenInput()
