"""Operand streams of a workload as its RTL run moved them: the ports of every cell, adder and output lane, by cycle.

The core runs in Verilator with a waveform; what the blocks saw at the end of every cycle is read back from it. Weight
loads, swaps, gaps and the skew of the array are therefore those of the RTL, not a description of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.gates.activity import Streams
from hw.gates.streams import in_lanes, padded
from hw.spec.command import COMMON_FIELDS, LANE_FIELDS
from hw.spec.core import CoreSpec
from model import workloads
from model.work.workload import Workload
from tb.bench import measure
from tb.bench.measure import Case, Say

CELL_PORTS = ("i_activation", "i_partial_sum", "i_swap", "i_load", "i_weight")
_SIGNED = {"i_activation", "i_partial_sum", "i_weight"}
COMPONENTS = ("cells", "operand skew", "sum skew", "accumulate", "requantise")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What the blocks of one core saw in every busy cycle of one run.

    Parameters
    ----------
    verilog_digest : str
        Of the RTL that ran.
    streams : dict of str to dict of str to array
        Component to port to values (cycles, lanes) or bits (cycles, lanes, width).
        Cells: lane r * columns + c is cell (r, c). Operand skew: row r appears r times, column c appears c times, once
        per register it passes. Sum skew: column c appears columns - 1 - c times. Accumulate: a column per lane.
        Requantise: two columns per lane.
    issued : array of bool (cycles,)
        Cycles in which an activation row is at the edge of the array.
    events : dict of str to array (cycles,)
        Counted events in each cycle: macs, weight_loads, accumulates, requantises.
    active : array (passes, rows, columns)
        Weights of every cell at each swap, in order.
    """

    verilog_digest: str
    streams: Mapping[str, Streams]
    issued: NDArray[np.bool_]
    events: Mapping[str, NDArray[np.int64]]
    active: NDArray[np.int64]

    @property
    def cycles(self) -> int:
        """Busy cycles captured."""
        return len(self.issued)


def capture(chip: str, core: CoreSpec, workload: str, seed: int, build: Path, say: Say = lambda line: None) -> Capture:
    """Run `workload` on the RTL of `chip` and read the operand streams back; kept by what was run.

    Raises
    ------
    InputError
        If pywellen or Verilator's tools are missing, or the run fails.
    """
    loaded: Workload = workloads.load(workload)
    case = Case(bench="core", chip=chip, workload=workload, seed=seed)
    built = measure.prepare(case, "fst", say)
    digest = built.emitted.digest
    path = build / "gates" / "captured" / f"{chip}.{workload}.{seed}.{digest}.{loaded.digest}.npz"
    if not path.exists():
        outcome = measure.simulate(case, built)
        if not outcome.passed or outcome.trace is None:
            raise InputError(
                f"operands must come from a run that passes, but {case.name} did not: {outcome.failure}; "
                f"run `{case.command}`"
            )
        arrays = _read(outcome.trace, f"{built.emitted.name}.dut.core.", core)
        buffer = BytesIO()
        np.savez(buffer, **arrays)  # pyright: ignore[reportArgumentType]
        write_atomically(path, buffer.getvalue())
    with np.load(path) as kept:
        return _assemble({name: kept[name] for name in kept.files}, core, digest)


def check_order(captured: Capture, core: CoreSpec, gemms: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """Raise `InputError` unless the RTL moved exactly the rows and weights that the lowering gives, in its order.

    Holds for GEMMs that fit one block of rows: the order is blocks of N, then of K, all rows of M.
    """
    R, C = core.array.rows, core.array.columns
    tiles, rows = [], []
    for activations, weights in gemms:
        a, w = in_lanes(core.array, activations, weights)
        a, w = padded(a, 1, R), padded(w, R, C)
        for n in range(0, w.shape[1], C):
            for k in range(0, w.shape[0], R):
                tiles.append(w[k : k + R, n : n + C])
                rows.append(a[:, k : k + R])
    left = captured.streams["cells"]["i_activation"].reshape(captured.cycles, R, C)[:, :, 0]
    # Row r of a word enters r x mac_latency cycles after row 0.
    moved = np.stack([np.roll(left[:, r], -r * core.array.mac_latency)[captured.issued] for r in range(R)], axis=1)
    if not (np.array_equal(moved, np.concatenate(rows)) and np.array_equal(captured.active, np.stack(tiles))):
        raise InputError(
            "the operands the RTL moved must be those of the lowering, but they differ; remove "
            "build/gates/captured and run again"
        )


def _read(trace: Path, prefix: str, core: CoreSpec) -> dict[str, NDArray[np.generic]]:
    """The signals of a waveform at the end of every busy cycle, in the narrowest type."""
    try:
        import pywellen
    except ImportError:
        raise InputError(
            "operands must be read from a waveform with pywellen, and it is not installed; run `make environment`"
        ) from None
    waveform: Any = getattr(pywellen, "Waveform")(str(trace))  # noqa: B009 - a module without type hints
    variables = {v.full_name: v for v in waveform.all_vars()}
    last_cycle = int(variables[prefix + "dataflow.array.clk"].tv[-1][0]) // 1000

    def changes(name: str) -> tuple[NDArray[np.int64], list[int]]:
        if prefix + name not in variables:
            raise InputError(f"the waveform {trace.name} must hold signal {prefix + name}, but it does not; run again")
        found = variables[prefix + name].tv
        return np.array([int(t) // 1000 for t, _ in found]), [int(v) for _, v in found]

    def values(name: str, bits: int, signed: bool = False) -> NDArray[np.int64]:
        at, found = changes(name)
        data = np.array(found, dtype=np.int64)
        if signed:
            data = (data ^ (1 << (bits - 1))) - (1 << (bits - 1))
        # The last change in a cycle is what the blocks see at its end.
        index = np.searchsorted(at, np.arange(last_cycle), side="right") - 1
        return data[np.maximum(index, 0)]

    def words(name: str, bits: int, count: int) -> NDArray[np.int64]:
        at, found = changes(name)
        size = bits * count // 8
        table = np.stack([np.frombuffer(v.to_bytes(size, "little"), np.uint8) for v in found])
        planes = np.unpackbits(table, axis=1, bitorder="little").reshape(len(found), count, bits).astype(np.int64)
        data = (planes << np.arange(bits)).sum(axis=2)
        return data[np.maximum(np.searchsorted(at, np.arange(last_cycle), side="right") - 1, 0)]

    array = core.array
    R, C = array.rows, array.columns
    busy = np.flatnonzero(values("counters_.busy" if prefix + "counters_.busy" in variables else "status__busy", 1))
    window = slice(max(0, int(busy[0]) - 1), int(busy[-1]) + 2)
    widths = {
        "i_activation": array.activation_lane_bits,
        "i_weight": array.weight_lane_bits,
        "i_partial_sum": array.partial_sum_bits,
        "i_swap": 1,
        "i_load": 1,
    }
    found: dict[str, NDArray[np.generic]] = {}
    for port in CELL_PORTS:
        kind = np.int8 if widths[port] <= 8 else np.int32
        found[port] = np.stack(
            [
                values(f"dataflow.array.cell_{r}_{c}.{port}", widths[port], port in _SIGNED)[window].astype(kind)
                for r in range(R)
                for c in range(C)
            ],
            axis=1,
        )
    found["bottom"] = np.stack(
        [
            values(f"dataflow.array.cell_{R - 1}_{c}.o_partial_sum", array.partial_sum_bits, True)[window]
            for c in range(C)
        ],
        axis=1,
    ).astype(np.int32)
    found["shadow"] = np.stack(
        [
            values(f"dataflow.array.cell_{r}_{c}.shadow", array.weight_lane_bits, True)[window]
            for r in range(R)
            for c in range(C)
        ],
        axis=1,
    ).astype(np.int8)
    found["top"] = words("dataflow.array.i_activation", array.activation_lane_bits, R)[window].astype(np.uint8)
    found["weights"] = words("dataflow.array.i_weight", array.weight_lane_bits, C)[window].astype(np.uint8)
    found["written"] = words("accumulator.accumulator_memory.i_write_data", 32, C)[window].astype(np.uint32)
    found["arriving"] = words("accumulator.i_sums", array.partial_sum_bits, C)[window].astype(np.uint32)
    found["sums"] = words("drain.stage.i_sums", 32, C)[window].astype(np.uint32)
    found["valid"] = values("drain.stage.i_valid", 1)[window].astype(np.uint8)
    for field in COMMON_FIELDS:
        found[field] = values(f"drain.stage.i_parameters.{field}", 8)[window].astype(np.uint8)
    for field in LANE_FIELDS:
        found[field] = np.stack(
            [values(f"drain.stage.i_parameters.lanes[{c}].{field}", 32)[window] for c in range(C)], axis=1
        ).astype(np.uint32)
    read = values("dataflow.stream.o_read", 1)
    found["issued"] = np.concatenate([[0], read])[:last_cycle][window].astype(bool)
    found["read"] = read[window].astype(bool)
    found["accumulates"] = values("accumulator.o_write", 1)[window].astype(np.int64)
    return found


def _assemble(a: Mapping[str, NDArray], core: CoreSpec, digest: str) -> Capture:
    array = core.array
    R, C = array.rows, array.columns
    wide = {name: a[name].astype(np.int64) for name in a}
    mask = (1 << array.partial_sum_bits) - 1
    arriving = ((wide["arriving"] & mask) ^ (1 << (array.partial_sum_bits - 1))) - (1 << (array.partial_sum_bits - 1))
    late = lambda values, k: np.concatenate([np.repeat(values[:1], k, axis=0), values])[: len(values)]  # noqa: E731
    skew = [late(wide["top"][:, r], k) for r in range(R) for k in range(r * array.mac_latency)]
    skew += [late(wide["weights"][:, c], k) for c in range(C) for k in range(c)]
    sums = [late(wide["bottom"][:, c], k) for c in range(C) for k in range(C - 1 - c)]
    streams: dict[str, Streams] = {
        "cells": {port: wide[port] for port in CELL_PORTS},
        "operand skew": {"i": np.stack(skew, axis=1)},
        "sum skew": {"i": np.stack(sums, axis=1)},
        "accumulate": {"a": (wide["written"] - arriving) & 0xFFFFFFFF, "b": arriving & 0xFFFFFFFF},
        "requantise": output_streams(wide, C),
    }
    columns = C // 2 * 2
    events = {
        "macs": wide["issued"] * array.cells,
        "weight_loads": wide["i_load"].sum(axis=1),
        "accumulates": wide["accumulates"],
        "requantises": wide["valid"] * columns,
    }
    swapped = wide["i_swap"] == 1
    passes = int(swapped[:, 0].sum())
    active = np.stack([wide["shadow"][swapped[:, k], k][:passes] for k in range(R * C)], axis=1)
    return Capture(
        verilog_digest=digest,
        streams=streams,
        issued=a["issued"].astype(bool),
        events=events,
        active=active.reshape(passes, R, C),
    )


def output_streams(a: Mapping[str, NDArray[np.int64]], columns: int) -> Streams:
    """Ports of a two-column output stage: columns 2k and 2k + 1 in lane k.

    `a`: valid, zero_point, low, high (cycles,); sums, bias, multiplier, shift (cycles, columns), unsigned.
    """

    def bits(values: NDArray[np.int64], width: int) -> NDArray[np.int64]:
        return (values[..., None] >> np.arange(width)) & 1

    pairs = range(0, columns // 2 * 2, 2)
    cycles, lanes = len(a["valid"]), len(pairs)
    common = [np.broadcast_to(bits(a[n], w)[:, None], (cycles, lanes, w)) for n, w in COMMON_FIELDS.items()]
    own = [bits(a[n][:, k::2][:, :lanes], w) for k in (0, 1) for n, w in LANE_FIELDS.items()]
    sums = [bits(a["sums"][:, k::2][:, :lanes], 32) for k in (0, 1)]
    return {
        "i_valid": np.repeat(a["valid"][:, None], lanes, axis=1),
        "i_sums": np.concatenate(sums, axis=2),
        "i_parameters": np.concatenate([*own, *common], axis=2),
    }
