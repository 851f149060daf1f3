"""Which school took over from which, from lists that name each link from either side or both."""

from __future__ import annotations

import polars as pl

LINK_SCHEMA = {
    "row": pl.Int64,
    "predecessor": pl.String,
    "successor": pl.String,
    "kind": pl.String,
    "on": pl.Date,
}
_AFTER = r"successor|succeeded|replaced by|closed into|taken over by"
_BEFORE = r"predecessor|succeeds|replaces|took over"


def directed(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Turn links as they are listed into links from predecessor to successor, each once.

    A list such as that of England (GIAS) has a row for each school of a link: "Successor" in the
    row of the school that closed, "Predecessor" in that of the one that carries on.

    Parameters
    ----------
    rows : polars.DataFrame, shape (n, 5)
        `row` (integer), `school`, `other` (codes), `link` (what the other school is to the
        school, in words), and, where the list has it, `on` (date).

    Returns
    -------
    links : polars.DataFrame, shape (m, 5)
        Columns of ``LINK_SCHEMA``, by code of predecessor and successor. `kind` is "merged",
        "split" or "successor"; of two rows on one link the more telling kind and the known, and
        then the earlier, date are kept.
    unusable : polars.Series of bool, shape (n,)
        Rows whose words say neither before nor after (a sixth form centre; England's "Result of
        Amalgamation" stands on both sides), that link a school to itself, or that contradict
        another row: each of two schools before the other.
    """
    said = pl.col("link").fill_null("").str.to_lowercase()
    after, before = said.str.contains(_AFTER), said.str.contains(_BEFORE)
    on = pl.col("on") if "on" in rows.columns else pl.lit(None, dtype=pl.Date)
    kind = (
        pl.when(said.str.contains("merge|amalgam"))
        .then(pl.lit("merged"))
        .when(said.str.contains("split|divid"))
        .then(pl.lit("split"))
        .otherwise(pl.lit("successor"))
    )
    marked = rows.select(
        pl.col("row").cast(pl.Int64),
        pl.when(after).then("school").otherwise("other").alias("predecessor"),
        pl.when(after).then("other").otherwise("school").alias("successor"),
        kind.alias("kind"),
        on.cast(pl.Date).alias("on"),
        (~(after ^ before) | (pl.col("school") == pl.col("other"))).alias("unusable"),
    )
    turned = marked.filter(~pl.col("unusable")).select(
        pl.col("successor").alias("predecessor"), pl.col("predecessor").alias("successor")
    )
    against = marked.join(
        turned.unique().with_columns(against=True),
        on=["predecessor", "successor"],
        how="left",
        maintain_order="left",
    )["against"].fill_null(False)
    marked = marked.with_columns(pl.col("unusable") | against)
    links = (
        marked.filter(~pl.col("unusable"))
        .sort("predecessor", "successor", pl.col("kind") == "successor", "on", "row",
              nulls_last=True)
        .group_by("predecessor", "successor", maintain_order=True)
        .agg(pl.col("row").min(), pl.col("kind").first(), pl.col("on").min())
    )  # fmt: skip
    return links.select(*LINK_SCHEMA), marked["unusable"]
