"""The words of notices about scores of promises."""
