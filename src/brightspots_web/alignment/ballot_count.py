"""Counting a ranked ballot for several seats, exactly: anyone may do it again, without Django.

The method is the single transferable vote as counted in Scotland: the weighted inclusive Gregory
method of rules 45 to 52 of the Scottish Local Government Elections Order 2007 (SSI 2007/42),
schedule 1. It departs from the order in three points:

* Transfer values are exact fractions. The order cuts them off after five places, for counting by
  hand.
* A paper has the weight of its tier: it counts as that many papers.
* A lot is drawn from a number that is known before anybody votes, see :func:`lots`.

A choice that was withdrawn is passed over on every paper: the next one moves up. A paper on which
nothing is left is counted as such and does not raise the quota. Where nobody ranked anything,
nothing is chosen.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256

METHOD = "Scottish STV (weighted inclusive Gregory method), in exact fractions"
VERSION = "1"

Totals = dict[int, Fraction]
Ranking = tuple[int, ...]


@dataclass(frozen=True)
class Choice:
    """One of the things to choose from: its number, what it is called, whether it still stands."""

    key: int
    title: str
    withdrawn: bool = False


@dataclass(frozen=True)
class Rules:
    """What has to be known besides the papers. `choices` stand in the order of the paper."""

    seats: int
    choices: tuple[Choice, ...]
    weights: Mapping[str, int]
    seed: int

    @property
    def standing(self) -> tuple[int, ...]:
        return tuple(each.key for each in self.choices if not each.withdrawn)


@dataclass(frozen=True)
class Papers:
    """So many papers of a tier that rank the same; an empty ranking is an abstention."""

    tier: str
    ranking: Ranking
    count: int = 1


@dataclass(frozen=True)
class Stage:
    """What happened in one round, and where every choice stood at its end."""

    what: str
    """`first` (first choices), `surplus` (passed on from a chosen one) or `excluded`."""
    who: int | None
    """Whose votes were passed on; None in the first round."""
    moved: Totals
    """To whom, and how many votes."""
    totals: Totals
    no_further: Fraction
    """Votes whose papers name nobody further, so far."""
    chosen: tuple[int, ...]
    """Who was chosen at the end of the round, the one with most votes first."""
    tie: str = ""
    """`earlier` or `lot` where two stood level and one had to go first."""
    last: bool = False
    """Chosen because no more were left than seats."""


@dataclass(frozen=True)
class Counted:
    """The whole count."""

    chosen: tuple[int, ...]
    quota: int
    votes: Fraction
    """All votes on papers that rank something that stands, with their weights."""
    stages: tuple[Stage, ...]
    papers: Mapping[str, int]
    """Tier -> papers cast, abstentions among them."""
    abstained: Mapping[str, int]
    nothing_left: Mapping[str, int]
    """Tier -> papers that rank withdrawn choices alone."""


def lots(seed: int, keys: Iterable[int], purpose: str) -> list[int]:
    """Draw the order of some choices from a number, the same on every machine.

    The order is that of the SHA-256 digests of `seed/purpose/key`, in hexadecimal. Purposes are
    `paper` for the order on the paper and `tie` for lots.
    """
    return sorted(keys, key=lambda key: sha256(f"{seed}/{purpose}/{key}".encode()).hexdigest())


def seed_of(cycle: str, keys: Iterable[int]) -> int:
    """The number for a ballot: it follows from the cycle's name and the keys of the proposals.

    Nobody chooses it and nobody can draw again: whoever knows what is on the table works it out.
    The first ten hexadecimal digits of the SHA-256 digest of `cycle:key,key,…`, keys in order.
    """
    words = f"{cycle}:{','.join(map(str, sorted(keys)))}"
    return int(sha256(words.encode()).hexdigest()[:10], 16)


def count(rules: Rules, papers: Iterable[Papers]) -> Counted:
    """Count the papers by the rules.

    Raises
    ------
    ValueError
        A paper ranks something that is no choice, or one thing twice, or its tier has no weight.
    """
    given = list(papers)
    _check(rules, given)
    standing = rules.standing
    values: Counter[Ranking] = Counter()
    per_tier: dict[str, Counter[str]] = {name: Counter() for name in ("all", "none", "gone")}
    for each in given:
        per_tier["all"][each.tier] += each.count
        ranking = tuple(key for key in each.ranking if key in standing)
        if ranking:
            values[ranking] += each.count * rules.weights[each.tier]
        else:
            per_tier["gone" if each.ranking else "none"][each.tier] += each.count
    urn = _Urn(rules, values)
    urn.count()
    return Counted(
        chosen=tuple(urn.chosen),
        quota=urn.quota,
        votes=urn.votes,
        stages=tuple(urn.stages),
        papers=dict(per_tier["all"]),
        abstained=dict(per_tier["none"]),
        nothing_left=dict(per_tier["gone"]),
    )


def _check(rules: Rules, papers: Sequence[Papers]) -> None:
    keys = {each.key for each in rules.choices}
    if len(keys) < len(rules.choices):
        raise ValueError("two choices have the same key")
    if rules.seats < 1:
        raise ValueError("there must be a seat at least")
    for each in papers:
        if each.count < 0:
            raise ValueError(f"{each.count} papers is no number of papers")
        if rules.weights.get(each.tier, 0) < 1:
            raise ValueError(f"papers of “{each.tier}” have no weight")
        if not keys.issuperset(each.ranking):
            raise ValueError(f"{list(each.ranking)} ranks something that is no choice")
        if len(set(each.ranking)) < len(each.ranking):
            raise ValueError(f"{list(each.ranking)} ranks one choice twice")


@dataclass
class _Pile:
    """Papers lying with one choice: what they rank, and the value of them all."""

    papers: dict[Ranking, Fraction] = field(default_factory=dict)

    def add(self, ranking: Ranking, value: Fraction) -> None:
        self.papers[ranking] = self.papers.get(ranking, Fraction(0)) + value


class _Urn:
    """The papers on the table while they are counted. Numbers in brackets are the order's rules."""

    def __init__(self, rules: Rules, values: Mapping[Ranking, int]) -> None:
        keys = rules.standing
        self.votes = Fraction(sum(values.values()))
        self.seats = min(rules.seats, len(keys)) if self.votes else 0
        self.quota = int(self.votes) // (rules.seats + 1) + 1  # [46]
        self.order = lots(rules.seed, keys, "tie")
        self.standing = list(keys)
        self.chosen: list[int] = []
        self.waiting: list[int] = []
        """Chosen with more than the quota, whose surplus is not passed on yet."""
        self.piles = {key: _Pile() for key in keys}
        self.totals: Totals = dict.fromkeys(keys, Fraction(0))
        self.no_further = Fraction(0)
        self.stages: list[Stage] = []
        for ranking, value in sorted(values.items()):
            self._lay(ranking[0], ranking, Fraction(value))

    def count(self) -> None:
        self._close("first", None, dict(self.totals))  # [45]
        while len(self.chosen) < self.seats:
            if self.waiting:
                self._pass_on_surplus()
            else:
                self._exclude()

    def _pass_on_surplus(self) -> None:
        """Pass the largest surplus on: each paper goes on with a part of its value [48, 49]."""
        who, tie = self._one(self.waiting, most=True)
        self.waiting.remove(who)
        part = (self.totals[who] - self.quota) / self.totals[who]
        moved = self._pass_on(who, part)
        self.totals[who] = Fraction(self.quota)
        self._close("surplus", who, moved, tie)

    def _exclude(self) -> None:
        """Take out the choice with fewest votes; its papers go on at their value [50, 51]."""
        who, tie = self._one(self.standing, most=False)
        self.standing.remove(who)
        moved = self._pass_on(who, Fraction(1))
        self.totals[who] = Fraction(0)
        self._close("excluded", who, moved, tie)

    def _pass_on(self, who: int, part: Fraction) -> Totals:
        moved: Totals = {}
        for ranking, value in self.piles[who].papers.items():
            after = ranking[ranking.index(who) + 1 :]
            to = next((key for key in after if key in self.standing), None)
            if to is None:
                self.no_further += value * part
                continue
            self._lay(to, ranking, value * part)
            moved[to] = moved.get(to, Fraction(0)) + value * part
        self.piles[who] = _Pile()
        return moved

    def _lay(self, key: int, ranking: Ranking, value: Fraction) -> None:
        self.piles[key].add(ranking, value)
        self.totals[key] += value

    def _close(self, what: str, who: int | None, moved: Totals, tie: str = "") -> None:
        """End a round: who has the quota is chosen [47], and all left for the seats [52]."""
        reached = [key for key in self.standing if self.totals[key] >= self.quota]
        last = False
        if len(self.standing) <= self.seats - len(self.chosen):
            last = len(reached) < len(self.standing)
            reached = list(self.standing)
        elif self.seats == 0:
            reached = []
        newly = self._most_first(reached)
        for key in newly:
            self.standing.remove(key)
            if self.totals[key] > self.quota:
                self.waiting.append(key)
        self.chosen += newly
        self.stages.append(
            Stage(what, who, moved, dict(self.totals), self.no_further, tuple(newly), tie, last)
        )

    def _most_first(self, keys: Iterable[int]) -> list[int]:
        left, found = list(keys), []
        while left:
            best, _tie = self._one(left, most=True)
            left.remove(best)
            found.append(best)
        return found

    def _one(self, keys: Sequence[int], *, most: bool) -> tuple[int, str]:
        """The one with most or fewest votes, and how it was told from those level with it.

        The latest round in which they differed decides between them; where they were level all
        along, the lot: of those drawn first goes the one that comes first where most is asked for,
        and the one that comes last where fewest is.
        """
        pick = max if most else min
        level, tie = list(keys), ""
        for number, totals in enumerate(
            [self.totals, *(stage.totals for stage in reversed(self.stages))]
        ):
            wanted = pick(totals[key] for key in level)
            before = len(level)
            level = [key for key in level if totals[key] == wanted]
            if number and len(level) < before:
                tie = "earlier"
            if len(level) == 1:
                return level[0], tie
        drawn = [key for key in self.order if key in level]
        return (drawn[0] if most else drawn[-1]), "lot"
