"""The Brightspots web application."""
