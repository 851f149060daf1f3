"""What a person gets who changes what somebody else has just changed."""

from django.core.exceptions import ValidationError


class OvertakenError(ValidationError):
    """Somebody else changed it since the person opened the page. Nothing was saved.

    Actions raise it when the version a person saw is no longer the one there is; views answer 409,
    with what the person wrote still in the form.
    """
