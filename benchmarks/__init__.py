"""Measurements of speed and scale: `python -m benchmarks`."""
