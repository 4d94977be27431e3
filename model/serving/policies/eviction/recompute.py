"""The youngest request is put back and its tokens are computed again (vLLM)."""


class Policy:
    """See the module."""

    reserves = False
    swaps = False
