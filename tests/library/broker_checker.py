"""Constraints of brokering, checked from the tables themselves: shares no code with the library."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import polars as pl

PRIORITIES = ("early reading", "maths", "attendance")


def km(a: dict[str, Any], b: dict[str, Any]) -> float | None:
    """Great-circle distance by the spherical law of cosines."""
    if any(side[c] is None for side in (a, b) for c in ("latitude", "longitude")):
        return None
    p, q = math.radians(a["latitude"]), math.radians(b["latitude"])
    turn = math.radians(a["longitude"] - b["longitude"])
    cosine = math.sin(p) * math.sin(q) + math.cos(p) * math.cos(q) * math.cos(turn)
    return 6371.0088 * math.acos(min(1.0, max(-1.0, cosine)))


def values(text: str | None) -> set[str]:
    return {part.strip().lower() for part in (text or "").split(";")} - {""}


def may_be(
    request: dict[str, Any], offer: dict[str, Any], asked: set[tuple[str, str]], max_km: float
) -> bool:
    """Whether the pair is permitted under the default settings."""
    if request["priority"] not in values(offer["priority"]) and offer["priority"] != "all":
        return False
    if request["school"] == offer["school"]:
        return False
    if (offer["school"], request["priority"]) in asked:
        return False
    if offer.get("places") == 0 or (offer.get("days") or 1e9) < (request.get("days") or 5):
        return False
    away = km(request, offer)
    if away is None:
        return request["area"] is not None and request["area"] == offer["area"]
    return away <= max_km + 1e-6


def costs(
    requests: pl.DataFrame, offers: pl.DataFrame, max_km: float, gains: bool = False
) -> np.ndarray[Any, Any]:
    """Cost of each pair in km, infinite where it is not permitted; no track records."""
    asks, gives = requests.to_dicts(), offers.to_dicts()
    asked = {(a["school"], a["priority"]) for a in asks}
    strength = offers["strength"].rank("average").to_numpy()
    rank = (strength - 1) / (len(gives) - 1) if len(gives) > 1 else np.array([0.5])
    found = np.full((len(asks), len(gives)), np.inf)
    for i, a in enumerate(asks):
        for j, b in enumerate(gives):
            if not may_be(a, b, asked, max_km):
                continue
            away = km(a, b)
            like = (
                0.5 if not a["family"] or not b["family"]
                else float(bool(values(a["family"]) & {*values(b["family"]), b["school"].lower()}))
            )  # fmt: skip
            speak = (
                0.5 if not a["language"] or not b["languages"]
                else float(bool(values(a["language"]) & values(b["languages"])))
            )  # fmt: skip
            found[i, j] = (
                (max_km / 2 if away is None else away)
                + 6 * (1 - like) + 15 * (1 - speak) + 8 * (1 - rank[j])
            )  # fmt: skip
    return found


def check(requests: pl.DataFrame, offers: pl.DataFrame, result: Any, max_km: float = 25.0) -> None:
    """Assert everything that must hold of any answer."""
    asks = {row["request"]: row for row in requests.to_dicts()}
    gives = {row["offer"]: row for row in offers.to_dicts()}
    asked = {(row["school"], row["priority"]) for row in asks.values()}
    matched = result.matches["request"].to_list()
    assert len(set(matched)) == len(matched), "a request is matched twice"
    out = result.unmatched["request"].to_list()
    assert sorted(matched + out) == sorted(asks), "every request is matched or listed once"
    assert (result.unmatched["reason"].str.len_chars() > 10).all()
    used: Counter[str] = Counter()
    days: Counter[str] = Counter()
    for code, offer, distance in result.matches.select("request", "offer", "distance_km").rows():
        assert may_be(asks[code], gives[offer], asked, max_km), (code, offer)
        away = km(asks[code], gives[offer])
        assert (away is None) == (distance is None)
        if away is not None:
            assert abs(away - distance) < 0.01
        used[offer] += 1
        days[offer] += asks[code].get("days") or 5
    for offer, n in used.items():
        places, most = gives[offer].get("places"), gives[offer].get("days")
        assert places is None or n <= places, f"{offer} is overfull"
        assert most is None or days[offer] <= most + 1e-6, f"{offer} gives more days than it has"
    for code, rank, offer, more in result.shortlists.select(
        "request", "rank", "offer", "more_than_best"
    ).rows():
        assert may_be(asks[code], gives[offer], asked, max_km)
        assert 1 <= rank <= 3
        assert more >= 0
    for area, n, unmet in result.by_area.select("area", "requests", "unmatched").rows():
        here = [code for code, row in asks.items() if (row["area"] or "") == area]
        assert n == len(here)
        assert unmet == len(set(here) & set(out))


def town(
    n: int, m: int, seed: int, *, days: bool = False, unplaced: float = 0.1, width: float = 0.4
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return invented requests and offers around one point; some schools do both."""
    rng = np.random.default_rng(seed)

    def side(kind: str, size: int) -> dict[str, Any]:
        away = rng.random(size) < unplaced
        place = rng.uniform(0, width, (size, 2))
        return {
            kind: [f"{kind[0].upper()}{at:04d}" for at in range(size)],
            "school": [f"S{at:04d}" for at in rng.integers(0, n + m, size)],
            "latitude": pl.Series(np.where(away, np.nan, place[:, 0] - 1.5)).fill_nan(None),
            "longitude": pl.Series(np.where(away, np.nan, place[:, 1] + 30)).fill_nan(None),
            "family": rng.choice(["north", "south", "hills", ""], size).tolist(),
            "area": [["east", "west", None][k] for k in rng.integers(0, 3, size)],
        }

    languages = ["en", "sw", "en;sw", ""]
    requests = pl.DataFrame({
        **side("request", n),
        "priority": rng.choice(PRIORITIES, n).tolist(),
        "language": rng.choice(languages, n).tolist(),
    })  # fmt: skip
    offers = pl.DataFrame({
        **side("offer", m),
        "priority": [
            "all" if rng.random() < 0.2 else ";".join(sorted({*rng.choice(PRIORITIES, 2).tolist()}))
            for _ in range(m)
        ],
        "languages": rng.choice(languages, m).tolist(),
        "strength": rng.normal(size=m),
        "places": rng.integers(0, 4, m),
    })  # fmt: skip
    if days:
        requests = requests.with_columns(days=pl.Series(rng.choice([2.0, 3.5, 5.0], n)))
        offers = offers.with_columns(days=pl.Series(rng.choice([4.0, 7.0, 12.0], m)))
    return requests, offers
