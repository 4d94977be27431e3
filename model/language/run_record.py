"""The record of a language model on a system's RTL: text, cycles by cause, and that every tensor was compared."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hw.base import place
from hw.base.error import InputError
from hw.base.file import write_atomically

RUNS = place.measurements() / "language_runs"
"""Committed records of language runs, a folder for each system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageRun:
    """One run: a prompt read, tokens generated.

    Parameters
    ----------
    chip, work, pim : str
        System, what it ran, what the channel multiplied ("off", "weights", "attention", "both").
    prompt, tokens : list of int
        Ids read and generated.
    prompt_text, text : str
        The same ids as text.
    equal : bool
        Every tensor of every step was compared with the reference and is equal, bit for bit.
    tensors, elements : int
        What was compared.
    cycles : int
        From the first cycle of the run to the end of the last token.
    prompt_cycles : int
        Up to the first generated token.
    cycles_per_token : float
        Mean over the generated tokens behind the first.
    predicted_cycles : int
        The stepped model's `cycles`.
    labels : dict
        Unit (and counter) -> label -> cycles of the whole run, as the RTL counted. Counters of a further channel end
        in its number: "controller" and "channel_events", "controller_1" and "channel_events_1".
    labels_per_token : dict
        The same, of the generated tokens behind the first, a token.
    labels_equal : bool
        Every label of every unit equals the model's.
    energy_j_per_token : dict
        Source -> joules in the channel a generated token, by that source's prices.
    units_j_per_token : dict
        "core", "vector unit", "shared memory" -> [lowest, nominal, highest] joules a generated token, at 45 nm.
    seconds : dict
        Wall time of the parts of the simulation.
    origin : dict
        Digest of the Verilog, versions of the tools.
    """

    chip: str
    work: str
    pim: str
    prompt: list[int]
    tokens: list[int]
    prompt_text: str
    text: str
    equal: bool
    tensors: int
    elements: int
    cycles: int
    prompt_cycles: int
    cycles_per_token: float
    predicted_cycles: int
    labels: dict[str, dict[str, int]]
    labels_per_token: dict[str, dict[str, float]]
    labels_equal: bool
    energy_j_per_token: dict[str, float] = field(default_factory=dict)
    units_j_per_token: dict[str, list[float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)

    def write(self, root: Path) -> Path:
        """Store the record below `root`; the file."""
        path = root / self.chip / f"{self.work}.{self.pim}.json"
        write_atomically(path, json.dumps(asdict(self), indent=1) + "\n")
        return path


def all_channels(labels: Mapping[str, Mapping[str, int]], counter: str) -> Counter[str]:
    """The counts of `counter`, "controller" or "channel_events", of all channels together."""
    found: Counter[str] = Counter()
    for name, counts in labels.items():
        if name == counter or name.removeprefix(f"{counter}_").isdecimal():
            found.update(counts)
    return found


def read_run(path: Path) -> LanguageRun:
    """The record in `path`."""
    try:
        return LanguageRun(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as e:
        raise InputError(f"{path} must be the record of a language run: {e}; make it again with make sim") from e
