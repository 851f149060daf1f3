"""The chain of the audit trail: whatever is done to it shows, and one command says so."""

import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer import Typer
from typer.testing import CliRunner, Result

from brightspots.core.errors import InputError
from brightspots_cli import audit as command
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry, AuditHead
from tests.web.world import World

LENGTH = 8
KEPT_TEXT = ("appointment", "actor", "role", "action", "target_type", "target_id", "target")
HASHES = ("previous_hash", "entry_hash")
MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


@pytest.fixture
def chain(world: World) -> list[dict[str, Any]]:
    """Eight entries as they were written."""
    for i in range(LENGTH):
        audit.record("test.act", by=world.cast["head"], target=world.schools["N2"], detail={"i": i})
    return list(AuditEntry.objects.order_by("pk").values())


def put(rows: list[dict[str, Any]]) -> None:
    AuditEntry.objects.all().delete()
    AuditEntry.objects.bulk_create(AuditEntry(**row) for row in rows)


@MANY
@given(
    data=st.data(),
    how=st.sampled_from(
        ["text", "hash", "detail", "time", "remove", "repeat", "forge", "order", "head"]
    ),
)
def test_any_change_removal_insertion_or_reordering_of_any_row_is_found_at_its_place(
    chain: list[dict[str, Any]], data: st.DataObject, how: str
) -> None:
    rows, kept_head = [dict(row) for row in chain], AuditHead.objects.values().get()
    at = data.draw(st.integers(0, LENGTH - 1), label="row")
    first: int | None = at
    if how == "text":
        field = data.draw(st.sampled_from(KEPT_TEXT))
        rows[at][field] = data.draw(WORDS.filter(lambda text: text != rows[at][field]))
    elif how == "hash":
        rows[at][data.draw(st.sampled_from(HASHES))] = f"{data.draw(st.integers(1, 2**200)):064x}"
    elif how == "detail":
        value = st.none() | st.integers(-99, 99) | WORDS
        found = data.draw(st.dictionaries(WORDS, value, max_size=2))
        rows[at]["detail"] = found if found != rows[at]["detail"] else {}
    elif how == "time":
        rows[at]["at"] += timedelta(microseconds=data.draw(st.integers(1, 10**12)))
    elif how == "remove":
        upto = data.draw(st.integers(at + 1, LENGTH))
        del rows[at:upto]
        first = at if upto < LENGTH else None
    elif how in {"repeat", "forge"}:
        # Put in between: a copy, or one whose own two hashes are right.
        new = dict(rows[at])
        before = rows[at - 1]["entry_hash"] if at else audit.GENESIS
        new["previous_hash"] = before if how == "forge" else new["previous_hash"]
        new["actor"] = "somebody else"
        new["entry_hash"] = audit._hash(AuditEntry(**new))
        rows.insert(at, new)
        first = at + 1
    elif how == "order":
        other = data.draw(st.integers(0, LENGTH - 1).filter(lambda each: each != at))
        rows[at], rows[other] = rows[other], rows[at]
        first = min(at, other)
    else:
        row = data.draw(
            st.sampled_from([{"entries": at}, {"last_hash": chain[at]["previous_hash"]}])
        )
        AuditHead.objects.update(**row)
        first = None
    base = chain[0]["id"]
    put([row | {"id": base + number} for number, row in enumerate(rows)])
    found = audit.verify()
    assert not found.holds
    assert (found.broken.pk if found.broken else None) == (
        base + first if first is not None else None
    )
    put(chain)
    AuditHead.objects.update(**kept_head)
    assert audit.verify() == audit.head() == audit.Chain(LENGTH, chain[-1]["entry_hash"])


def test_a_chain_written_anew_holds_in_itself_but_no_longer_has_the_hash_that_was_noted(
    chain: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = audit.head().last_hash
    for row in chain:
        assert audit.verify(row["entry_hash"]).holds
    # Somebody rewrites everything from the fourth on, the head included.
    previous, rows = chain[2]["entry_hash"], []
    for row in chain[3:]:
        forged = AuditEntry(**row | {"actor": "somebody else", "previous_hash": previous})
        previous = forged.entry_hash = audit._hash(forged)
        rows.append(forged)
    AuditEntry.objects.bulk_update(rows, ["actor", "previous_hash", "entry_hash"])
    AuditHead.objects.update(last_hash=previous)
    assert audit.verify().holds
    assert audit.verify(chain[2]["entry_hash"]).holds
    assert "is not the one it was then" in audit.verify(noted).problem


def test_entries_cut_off_at_the_end_with_the_head_put_right_are_missed_by_what_was_noted(
    chain: list[dict[str, Any]],
) -> None:
    noted = audit.head().last_hash
    AuditEntry.objects.filter(pk__gte=chain[5]["id"]).delete()
    assert "missing at the end" in audit.verify().problem  # the head still counts them
    AuditHead.objects.update(entries=5, last_hash=chain[4]["entry_hash"])
    assert audit.verify().holds  # nothing in the database knows of them any more
    assert "is not the one it was then" in audit.verify(noted).problem
    # And so for all of them, with the head.
    AuditEntry.objects.all().delete()
    AuditHead.objects.all().delete()
    assert audit.verify().holds
    assert "is not the one it was then" in audit.verify(noted).problem


def test_what_is_added_while_the_chain_is_walked_does_not_break_it(
    world: World, chain: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = audit._walk

    def slow(*given: Any) -> audit.Chain:
        found = walk(*given)
        audit.record("test.act", by=world.cast["head"])  # after the walk has read the last
        return found

    monkeypatch.setattr(audit, "_walk", slow)
    assert audit.verify().holds


def test_the_walk_needs_no_more_memory_for_a_longer_chain(
    world: World, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    """What a walk holds at most does not grow from two thousand entries to six thousand."""

    def lengthen(to: int) -> None:
        head, rows = AuditHead.objects.get(), []
        for i in range(head.entries, to):
            row = AuditEntry(
                at=timezone.now(), actor="A head", action="test.act",
                detail={"i": i, "note": "x" * 200}, previous_hash=head.last_hash,
            )  # fmt: skip
            head.last_hash = row.entry_hash = audit._hash(row)
            rows.append(row)
        AuditEntry.objects.bulk_create(rows, batch_size=500)
        head.entries = to
        head.save()

    def peak() -> int:
        tracemalloc.start()
        try:
            with django_assert_max_num_queries(3):
                assert audit.verify().holds
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    audit.record("test.act", by=world.cast["head"])
    lengthen(2000)
    peak()
    short = peak()
    lengthen(6000)
    assert peak() < short * 1.3


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, in the database of the test."""
    monkeypatch.setattr(command.platform, "start", lambda home: None)
    app = Typer()
    app.command("audit")(command.command)
    return lambda *words: CliRunner().invoke(app, list(words))


def test_the_command_says_what_holds_and_where_it_breaks_first(
    run: Callable[..., Result], chain: list[dict[str, Any]]
) -> None:
    noted = chain[-1]["entry_hash"]
    said = run("head")
    assert (said.exit_code, said.output) == (0, f"Entries: 8\nLast hash: {noted}\n")
    said = run("verify", "--expect-hash", noted.upper())
    assert said.exit_code == 0
    assert "Every link of the chain holds." in said.output
    assert "The hash that was noted is in it." in said.output
    assert run("verify", "--expect-hash", "f" * 64).exit_code == 1
    said = run("verify", "--expect-hash", "abc")
    assert isinstance(said.exception, InputError)
    assert "is no hash" in str(said.exception)

    AuditEntry.objects.filter(pk=chain[4]["id"]).update(actor="Somebody Else")
    said = run("verify")
    assert said.exit_code == 1
    assert f"First broken link: entry {chain[4]['id']}, " in said.output
    assert "What it says was changed after it was written." in said.output
    assert "Somebody Else" not in said.output
    AuditEntry.objects.filter(pk=chain[4]["id"]).delete()
    said = run("verify")
    assert "Entries: 4\n" in said.output
    assert "It does not follow the entry before it" in said.output
    AuditEntry.objects.filter(pk__gt=chain[3]["id"]).delete()
    assert "Entries are missing at the end of the chain." in run("verify").output
    AuditHead.objects.all().delete()
    assert "The head of the chain is missing." in run("verify").output
    AuditEntry.objects.all().delete()
    said = run("verify")
    assert (said.exit_code, said.output.splitlines()[0]) == (0, "Entries: 0")
