"""One file per trained task: `train()` makes the stored parameters of the workload of the same name.

Each module exports `TASK`, a function of no arguments that returns a `QuantisedNetwork`.
"""

import sys
from collections.abc import Callable

from hw.base import catalog
from model.network.quantised import QuantisedNetwork


def names() -> list[str]:
    """The names of all tasks."""
    return catalog.names(sys.modules[__name__])


def load(name: str) -> Callable[[], QuantisedNetwork]:
    """The training function of the task called `name`; raises `InputError` listing the known ones."""
    return catalog.load(sys.modules[__name__], "TASK", name, "task")
