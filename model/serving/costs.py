"""Times of iterations for the simulator: the card model's, and runs of many decode steps in closed form.

Between two events of an engine the same sequences decode, each with one more token in the cache at every step. The time
of a step is linear in those tokens (`model.card.attention`) above a floor, the host's part, so n steps take

    n (base + slope keys + window_slope window_keys) + (slope sequences + window_slope growing) n (n - 1) / 2

with `keys` and `window_keys` those of the first step and `growing` the sequences that do not yet fill their window; or
n times the floor while the line is below it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol


class Mixture(NamedTuple):
    """Sums over all that one iteration computes; fields as `model.card.iteration.Mixture`."""

    prefill_tokens: int = 0
    prefill_pairs: int = 0
    prefill_keys: int = 0
    prefill_chunks: int = 0
    decode_sequences: int = 0
    decode_keys: int = 0
    outputs: int = 0
    window_pairs: int = 0
    window_prefill_keys: int = 0
    window_decode_keys: int = 0


class Machine(Protocol):
    """What the simulator asks of a card model."""

    def seconds(self, mixture: Any) -> float:
        """Seconds of one iteration."""
        ...


class Fixed:
    """A machine whose iterations take one time each, for comparison with queueing theory."""

    def __init__(self, prefill: float, decode: float = 0.0) -> None:
        self.prefill = prefill
        self.decode = decode

    def seconds(self, mixture: Mixture) -> float:
        """`prefill` for each prompt, else `decode`."""
        return self.prefill * mixture.prefill_chunks if mixture.prefill_chunks else self.decode


class Costs:
    """Times on one machine, stretched by `decode` and `prefill` where the model's error is followed.

    Parameters
    ----------
    machine : Machine
    decode, prefill : float
        Factors on the time of decode steps and of iterations with prompts.
    """

    __slots__ = ("_lines", "decode", "machine", "prefill", "seconds_of")

    def __init__(self, machine: Machine, *, decode: float = 1.0, prefill: float = 1.0) -> None:
        self.machine = machine
        self.decode = decode
        self.prefill = prefill
        self.seconds_of: Callable[[Any], float] = machine.seconds
        self._lines: dict[int, tuple[float, float, float, float]] = {}

    def __getstate__(self) -> tuple[float, float]:
        return self.decode, self.prefill

    def __setstate__(self, state: tuple[float, float]) -> None:
        """A copy has no machine until it is attached to one."""
        self.decode, self.prefill = state
        self._lines = {}

    def attach(self, machine: Machine) -> None:
        """Take the times of `machine`."""
        self.machine = machine
        self.seconds_of = machine.seconds

    def line(self, sequences: int) -> tuple[float, float, float, float]:
        """(base, slope, window slope, floor) of a decode step of `sequences`: seconds, seconds for each token read, and
        the least that a step takes."""
        found = self._lines.get(sequences)
        if found is None:
            floor = getattr(self.machine, "floor", None)
            least = floor(_decode(sequences, 0, 0)) if floor is not None else 0.0
            near = 1024 * sequences
            while self.seconds_of(_decode(sequences, near, near)) <= least and near < 1 << 40:
                near *= 4
            far = 2 * near
            both = self.seconds_of(_decode(sequences, near, near))
            slope = (self.seconds_of(_decode(sequences, far, near)) - both) / (far - near)
            window = (self.seconds_of(_decode(sequences, near, far)) - both) / (far - near)
            base = both - (slope + window) * near
            found = self.decode * base, self.decode * slope, self.decode * window, self.decode * least
            self._lines[sequences] = found
        return found

    def mixed(self, mixture: Mixture) -> float:
        """Seconds of an iteration with prompts."""
        return self.prefill * self.seconds_of(mixture)


def _decode(sequences: int, keys: int, window_keys: int) -> Mixture:
    return Mixture(decode_sequences=sequences, decode_keys=keys, outputs=sequences, window_decode_keys=window_keys)
