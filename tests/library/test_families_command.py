"""`brightspots families`: its files, balance in words, and one clear line for bad input."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from brightspots.core.errors import InputError
from brightspots_cli.families import command

app = typer.Typer()
app.command()(command)
HEADER = "school,poverty,roll,language,phase\n"
GOOD = HEADER + "".join(
    f"{i:03d},{i * 7 % 40},{100 + i * 13 % 90},{'en' if i % 3 else 'sw'},{'ps'[i % 2]}\n"
    for i in range(60)
)


def run(file: Path, out: Path, *more: str) -> str:
    result = CliRunner().invoke(app, [str(file), "--out", str(out), *more], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_three_files_in_agreement_with_each_other(tmp_path: Path) -> None:
    file, out = tmp_path / "schools.csv", tmp_path / "deep" / "out"
    file.write_text(GOOD)
    said = run(file, out, "--context", "poverty, roll,language", "--match", "phase", "--k", "7")
    assert sorted(path.name for path in out.iterdir()) == [
        "balance.csv", "families.csv", "summary.json",
    ]  # fmt: skip
    families = pl.read_csv(out / "families.csv", infer_schema_length=0)
    assert families.columns == ["school", "member", "rank", "distance"]
    assert families.height == 60 * 7
    assert (families["school"].cast(int) % 2 == families["member"].cast(int) % 2).all()
    assert families["school"][0] == "000"  # zeros stay
    # Balance by hand for one school: its poverty minus its family's, in SD over all schools.
    schools = pl.read_csv(file, schema_overrides={"school": pl.String})
    poverty = dict(schools.select("school", "poverty").iter_rows())
    members = families.filter(pl.col("school") == "011")["member"].to_list()
    mean = sum(poverty[m] for m in members) / 7
    expected = (poverty["011"] - mean) / schools["poverty"].to_numpy().std()
    balance = pl.read_csv(out / "balance.csv", schema_overrides={"school": pl.String})
    found = balance.filter((pl.col("school") == "011") & (pl.col("variable") == "poverty"))
    assert found["difference"].item() == pytest.approx(expected)
    summary = json.loads((out / "summary.json").read_text())
    by_variable = {each["variable"]: each for each in summary["balance"]}
    far = balance.filter(pl.col("variable") == "roll")["difference"].abs() > 0.25
    assert by_variable["roll"]["schools_far"] == far.sum()
    assert by_variable["language"]["is_factor"]
    assert f"For {far.sum()} schools they lie more than 0.25 SD away" in said
    assert "of the school's own kind" in said
    assert summary["settings"]["match"] == ["phase"]


def test_order_of_rows_format_and_decimal_commas_change_nothing(tmp_path: Path) -> None:
    frame = pl.read_csv(GOOD.encode(), schema_overrides={"school": pl.String}).with_columns(
        poverty=pl.col("poverty") + 0.5
    )
    frame.sample(fraction=1, shuffle=True, seed=3).write_parquet(tmp_path / "a.parquet")
    commas = frame.with_columns(
        pl.col("poverty").cast(pl.String).str.replace(".", ",", literal=True)
    )
    commas.write_csv(tmp_path / "b.csv", separator=";")
    written = []
    for name in ("a.parquet", "b.csv"):
        run(tmp_path / name, tmp_path / name[0], "--context", "poverty,roll", "--k", "5")
        written.append((tmp_path / name[0] / "families.csv").read_bytes())
    assert written[0] == written[1]


def test_codes_for_missing_are_not_levels_and_a_school_with_nothing_known_is_named(
    tmp_path: Path,
) -> None:
    file = tmp_path / "schools.csv"
    file.write_text("code,poverty,kind\na,1,x\nb,2,x\nc,SUPP,y\nd,4,NA\ne,,\n")
    said = run(file, tmp_path, "--context", "poverty,kind", "--school", "code", "--k", "2")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["without_family"] == ["e"]
    assert "1 have no family" in said


def test_logarithms_and_numbers_that_are_names(tmp_path: Path) -> None:
    file = tmp_path / "schools.csv"
    file.write_text("school,roll,region\na,10,1\nb,100,2\nc,190,3\n")
    run(file, tmp_path, "--context", "roll", "--k", "1")
    nearest = pl.read_csv(tmp_path / "families.csv")
    assert nearest.filter(pl.col("school") == "b")["member"].item() == "a"  # a tie, by code
    run(file, tmp_path, "--context", "roll", "--log", "roll", "--k", "1")
    nearest = pl.read_csv(tmp_path / "families.csv")
    assert nearest.filter(pl.col("school") == "b")["member"].item() == "c"
    run(file, tmp_path, "--context", "region", "--factor", "region", "--k", "2")
    # Three regions: all equally far, whatever their numbers.
    assert pl.read_csv(tmp_path / "families.csv")["distance"].to_list() == pytest.approx([1.0] * 6)


BAD = {
    "unknown column": (GOOD, ("--context", "Poverty"), 'Did you mean "poverty"?'),
    "unknown match": (GOOD, ("--context", "poverty", "--match", "kind"), 'column "kind"'),
    "no context": (GOOD, ("--context", " , "), "at least one context column"),
    "no such school column": (GOOD, ("--context", "roll", "--school", "id"), 'column "id"'),
    "school twice": (GOOD + "003,1,2,en,p\n", ("--context", "roll"), "row 62"),
    "no code": (GOOD + ",1,2,en,p\n", ("--context", "roll"), "no code"),
    "mixed": (GOOD + "090,many,2,en,p\n", ("--context", "poverty"), 'row 62, column "poverty"'),
    "constant": (
        "school,x\na,1\nb,1\nc,1\n",
        ("--context", "x"),
        'Every school has "1" here',
    ),
    "all missing": ("school,x\na,\nb,NA\n", ("--context", "x"), "holds no value at all"),
    "one school": ("school,x,y\na,1,2\n", ("--context", "x"), "here"),
    "log of zero": (
        "school,x\na,0\nb,5\nc,7\n",
        ("--context", "x", "--log", "x"),
        'row 2, column "x"',
    ),
    "log of words": (GOOD, ("--context", "language", "--log", "language"), "no logarithm"),
    "log of another": (GOOD, ("--context", "roll", "--log", "poverty"), "Name it in --context"),
    "named twice": (GOOD, ("--context", "roll,roll"), "named twice"),
    "k": (GOOD, ("--context", "roll", "--k", "0"), "Use k from 1"),
    "school as context": (GOOD, ("--context", "school"), "no circumstance"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_message_and_leaves_the_results_before_it(
    case: str, tmp_path: Path
) -> None:
    text, arguments, words = BAD[case]
    file, out = tmp_path / "schools.csv", tmp_path / "out"
    file.write_text(GOOD)
    run(file, out, "--context", "roll")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(app, [str(file), "--out", str(out), *arguments], catch_exceptions=False)
    assert words in str(caught.value)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_column_of_names_is_no_context(tmp_path: Path) -> None:
    file = tmp_path / "schools.csv"
    file.write_text("school,head\n" + "".join(f"{i},head {i}\n" for i in range(150)))
    with pytest.raises(InputError, match="Is it a name or a code"):
        CliRunner().invoke(
            app, [str(file), "--context", "head", "--out", str(tmp_path)], catch_exceptions=False
        )


@pytest.mark.real_data
def test_schools_of_two_english_counties_with_percent_signs_and_codes_as_published(
    real_data: Path, tmp_path: Path
) -> None:
    panel = real_data / "england" / "ks2_panel_hampshire_surrey_2016_17_to_2018_19.csv.gz"
    text = pl.read_csv(panel, infer_schema_length=0)
    latest = text.filter((pl.col("academic_year") == "2018/19") & (pl.col("RECTYPE") == "1"))
    latest.write_csv(tmp_path / "schools.csv")
    said = run(
        tmp_path / "schools.csv",
        tmp_path,
        *("--school", "URN", "--context", "TKS1AVERAGE,PTFSM6CLA1A,PTEALGRP2,TELIG"),
        *("--log", "TELIG", "--k", "50"),
    )
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["n_schools"] == latest.height
    balance = {each["variable"]: each for each in summary["balance"]}
    # Random families of 50 would lie .8 SD away on average (the mean absolute deviation).
    assert all(each["mean_absolute_difference"] < 0.4 for each in balance.values()), said
