"""Predictions of an instance with what its open inputs leave; every reading of the facts is built once."""

from collections.abc import Callable
from functools import lru_cache
from typing import Generic, Protocol, Self, TypeVar

import numpy as np

from hw.base.error import InputError
from model.card.device import Device
from model.card.engine import Engine
from model.card.machine import Extra
from model.card.range import SAMPLES, readings
from model.energy.price import Interval


class Readable(Protocol):
    """A prediction of a device that can be made again under another reading of the facts: an `Iteration`."""

    @property
    def device(self) -> Device:
        """The device under its nominal reading."""
        ...

    @property
    def engine(self) -> Engine:
        """The engine it runs."""
        ...

    def at(self, device: Device, extra: Extra) -> Self:
        """The same under another reading."""
        ...


_Read = TypeVar("_Read", bound=Readable)


class Spread(Generic[_Read]):
    """An `Iteration` under every reading of the facts: `interval(value)` is a value's 5 %, nominal and 95 %.

    As `model.card.range.ranged`; readings under which the model does not fit its memory are left out.
    """

    def __init__(self, iteration: _Read) -> None:
        self.nominal = iteration
        self.ends = tuple(
            (name, *(None if reading is None else iteration.at(*reading) for reading in (low, high)))
            for name, low, high in readings(iteration.device, iteration.engine)
        )

    def interval(self, value: Callable[[_Read], float]) -> Interval:
        """Of `value`, which may raise `InputError` where something does not fit."""
        nominal = value(self.nominal)
        total = np.zeros(SAMPLES)
        for index, (_, low, high) in enumerate(self.ends):
            down, up = (_effect(value, end, nominal) for end in (low, high))
            if down or up:
                draws = _draws(index, low is not None, high is not None)
                total += np.where(draws < 0, -draws * down, draws * up)
        low_end, high_end = (float(v) for v in nominal * np.exp(np.percentile(total, [5, 95])))
        return Interval(low=min(low_end, nominal), nominal=nominal, high=max(high_end, nominal))


def _effect(value: Callable[[_Read], float], end: _Read | None, nominal: float) -> float:
    if end is None:
        return 0.0
    try:
        return float(np.log(value(end) / nominal))
    except InputError:
        return 0.0


@lru_cache(maxsize=256)
def _draws(index: int, below: bool, above: bool) -> np.ndarray:
    return np.random.default_rng(index).triangular(-1.0 if below else 0.0, 0.0, 1.0 if above else 0.0, SAMPLES)
