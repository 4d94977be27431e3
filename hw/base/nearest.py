"""The known name most like one that is not known."""

import difflib
from collections.abc import Sequence


def nearest(name: str, known: Sequence[str]) -> str:
    """ "did you mean 'x'? " for the known name most like `name`, or nothing if none is."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    return f"did you mean {near[0]!r}? " if near else ""
