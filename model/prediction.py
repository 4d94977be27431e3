"""What a cycle model says about a workload on a chip, whatever kind of machine the chip is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hw.spec.fact import Fact
from model.count import Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Sums over all layers, which run one after the other.

    Parameters
    ----------
    cycles : int
        Cycles of the whole workload.
    macs : int
        Useful multiply-accumulates.
    peak : int or float
        Most multiply-accumulates all machines of a device do in a cycle.
    phases : mapping of str to int
        Label -> cycles of the fullest machine; sums to `cycles`.
    counts : Counts
        Events of all machines.
    layers : tuple of mappings
        {"name", "m", "n", "k", "count", "macs", "cycles", "utilisation", "arrays"} each; none of a program, whose
        layers overlap.
    what, where, how, missing : str
        For people: "3 GEMMs"; "one array of 16 x 16"; the method; what is not modelled.
    clock : Fact or None
        What a cycle takes, in GHz.
    notes : tuple of str
        What was done differently from what the machine can do by itself, a sentence each.
    stepped : bool
        By the stepped model, memory side included; else by a closed form.
    """

    cycles: int
    macs: int
    peak: int | float
    phases: Mapping[str, int]
    counts: Counts
    layers: tuple[Mapping[str, Any], ...]
    what: str
    where: str
    how: str
    missing: str
    clock: Fact | None = None
    stepped: bool = False
    notes: tuple[str, ...] = ()

    @property
    def utilisation(self) -> float:
        """`macs` per cycle over `peak`."""
        return self.macs / (self.cycles * self.peak)
