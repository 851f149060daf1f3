"""`brightspots power`: what an evaluation could detect, before it begins."""

from __future__ import annotations

import json
from typing import Annotated

import typer

HELP = """Say what an evaluation could detect with so many schools, before it begins.

The answer is the minimum detectable effect in SD of pupils: a true effect of that size is found
with the power asked for. Schools are supported as a whole, so their number counts, not the pupils'.
With --effect it says the chance to find that effect and how many schools it would need.
"""


def command(
    schools: Annotated[
        int, typer.Option("--schools", help="In all; partnerships, if they are allocated whole.")
    ],
    share: Annotated[float, typer.Option("--share", help="Share supported, 0 to 1.")] = 0.5,
    pupils: Annotated[
        float, typer.Option("--pupils", help="Pupils tested a school and period.")
    ] = 30.0,
    icc: Annotated[
        float, typer.Option("--icc", help="Share of pupils' variance between schools.")
    ] = 0.15,
    r2: Annotated[
        float,
        typer.Option("--r2", help="Share of the variance between schools that covariates explain."),
    ] = 0.0,
    r2_pupil: Annotated[float, typer.Option("--r2-pupil", help="The same within schools.")] = 0.0,
    covariates: Annotated[
        int, typer.Option("--covariates", help="How many covariates of schools there are.")
    ] = 0,
    pre_periods: Annotated[
        int, typer.Option("--pre-periods", help="Periods measured before the support.")
    ] = 0,
    post_periods: Annotated[
        int, typer.Option("--post-periods", help="Periods measured with the support.")
    ] = 1,
    stability: Annotated[
        float,
        typer.Option("--stability", help="Correlation of a school's effect between two periods."),
    ] = 0.7,
    difference: Annotated[
        bool,
        typer.Option(
            "--difference", help="Difference-in-differences, not adjustment for the past."
        ),
    ] = False,
    alpha: Annotated[float, typer.Option("--alpha", help="Two-sided level of the test.")] = 0.05,
    power: Annotated[float, typer.Option("--power", help="Chance to find the effect.")] = 0.8,
    effect: Annotated[
        float | None, typer.Option("--effect", help="An effect hoped for, SD of pupils.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    from brightspots.evidence.effect_sizes import months_of_progress, percentile_gain
    from brightspots.evidence.power import PowerDesign, detectable_effect, power_of, schools_needed

    design = PowerDesign(
        schools=schools, share=share, pupils=pupils, icc=icc, r2_school=r2, r2_pupil=r2_pupil,
        covariates=covariates, pre_periods=pre_periods, post_periods=post_periods,
        stability=stability, adjust=not difference, alpha=alpha, power=power,
    )  # fmt: skip
    found = detectable_effect(design)
    chance = needed = None
    if effect is not None:
        needed = schools_needed(design, effect)
        chance = power_of(design, effect)
    months = months_of_progress(found.detectable)
    gain = percentile_gain(found.detectable)
    if as_json:
        answer = found.as_dict() | {
            "unit": "SD of pupils", "months": months, "percentile_gain": gain, "effect": effect,
            "power_of_effect": chance, "schools_needed": needed,
        }  # fmt: skip
        typer.echo(json.dumps(answer, indent=2))
        return
    typer.echo(
        f"{schools:,} schools ({share:.0%} supported) can detect an effect of"
        f" {found.detectable:.3f} SD of pupils or more, with {power:.0%} power: about {months}"
        f" months of progress, {gain:.1f} percentile points."
    )
    if chance is not None and needed is not None:
        typer.echo(
            f"A true effect of {effect:g} SD would be found with a chance of {chance:.0%};"
            f" for {power:.0%} it takes {needed:,} schools."
        )


command.__doc__ = HELP
