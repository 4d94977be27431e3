"""Nothing is put back: a request starts only when its prompt and whole answer have room (TensorRT-LLM's default)."""


class Policy:
    """See the module."""

    reserves = True
    swaps = False
