"""Charts and maps drawn on the server: typed data in, an accessible drawing out."""

from brightspots_web.shared.charts.counts import Period, counts
from brightspots_web.shared.charts.draw import Chart, Estimate, LegendItem, number
from brightspots_web.shared.charts.drivers import Driver, driver_diagram, driver_list
from brightspots_web.shared.charts.grid import strengths_grid
from brightspots_web.shared.charts.help_map import Arrow, Helper, help_map, kind_label
from brightspots_web.shared.charts.helping import fits as helping_fits
from brightspots_web.shared.charts.helping import helping
from brightspots_web.shared.charts.histogram import histogram
from brightspots_web.shared.charts.intervals import intervals
from brightspots_web.shared.charts.lineage import Branch, lineage
from brightspots_web.shared.charts.maps import Area, area_map, rings_of
from brightspots_web.shared.charts.multiples import multiples
from brightspots_web.shared.charts.run_chart import Mark, RunPoint, run_chart, run_reading
from brightspots_web.shared.charts.run_words import rules_in_words
from brightspots_web.shared.charts.scatter import Pair, scatter
from brightspots_web.shared.charts.schools_map import MAX_LINKS, Point, school_map
from brightspots_web.shared.charts.shares import Share, shares
from brightspots_web.shared.charts.spots_map import SpotMark, Stage, spots_map
from brightspots_web.shared.charts.stacks import Stack, stacks
from brightspots_web.shared.charts.strip import family_strip
from brightspots_web.shared.charts.to_target import Count, Counted, to_target
from brightspots_web.shared.charts.trend import Series, trend

__all__ = [
    "MAX_LINKS",
    "Area",
    "Arrow",
    "Branch",
    "Chart",
    "Count",
    "Counted",
    "Driver",
    "Estimate",
    "Helper",
    "LegendItem",
    "Mark",
    "Pair",
    "Period",
    "Point",
    "RunPoint",
    "Series",
    "Share",
    "SpotMark",
    "Stack",
    "Stage",
    "area_map",
    "counts",
    "driver_diagram",
    "driver_list",
    "family_strip",
    "help_map",
    "helping",
    "helping_fits",
    "histogram",
    "intervals",
    "kind_label",
    "lineage",
    "multiples",
    "number",
    "rings_of",
    "rules_in_words",
    "run_chart",
    "run_reading",
    "scatter",
    "school_map",
    "shares",
    "spots_map",
    "stacks",
    "strengths_grid",
    "to_target",
    "trend",
]
