"""Path converters for addresses."""

from django.urls import register_converter


class ExportConverter:
    """The ending of a table's export: `csv` or `xlsx`."""

    regex = "csv|xlsx"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


def register() -> None:
    register_converter(ExportConverter, "export")
