"""Whole numbers."""


def ceil_div(a: int, b: int) -> int:
    """How many pieces of `b` cover `a`: the quotient rounded up, exact for numbers of any size."""
    return -(-a // b)
