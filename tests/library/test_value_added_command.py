"""`brightspots value-added`: its files, and one clear line for whatever is wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from brightspots.core.errors import InputError
from brightspots_cli.value_added import command

app = typer.Typer()
app.command()(command)
FORMULA = "score ~ prior + (1 | school)"
ROWS = "".join(f"{i % 5:03d},{i * 7 % 11},{i * 5 % 13 + i % 5}\n" for i in range(60))
GOOD = "school,prior,score\n" + ROWS


def run(file: Path, out: Path, formula: str = FORMULA) -> None:
    result = CliRunner().invoke(
        app, [str(file), "--formula", formula, "--out", str(out)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output


def test_the_four_files_hold_what_the_contract_says(tmp_path: Path) -> None:
    file, out = tmp_path / "pupils.csv", tmp_path / "deep" / "out"
    file.write_text(GOOD + "001,NA,3\n")
    run(file, out)
    assert sorted(path.name for path in out.iterdir()) == [
        "fixed_effects.csv",
        "school_effects.csv",
        "summary.json",
        "variance_components.csv",
    ]
    fixed = pl.read_csv(out / "fixed_effects.csv")
    assert fixed.columns == ["term", "estimate", "se"]
    assert fixed["term"].to_list() == ["(Intercept)", "prior"]
    variances = pl.read_csv(out / "variance_components.csv")
    assert variances.columns == ["group", "term1", "term2", "variance"]
    assert variances["group"].to_list() == ["school", "Residual"]
    effects = pl.read_csv(out / "school_effects.csv", schema_overrides={"school": pl.String})
    assert effects.columns == [
        *("school", "n", "estimate", "cond_sd", "se_comparative", "se_diagnostic"),
        *("lower", "upper", "reliability"),
    ]
    assert effects["school"].to_list() == ["000", "001", "002", "003", "004"]
    np.testing.assert_allclose(
        effects["upper"] - effects["lower"], 2 * 1.959964 * effects["se_comparative"], rtol=1e-6
    )
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["n_pupils"], summary["n_schools"], summary["n_dropped"]) == (60, 5, 1)
    assert set(summary) >= {"reml_criterion", "icc", "singular", "method_version", "input_hash"}
    assert summary["settings"]["formula"] == FORMULA
    assert set(summary["seconds"]) >= {"scan", "fit", "write"}


def rich(path: Path) -> None:
    """Schools in districts, with a number and a weight."""
    draw = np.random.default_rng(3)
    school = np.repeat(np.arange(12), 9)
    x = draw.normal(size=len(school))
    score = draw.normal(0, 1, 12)[school] + draw.normal(0, 0.5, 12)[school] * x
    pl.DataFrame(
        {
            "my school": [f"{j:03d}" for j in school],
            "local.area": [f"a{j % 4}" for j in school],
            "prior score": x,
            "weight": draw.uniform(0.5, 2, len(school)),
            "score": score + draw.normal(size=len(school)),
        }
    ).write_csv(path)


def test_with_slopes_and_several_groupings_every_effect_is_written(tmp_path: Path) -> None:
    file, out = tmp_path / "pupils.csv", tmp_path / "out"
    rich(file)
    run(file, out, "score ~ `prior score` + (`prior score` | local.area/`my school`)")
    effects = pl.read_csv(out / "effects.csv")
    assert effects.columns == [
        *("group", "level", "term", "n", "estimate", "cond_sd", "se_comparative"),
        *("se_diagnostic", "lower", "upper", "reliability"),
    ]
    assert effects["group"].unique(maintain_order=True).to_list() == [
        "my school:local.area",
        "local.area",
    ]
    assert effects["term"].unique(maintain_order=True).to_list() == ["(Intercept)", "prior score"]
    assert effects["level"][0] == "000:a0"
    assert effects.height == 2 * (12 + 4)
    schools = pl.read_csv(out / "school_effects.csv", schema_overrides={"school": pl.String})
    assert schools["school"].to_list() == [f"{j:03d}" for j in range(12)]
    own = effects.filter(pl.col("group") == "my school:local.area", pl.col("term") == "(Intercept)")
    assert sorted(own["estimate"]) == sorted(schools["estimate"])
    variances = pl.read_csv(out / "variance_components.csv")
    assert variances.rows()[2][:3] == ("my school:local.area", "(Intercept)", "prior score")
    summary = json.loads((out / "summary.json").read_text())
    assert summary["groups"] == {"my school:local.area": 12, "local.area": 4}
    assert summary["icc"] == summary["shares"]["my school:local.area"]

    run(file, out, "score ~ `prior score` + (1 | `my school`)")
    assert not (out / "effects.csv").exists()  # that of the model before would be misread


def test_weights_ml_and_robust_errors_are_options(tmp_path: Path) -> None:
    file = tmp_path / "pupils.csv"
    rich(file)
    formula = "score ~ `prior score` + (1 | `my school`)"
    for name, options in {"plain": [], "all": ["--weights", "weight", "--ml", "--robust"]}.items():
        result = CliRunner().invoke(
            app, [str(file), "--formula", formula, "--out", str(tmp_path / name), *options]
        )
        assert result.exit_code == 0, result.output
    plain = pl.read_csv(tmp_path / "plain" / "fixed_effects.csv")
    other = pl.read_csv(tmp_path / "all" / "fixed_effects.csv")
    assert other.columns == [*plain.columns, "se_robust"]
    assert (other["se_robust"] > 0).all()
    assert (other["estimate"] != plain["estimate"]).all()
    summary = json.loads((tmp_path / "all" / "summary.json").read_text())
    assert summary["criterion"] == "ML"
    assert summary["settings"]["weights"] == "weight"


def test_running_twice_gives_the_same_bytes_and_leaves_other_files_alone(tmp_path: Path) -> None:
    file, out = tmp_path / "pupils.csv", tmp_path / "out"
    file.write_text(GOOD)
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    run(file, out)
    tables = ("fixed_effects.csv", "variance_components.csv", "school_effects.csv")
    first = [(out / name).read_bytes() for name in tables]
    run(file, out)
    assert [(out / name).read_bytes() for name in tables] == first
    assert (out / "notes.txt").read_text() == "mine"


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "The file is empty"),
    "header alone": (b"school,prior,score\n", "no rows under the header"),
    "missing column": (b"school,Prior,score\na,1,2\n", 'Did you mean "Prior"?'),
    "a word among numbers": (
        GOOD.replace("002,3,", "002,three,", 1).encode(),
        'row 4, column "prior": "three" is not a number',
    ),
    "words as outcome": (b"school,prior,score\na,1,good\nb,2,bad\n", "the outcome needs one"),
    "decimal commas": (
        b"school;prior;score\na;1;2\na;2;3,5\nb;1;4\nb;5;7\n",
        "point instead of a comma",
    ),
    "one school": (b"school,prior,score\na,1,2\na,2,4\na,3,3\na,5,5\n", "one group"),
    "a row too short": (GOOD.encode() + b"001,2\n" + ROWS.encode(), "row 62"),
    "a quote left open": (GOOD.encode() + b'"001,2,3\n' + ROWS.encode(), "row 62"),
    "cut gzip": (gzip.compress(GOOD.encode() * 50)[:-60], "cannot be unpacked"),
    "binary": (bytes(range(256)) * 40, "not a text file"),
    "half a Parquet file": (b"PAR1" + b"\x15" * 300, "cannot be read"),
    "two columns of one name": (b"school,score,score\na,1,2\n", "same name"),
    "infinite": (GOOD.encode() + b"001,inf,3\n", '"inf" is not a number'),
    "no text in any encoding": (b"school,prior,score\n\x81\x8d,1,2\n", "neither UTF-8"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line_and_writes_nothing(tmp_path: Path, case: str) -> None:
    content, words = BAD[case]
    file = tmp_path / "pupils.csv"
    file.write_bytes(content)
    with pytest.raises(InputError) as refused:
        run(file, tmp_path / "out")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(file) in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        run(tmp_path / "nowhere.csv", tmp_path / "out")


def test_a_file_where_the_folder_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "pupils.csv").write_text(GOOD)
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        run(tmp_path / "pupils.csv", tmp_path / "out")
