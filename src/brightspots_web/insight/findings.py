"""What an analysis hands over to be written, and which tables hold it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from brightspots_web.insight.models import (
    AreaFigure,
    Estimate,
    Family,
    PartnershipFigure,
    Sensitivity,
    SpreadTrend,
    SubgroupFigure,
    Variance,
)

Rows = Sequence[Mapping[str, Any]]
TABLES: tuple[type[models.Model], ...] = (
    Estimate,
    Family,
    AreaFigure,
    Variance,
    SubgroupFigure,
    Sensitivity,
    PartnershipFigure,
    SpreadTrend,
)
"""Every table whose rows belong to a run: written, compared, exported and removed together."""


@dataclass(frozen=True)
class Findings:
    """What an analysis found: rows as mappings that fit the models, and how it came about.

    Rows name schools, areas and partnerships by key. The run is added when they are written.
    """

    method: str
    method_version: str
    input_hash: str
    settings: Mapping[str, Any]
    sources: Rows
    summary: Mapping[str, Any]
    estimates: Rows = field(repr=False)
    families: Rows = field(repr=False)
    area_figures: Rows = field(repr=False)
    variances: Rows = field(repr=False)
    subgroup_figures: Rows = field(repr=False, default=())
    sensitivities: Rows = field(repr=False, default=())
    partnership_figures: Rows = field(repr=False, default=())
    spread_trends: Rows = field(repr=False, default=())
    diagnostics: Mapping[str, Any] = field(repr=False, default_factory=dict)
    """Outcome -> what an analyst looks at; kept in a file beside the run, not in the database."""

    def tables(self) -> Iterator[tuple[type[models.Model], Rows]]:
        rows = (
            self.estimates,
            self.families,
            self.area_figures,
            self.variances,
            self.subgroup_figures,
            self.sensitivities,
            self.partnership_figures,
            self.spread_trends,
        )
        yield from zip(TABLES, rows, strict=True)
