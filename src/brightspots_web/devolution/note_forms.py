"""The forms of notes: writing one on a phone, finding them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution import note_photos
from brightspots_web.devolution import rubric_queries as rubrics
from brightspots_web.devolution.models import DataNote, Rubric
from brightspots_web.devolution.note_actions import LONGEST, LONGEST_SAYS, Said
from brightspots_web.devolution.note_queries import Search
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Indicator

Kind = DataNote.Kind
DAY = {"type": "date"}
TALLEST_TAGS = 260
FOLDED = ("indicator", "tags", "on")
"""Behind "More": on a phone the sentence and the button are to be on one screen."""
LAST = ("share", "without_photo")


class NoteForm(forms.Form):
    """A sentence, and whatever else is at hand: everything but the sentence may be left."""

    client_key = forms.CharField(widget=forms.HiddenInput, required=False)
    for_school = forms.IntegerField(widget=forms.HiddenInput, required=False)
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    words = forms.CharField(
        label=_("What did you see or hear?"),
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A sentence is enough. No pupil's name: “a girl in class 3” says it all."),
    )
    kind = forms.ChoiceField(
        label=_("It is"),
        choices=[(each.value, each.label) for each in (Kind.SEEN, Kind.HEARD, Kind.HUNCH)],
        required=False,
    )
    photo = forms.FileField(
        label=_("A photograph"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text=_(
            "The board, an exercise book, a wall: no faces. Place and camera are taken out of it."
        ),
    )
    says = forms.CharField(
        label=_("What is on the photograph"),
        max_length=LONGEST_SAYS,
        required=False,
        help_text=_("For who cannot see it: “A number line from stones, up to 20”."),
    )
    without_photo = forms.BooleanField(label=_("Take the photograph away"), required=False)
    priority = forms.ChoiceField(label=_("It is about"), required=False)
    indicator = forms.ChoiceField(label=_("and says something of"), required=False)
    tags = forms.CharField(
        label=_("Tags"),
        max_length=TALLEST_TAGS,
        required=False,
        help_text=_("Words of your own, with commas between: class 3, fluency."),
    )
    on = forms.DateField(
        label=_("On"), widget=forms.DateInput(attrs=DAY), initial=directory.today, required=False
    )
    share = forms.BooleanField(required=False)
    names_nobody = forms.BooleanField(
        label=_("I looked again: no pupil can be known by it"), required=False
    )

    def __init__(
        self,
        *args: Any,
        priorities: Sequence[Priority],
        indicators: Sequence[Indicator],
        rubric: Rubric | None = None,
        shares: str = "",
        has_photo: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rubric = rubric
        self._next, self._anew = uuid4(), False
        self.priorities = {each.code: each for each in priorities}
        self.indicators = {each.code: each for each in indicators}
        self._offer("priority", [(each.code, each.title) for each in priorities])
        self._offer("indicator", [(each.code, each.name) for each in indicators])
        self.fields["share"].label = shares
        self.fields["names_nobody"].widget = forms.HiddenInput()
        for name, kept in (("share", shares), ("without_photo", has_photo)):
            if not kept:
                del self.fields[name]
        if rubric is not None:
            self._ask(rubric)

    def _offer(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        if choices:
            field.choices = [("", _now("nothing in particular")), *choices]
        else:
            del self.fields[name]

    def _ask(self, rubric: Rubric) -> None:
        """The questions of a form come first; a sentence may follow."""
        del self.fields["kind"]
        self.fields["words"].label = _now("Anything else?")
        asked = {rubrics.field_of(item): _field(item) for item in rubric.items}
        self.fields = {**asked, **self.fields}

    def warn(self) -> None:
        """Ask the person to look again, with a box to say that they did."""
        self.fields["names_nobody"].widget = forms.CheckboxInput()
        self.order_fields(["names_nobody"])

    def at_once(self) -> list[forms.BoundField]:
        """What stands on the page without opening anything."""
        aside = {*FOLDED, *LAST}
        return [field for field in self.visible_fields() if field.name not in aside]

    def more(self) -> list[forms.BoundField]:
        return [self[name] for name in FOLDED if name in self.fields]

    def at_the_end(self) -> list[forms.BoundField]:
        return [self[name] for name in LAST if name in self.fields]

    def more_is_open(self) -> bool:
        """Where there is something in it, or something to mend."""
        filled = any(self[name].value() for name in ("indicator", "tags") if name in self.fields)
        return filled or any(field.errors for field in self.more())

    def begin_anew(self, school: int | None) -> None:
        """What is sent next is a note of its own, for the school the person acts for now."""
        self._anew = True
        anew = {"client_key": str(self._next), "for_school": str(school or "")}
        self.data = {name: self.data[name] for name in self.data} | anew

    @property
    def key(self) -> UUID:
        """The key the form was made with; another where it was lost on the way."""
        sent = self.cleaned_data.get("client_key")
        return sent if isinstance(sent, UUID) else self._next

    @property
    def next_key(self) -> UUID:
        """The key with which the form will be sent again."""
        return self._next if self._anew else self.key

    def clean_client_key(self) -> UUID | None:
        try:
            return UUID(self.cleaned_data["client_key"])
        except ValueError:
            return None

    def clean_photo(self) -> note_photos.Photo | None:
        file = self.cleaned_data["photo"]
        if not file:
            return None
        if file.size > note_photos.LARGEST_FILE:
            raise ValidationError(
                _now("The photograph is larger than 10 MB. Take it in a lower size, choose it "
                     "again.")
            )  # fmt: skip
        return note_photos.made_anew(file)

    def said(self) -> Said:
        data = self.cleaned_data
        return Said(
            words=data["words"],
            on=data["on"] or directory.today(),
            kind=data.get("kind") or Kind.SEEN,
            tags=data["tags"].split(","),
            priority=self.priorities.get(data.get("priority", "")),
            indicator=self.indicators.get(data.get("indicator", "")),
            rubric=self.rubric,
            observed=self._observed(),
            says=data["says"],
        )

    def _observed(self) -> dict[str, Any]:
        if self.rubric is None:
            return {}
        found = {}
        for item in self.rubric.items:
            value = self.cleaned_data.get(rubrics.field_of(item))
            if value not in (None, ""):
                found[item["code"]] = value == "yes" if item["kind"] == "yes_no" else int(value)
        return found


def _field(item: Mapping[str, Any]) -> forms.Field:
    """The field in which a question is answered."""
    if item["kind"] == "count":
        return forms.IntegerField(
            label=item["question"],
            required=False,
            min_value=0,
            max_value=rubrics.MOST_COUNTED,
            help_text=_now("How many."),
            widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        )
    choices = [("yes", _now("yes")), ("no", _now("no"))]
    if item["kind"] == "scale":
        choices = [(str(level), str(level)) for level in range(1, item["most"] + 1)]
    return forms.ChoiceField(
        label=item["question"],
        required=False,
        choices=[("", _now("not seen")), *choices],
        widget=forms.RadioSelect if item["kind"] == "yes_no" else forms.Select,
        help_text=_now("1 is the least, {most} the most.").format(most=item["most"])
        if item["kind"] == "scale"
        else "",
    )


def answers_in_form(rubric: Rubric, observed: Mapping[str, Any]) -> dict[str, Any]:
    """What was observed, as the fields of the form hold it."""
    kinds = {item["code"]: item["kind"] for item in rubric.items}
    return {
        f"item_{code}": ("yes" if value else "no") if kinds.get(code) == "yes_no" else value
        for code, value in observed.items()
    }


class NoteFilter(forms.Form):
    """What the list of notes is narrowed to; read from the address."""

    q = forms.CharField(label=_("Words"), required=False, max_length=200)
    whose = forms.ChoiceField(
        label=_("Whose"),
        required=False,
        choices=[
            ("", _("ours, and what is shared with us")),
            ("ours", _("our school's")),
            ("shared", _("shared in the partnership")),
        ],
    )
    priority = forms.ChoiceField(label=_("Priority"), required=False)
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("all")), *Kind.choices]
    )
    school = forms.ChoiceField(label=_("School"), required=False)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs=DAY))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs=DAY))
    tag = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)

    def __init__(
        self,
        *args: Any,
        priorities: Sequence[Priority],
        schools: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._offer("priority", [(each.code, each.title) for each in priorities], 1)
        self._offer("school", schools, 2)

    def _offer(self, name: str, choices: Sequence[tuple[str, str]], least: int) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        if len(choices) < least:
            del self.fields[name]
            return
        field.choices = [("", _("all")), *choices]

    def search(self) -> Search:
        """What the form asks for; what makes no sense is left out."""
        self.is_valid()
        asked = self.cleaned_data
        return Search(
            whose=asked.get("whose", ""),
            words=asked.get("q", ""),
            priority=asked.get("priority", ""),
            kind=asked.get("kind", ""),
            tag=asked.get("tag", "").casefold(),
            school=asked.get("school", ""),
            since=asked.get("since"),
            until=asked.get("until"),
        )
