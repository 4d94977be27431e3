"""The seed of a drawn run: one rule for every verb that takes one."""

from argparse import ArgumentTypeError

LARGEST_SEED = (1 << 31) - 1
"""What simulator, NumPy and the searches all take."""


def seed(text: str) -> int:
    """The option's value; `ArgumentTypeError` unless it is a whole number from 0 to `LARGEST_SEED`."""
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value <= LARGEST_SEED:
        raise ArgumentTypeError(f"a seed must be a whole number from 0 to {LARGEST_SEED}, not {text!r}; choose another")
    return value
