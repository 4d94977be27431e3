"""The youngest request's blocks go to the host's memory and come back."""


class Policy:
    """See the module."""

    reserves = False
    swaps = True
