"""GEMVs of more inputs than a row of a bank holds, on GDDR6-AiM: several rows, each started with the result before."""

import numpy as np
import pytest

from hw import chips
from model.cycle.dram_pim.aim import AimChannel
from model.cycle.dram_pim.aim_kernels import gemv_requests
from model.functional.aim import AimDevice
from model.functional.dram_pim_numerics import aim_gemv

SPEC = chips.load("aim").pim
assert SPEC is not None
BANKS, LANES, COLUMNS = SPEC.dram.organisation.banks, SPEC.lanes, SPEC.dram.organisation.columns


def _codes(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.normal(size=shape).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


def _words(codes: np.ndarray) -> np.ndarray:
    return np.pad(codes, (0, -len(codes) % LANES)).reshape(-1, LANES)


@pytest.mark.parametrize("order", ["simple", "batched"])
@pytest.mark.parametrize("inputs", [1024, 1025, 2300])
def test_the_schedule_played_on_the_device_computes_the_formula(inputs: int, order: str) -> None:
    outputs, per_row = 2 * BANKS + 3, LANES * COLUMNS
    rng = np.random.default_rng(inputs)
    weights, vector, bias = _codes(rng, outputs, inputs), _codes(rng, inputs), _codes(rng, outputs)
    channel = AimChannel(SPEC, SPEC.dram.resolve())
    channel.trace = []
    requests = gemv_requests(SPEC, outputs, inputs, 1, order)
    channel.run(requests)
    device = AimDevice(SPEC, SPEC.dram.resolve())
    per_bank = -(-outputs // BANKS)
    for output in range(outputs):
        n, bank = divmod(output, BANKS)
        for segment, first in enumerate(range(0, inputs, per_row)):
            words = _words(weights[output, first : first + per_row])
            device.row(bank, segment * per_bank + n)[: len(words)] = words
    # what each command carries, in the order of the requests; a result is the bias of the next row
    sums = np.pad(bias, (0, per_bank * BANKS - outputs)).reshape(per_bank, BANKS)
    loads = iter(np.concatenate([_words(vector[f : f + per_row]) for f in range(0, inputs, per_row)]))
    group = 1 if order == "simple" else SPEC.register("MAC").entries
    taken = dict.fromkeys(("WRGB", "WRMAC16", "RDMAC16", "MAC16"), 0)
    sizes = [-(-min(per_row, inputs - f) // LANES) for f in range(0, inputs, per_row)]
    places = [(n, c) for size in sizes for n in range(per_bank) for c in range(size)]
    for cycle, name, bank, row in channel.trace:
        count = taken.get(name, 0)
        column = accumulator = 0
        data = None
        if name == "WRGB":
            segment_start = next(s for s in np.cumsum([0, *sizes])[::-1] if s <= count)
            column, data = count - int(segment_start), next(loads)
        elif name == "MAC16":
            n, column = places[count]
            accumulator = n % group
        elif name in ("WRMAC16", "RDMAC16"):
            accumulator, data = count % per_bank % group, sums[count % per_bank] if name == "WRMAC16" else None
        answer = device.issue(
            name, cycle, bank=max(bank, 0), row=row, column=column, accumulator=accumulator, data=data
        )
        assert device.error == 0, f"{name} at {cycle}"
        if name == "RDMAC16":
            sums[count % per_bank] = answer
        if name in taken:
            taken[name] = count + 1
    assert taken["MAC16"] == sum(sizes) * per_bank
    assert np.array_equal(sums.reshape(-1)[:outputs], aim_gemv(SPEC, weights, vector[None], bias)[0])
