"""The cards of a site over a day."""

import argparse

from hw.base.error import InputError


def run(arguments: argparse.Namespace) -> int:
    """Refused until it is there."""
    raise InputError("--site must wait")
