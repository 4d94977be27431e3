"""GEMV on data for GDDR6-AiM: where weights lie in the banks, what each command carries, where results come out."""

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.pim import PimSpec
from model.cycle.dram_pim.aim import AimChannel, HostRequest
from model.cycle.dram_pim.aim_kernels import gemv_requests
from model.lowering.dram_pim.hbm_pim_driver import TimedCommand


def _one_segment(spec: PimSpec, inputs: int) -> None:
    most = spec.lanes * spec.dram.organisation.columns
    if inputs > most:
        raise InputError(f"data runs on AiM must have at most {most} inputs, one row of a bank, not {inputs}")


def gemv_cells(spec: PimSpec, weights: np.ndarray) -> dict[tuple[int, int, int], np.ndarray]:
    """(bank, row, column) -> word: output n x banks + b lies in row n of bank b, 16 inputs a column, zero padded."""
    outputs, inputs = weights.shape
    _one_segment(spec, inputs)
    banks, lanes = spec.dram.organisation.banks, spec.lanes
    words = ceil_div(inputs, lanes)
    padded = np.zeros((ceil_div(outputs, banks) * banks, words * lanes), np.uint16)
    padded[:outputs, :inputs] = weights
    return {
        (output % banks, output // banks, c): padded[output, c * lanes : (c + 1) * lanes]
        for output in range(len(padded))
        for c in range(words)
    }


def gemv_commands(
    spec: PimSpec,
    weights: np.ndarray,
    bias: np.ndarray,
    vectors: np.ndarray,
    order: str = "batched",
) -> tuple[list[TimedCommand], int]:
    """The command stream of one channel, and its cycles; word k read is results k x banks to (k + 1) x banks - 1 of
    the vectors in turn. `TimedCommand.row` is the row of an activate."""
    outputs, inputs = weights.shape
    _one_segment(spec, inputs)
    banks, lanes = spec.dram.organisation.banks, spec.lanes
    requests = gemv_requests(spec, outputs, inputs, 1, order, len(vectors))
    channel = AimChannel(spec, spec.dram.resolve())
    channel.trace = []
    cycles = channel.run(requests)
    payloads = _payloads(spec, requests, bias, vectors)
    commands = []
    for cycle, name, bank, row in channel.trace:
        column, accumulator, data = next(payloads[name], (0, 0, ())) if name in payloads else (0, 0, ())
        commands.append(TimedCommand(cycle, name, max(bank, 0), row, column, data, accumulator))
    if any(next(rest, None) is not None for rest in payloads.values()):
        raise AssertionError(f"every word must have been carried by a command; {banks} banks, {lanes} lanes")
    return commands, cycles


def _payloads(spec: PimSpec, requests: list[HostRequest], bias: np.ndarray, vectors: np.ndarray) -> dict:
    """Command -> iterator over (column, accumulator, data word) in the order of the requests."""
    banks, lanes = spec.dram.organisation.banks, spec.lanes
    padded = np.zeros(ceil_div(len(bias), banks) * banks, np.uint16)
    padded[: len(bias)] = bias
    biases = padded.reshape(-1, banks)
    members = spec.register("MAC").entries
    found: dict[str, list] = {"WRGB": [], "WRMAC16": [], "MAC16": [], "RDMAC16": []}
    vector = -1
    seen = {"WR_BIAS": 0, "MAC_ABK": 0, "RD_MAC": 0}
    for request in requests:
        if request.name == "WR_GB":
            vector += 1
            seen = dict.fromkeys(seen, 0)
            x = np.zeros(request.count * lanes, np.uint16)
            x[: vectors.shape[1]] = vectors[vector]
            found["WRGB"] += [
                (c, 0, tuple(int(v) for v in x[c * lanes : (c + 1) * lanes])) for c in range(request.count)
            ]
            continue
        n = seen[request.name]
        seen[request.name] += 1
        if request.name == "WR_BIAS":
            found["WRMAC16"].append((0, n % members, tuple(int(v) for v in biases[n])))
        elif request.name == "RD_MAC":
            found["RDMAC16"].append((0, n % members, ()))
        else:
            found["MAC16"] += [(c, n % members, ()) for c in range(request.count)]
    return {name: iter(items) for name, items in found.items()}
