"""Charts and maps drawn on the server: typed data in, an accessible drawing out."""

from brightspots_web.shared.charts.draw import Chart, Estimate, LegendItem, number
from brightspots_web.shared.charts.grid import strengths_grid
from brightspots_web.shared.charts.histogram import histogram
from brightspots_web.shared.charts.intervals import intervals
from brightspots_web.shared.charts.maps import Area, area_map, rings_of
from brightspots_web.shared.charts.scatter import Pair, scatter
from brightspots_web.shared.charts.schools_map import MAX_LINKS, Point, school_map
from brightspots_web.shared.charts.shares import Share, shares
from brightspots_web.shared.charts.spots_map import SpotMark, Stage, spots_map
from brightspots_web.shared.charts.strip import family_strip
from brightspots_web.shared.charts.trend import Series, trend

__all__ = [
    "MAX_LINKS",
    "Area",
    "Chart",
    "Estimate",
    "LegendItem",
    "Pair",
    "Point",
    "Series",
    "Share",
    "SpotMark",
    "Stage",
    "area_map",
    "family_strip",
    "histogram",
    "intervals",
    "number",
    "rings_of",
    "scatter",
    "school_map",
    "shares",
    "spots_map",
    "strengths_grid",
    "trend",
]
