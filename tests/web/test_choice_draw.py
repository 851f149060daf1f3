"""The draw, its file and the command: the same everywhere, fair, and what is changed shows."""

import json
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from brightspots.core.errors import InputError
from brightspots_cli import lottery as command
from brightspots_web.evidence import choice_file as file
from brightspots_web.evidence.choice_draw import (
    Drawn,
    Entry,
    commitment,
    draw,
    label_of,
    labels_hash,
    list_hash,
)
from brightspots_web.evidence.choice_file import NotALotteryError, Told

SEED, BEACON = "a1" * 32, "b2" * 32
KEY = "c3" * 32


def some(n: int, stratum: str = "", **more: Any) -> list[Entry]:
    return [Entry(f"{stratum[:1]}{i:03}", stratum, **more) for i in range(n)]


def test_the_lowest_tickets_have_the_places_as_anyone_may_work_out_with_a_pocket_hash() -> None:
    entries = some(9)
    by_hand = sorted(
        (sha256(f"{SEED}/{BEACON}/{e.label}".encode()).hexdigest(), e.label) for e in entries
    )
    found = draw(4, entries, SEED, BEACON)
    assert found.order[""] == tuple(label for _ticket, label in by_hand)
    assert found.drawn == found.now == {label for _ticket, label in by_hand[:4]}


def test_the_order_in_which_schools_are_given_changes_nothing() -> None:
    entries = [*some(7, "North"), *some(5, "South")]
    assert draw(5, entries, SEED, BEACON) == draw(5, entries[::-1], SEED, BEACON)
    assert list_hash(5, "k", entries) == list_hash(5, "k", entries[::-1])


def test_nobody_can_choose_the_result_by_the_seed_alone_nor_by_the_later_value_alone() -> None:
    entries = some(30)
    first = draw(10, entries, SEED, BEACON).drawn
    assert first != draw(10, entries, SEED, "b3" * 32).drawn
    assert first != draw(10, entries, "a2" * 32, BEACON).drawn


def test_every_school_has_the_same_chance() -> None:
    entries, won = some(10), Counter[str]()
    draws = 3000
    for n in range(draws):
        won.update(draw(3, entries, f"{n}", BEACON).drawn)
    # Each count is binomial (3000, .3): standard deviation 25; five of them are 125.
    assert all(abs(won[e.label] - 0.3 * draws) < 125 for e in entries), won


def test_areas_share_the_places_by_the_largest_remainder() -> None:
    entries = [*some(11, "North"), *some(6, "South"), *some(3, "West")]
    found = draw(7, entries, SEED, BEACON)
    # 7 x 11/20 = 3.85, 7 x 6/20 = 2.1, 7 x 3/20 = 1.05: whole parts 3, 2, 1, the last to North.
    assert found.places == {"North": 4, "South": 2, "West": 1}
    assert found.chances["N000"] == pytest.approx(4 / 11)
    assert len(found.drawn) == 7


@pytest.mark.parametrize("places", range(1, 25))
def test_all_places_are_given_and_none_twice_whatever_their_number(places: int) -> None:
    entries = [*some(11, "North"), *some(6, "South"), *some(3, "West", waited=True)]
    found = draw(places, entries, SEED, BEACON)
    assert sum(found.places.values()) == len(found.drawn) == min(places, 20)
    for name, labels in found.order.items():
        assert found.places[name] <= len(labels)


def test_schools_that_waited_come_first_wherever_they_are() -> None:
    entries = [*some(20, "North"), *some(2, "South"), *some(3, "West", waited=True)]
    found = draw(4, entries, SEED, BEACON)
    assert {"W000", "W001", "W002"} <= found.drawn
    assert [found.chances[f"W00{n}"] for n in range(3)] == [1.0] * 3
    # One place is left for 22 others.
    assert sum(found.chances[e.label] for e in entries) == pytest.approx(4)
    # Fewer places than waited: the lot decides among them, and the others have no chance this time.
    few = draw(2, entries, SEED, BEACON)
    assert len(few.drawn) == 2
    assert few.drawn < {"W000", "W001", "W002"}
    assert few.chances["N000"] == 0.0


def test_a_school_that_closed_before_the_draw_is_passed_over_and_its_hash_still_holds() -> None:
    entries = some(6)
    before = list_hash(2, "k", entries)
    first = draw(2, entries, SEED, BEACON)
    closed = [replace(e, out=e.label in first.drawn) for e in entries]
    again = draw(2, closed, SEED, BEACON)
    assert list_hash(2, "k", closed) == before
    assert not again.drawn & first.drawn
    assert again.drawn == frozenset(first.order[""][2:4])


def test_whoever_comes_next_in_the_same_area_moves_up() -> None:
    entries = [*some(6, "North"), *some(6, "South")]
    first = draw(4, entries, SEED, BEACON)
    leaver = first.order["North"][0]
    later = draw(
        4, [replace(e, gone=e.label == leaver) for e in entries], SEED, BEACON
    )  # fmt: skip
    assert later.drawn == first.drawn, "what was drawn stays on record"
    assert later.now == first.drawn - {leaver} | {first.order["North"][2]}


def test_fewer_schools_left_than_places_gives_each_one() -> None:
    entries = [replace(e, out=n > 1) for n, e in enumerate(some(5))]
    found = draw(3, entries, SEED, BEACON)
    assert found.drawn == {"000", "001"}
    assert found.chances["000"] == 1.0


@pytest.mark.parametrize(
    ("places", "entries", "seed", "beacon"),
    [
        (0, some(3), SEED, BEACON),
        (1, some(3), "", BEACON),
        (1, some(3), SEED, ""),
        (1, [*some(3), *some(1)], SEED, BEACON),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    places: int, entries: list[Entry], seed: str, beacon: str
) -> None:
    with pytest.raises(ValueError, match=r"place|missing|same number"):
        draw(places, entries, seed, beacon)


# The file


def told(*, names: bool = True, drawn: bool = True, codes: int = 12) -> Told:
    by_label = {label_of(KEY, f"S{n}"): f"S{n}" for n in range(codes)}
    entries = tuple(Entry(label, "North" if n % 2 else "South") for n, label in enumerate(by_label))
    result: Drawn | None = draw(4, entries, SEED, BEACON) if drawn else None
    return Told(
        title="Reading support", places=4, seed_hash=commitment(SEED),
        list_hash=list_hash(4, labels_hash(KEY), entries), labels_hash=labels_hash(KEY),
        opened_at="2024-03-01T10:00:00+00:00", draws_at="2024-03-12T12:00:00+00:00",
        entries=entries, seed=SEED if result else "", beacon=BEACON if result else "",
        beacon_at="2024-03-12T11:58:00+00:00" if result else "",
        drawn=tuple(result.drawn) if result else (), now=tuple(result.now) if result else (),
        labels_key=KEY if names else "", codes=by_label if names else {},
    )  # fmt: skip


def same(one: Told, other: Told) -> bool:
    def plain(each: Told) -> Told:
        return replace(
            each, entries=tuple(sorted(each.entries, key=lambda e: e.label)),
            drawn=tuple(sorted(each.drawn)), now=tuple(sorted(each.now)),
        )  # fmt: skip

    return plain(one) == plain(other)


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("drawn", [True, False])
def test_a_file_that_is_read_again_tells_the_same_and_holds(names: bool, drawn: bool) -> None:
    before = told(names=names, drawn=drawn)
    read = file.read(file.to_json(before))
    assert same(read, before)
    assert all(each.holds for each in file.checks(read))
    assert len(file.checks(read)) == 1 + 2 * names + 3 * drawn


def test_the_file_for_everybody_names_no_school() -> None:
    text = file.to_json(told(names=False))
    assert KEY not in text
    assert not any(f'"S{n}"' in text for n in range(12))


def change(path: str, value: Any) -> str:
    data = json.loads(file.to_json(told()))
    at, *more = path.split("/")[::-1]
    inner: Any = data
    for step in more[::-1]:
        inner = inner[int(step) if isinstance(inner, list) else step]
    inner[at] = value
    return json.dumps(data)


def failing(text: str) -> str:
    return " ".join(each.what for each in file.checks(file.read(text)) if not each.holds)


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("rules/places", 5, "list of schools"),
        ("disclosed/seed", "a2" * 32, "seed is the one"),
        ("disclosed/beacon", "b3" * 32, "Drawn again"),
        ("entries/0/waited", True, "list of schools"),
        ("entries/0/stratum", "West", "list of schools"),
        ("entries/0/out", True, "Drawn again|let go"),
        ("result/drawn", ["x"], "Drawn again"),
        ("result/now", [], "let go"),
        ("names/labels_key", "c4" * 32, "key of the numbers"),
        ("fixed before/labels_hash", "d4" * 32, "list of schools"),
    ],
)
def test_whatever_is_changed_in_a_file_shows(path: str, value: Any, what: str) -> None:
    found = failing(change(path, value))
    # A school that is marked as closed changes the draw only where it had been drawn: take one.
    if path == "entries/0/out":
        data = json.loads(file.to_json(told()))
        won = set(data["result"]["drawn"])
        for each in data["entries"]:
            each["out"] = each["label"] in won
        found = failing(json.dumps(data))
    assert any(each in found for each in what.split("|")), found


def test_a_school_with_another_ones_number_shows() -> None:
    data = json.loads(file.to_json(told()))
    first, second, *_rest = data["names"]["codes"]
    codes = data["names"]["codes"]
    codes[first], codes[second] = codes[second], codes[first]
    assert "number that its code gives" in failing(json.dumps(data))


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", "not json", "[" * 100_000,
        change("rules/version", "0"), change("rules/places", 0), change("rules/places", "4"),
        change("rules/places", True), change("entries", None), change("entries/0/out", "no"),
        change("fixed before/seed_hash", "short"), change("disclosed/seed", 5),
        change("result/drawn", "all"), change("format", "brightspots-ballot-1"),
    ],
)  # fmt: skip
def test_what_is_no_lottery_is_told_so_and_is_no_crash(text: str) -> None:
    with pytest.raises(NotALotteryError):
        file.read(text)


# The command


def run(*arguments: str) -> Any:
    import typer

    app = typer.Typer()
    app.command("lottery")(command.command)
    return CliRunner().invoke(app, list(arguments))


def kept(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_command_says_that_everything_holds(tmp_path: Path) -> None:
    done = run("verify", kept(tmp_path / "a.json", file.to_json(told())))
    assert done.exit_code == 0, done.output
    assert "Everything holds. 4 schools have a place" in done.output
    assert "DOES NOT" not in done.output
    assert "  S" in done.output, "a file with names is told with codes"


def test_the_command_finds_what_was_changed(tmp_path: Path) -> None:
    done = run("verify", kept(tmp_path / "a.json", change("disclosed/seed", "a2" * 32)))
    assert done.exit_code == 1
    assert "DOES NOT HOLD: The seed is the one" in done.output
    assert "not drawn as it says" in done.output


def test_before_the_draw_the_command_says_to_keep_the_file(tmp_path: Path) -> None:
    done = run("verify", kept(tmp_path / "a.json", file.to_json(told(drawn=False))))
    assert done.exit_code == 0, done.output
    assert "not drawn yet" in done.output


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"{}"])
def test_a_file_that_is_none_gets_a_clear_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    done = run("verify", str(tmp_path / "a.json"))
    assert isinstance(done.exception, InputError)
    assert "no lottery that can be checked" in str(done.exception)


def test_a_file_that_is_not_there_gets_a_clear_line(tmp_path: Path) -> None:
    assert isinstance(run("verify", str(tmp_path / "none.json")).exception, InputError)
