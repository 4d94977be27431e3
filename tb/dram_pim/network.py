"""A network on a PIM channel in RTL: the model's command stream played layer by layer, results against NumPy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hw.spec.kind import load
from hw.spec.pim import PimSpec
from model import workloads
from model.count import Counts
from model.number.codec import decode
from model.work.float_digits import float_workload
from tb.bench.bench import Bench
from tb.dram_pim.driver import Answer, PimDriver, Played


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What a device's side of the bench makes of one layer.

    `stream`: the commands; `cells`: (bank, row, column) -> data word, put there before; `results`: reads what the
    layer left in the device, codes of the shape `layer_sums` of its reference gives.
    """

    stream: list[Played]
    cells: dict[tuple[int, int, int], int]
    results: Callable[[Answer], np.ndarray]


async def run_network(
    bench: Bench,
    driver: PimDriver,
    spec: PimSpec,
    prepare: Callable[[np.ndarray, np.ndarray, np.ndarray], Layer],
    phases_of: Callable[[Sequence[Played], int], dict[str, int]],
    counts_of: Callable[[Answer], Counts],
) -> None:
    """Run the workload of the bench's parameters; report the measurement; raise if a bit differs."""
    from cocotb.types import LogicArray

    task = float_workload(spec.title, workloads.load(bench.parameters["workload"]))
    vectors = task.vectors(spec.number)
    parameters = task.parameters(spec.number)
    columns, numerics = spec.dram.organisation.columns, load(spec.kind).door("reference")
    counts, phases, layers = Counts(), dict[str, int](), []
    for i, (gemm, (weights, bias)) in enumerate(zip(task.gemms(), parameters, strict=True)):
        layer = prepare(weights, bias, vectors)
        for (bank, row, column), word in layer.cells.items():
            driver.cells(bank)[row * columns + column].value = LogicArray.from_unsigned(word, driver.width)
        answer = await driver.play(layer.stream)
        refused = set(answer.reasons) - {0}
        assert not refused, f"{gemm.name}: commands of the schedule were refused with the codes {sorted(refused)}"
        sums = layer.results(answer)
        wanted = numerics.layer_sums(spec, weights, bias, vectors)
        wrong = np.argwhere(sums != wanted)
        assert not len(wrong), (
            f"{gemm.name}: result {wrong[0].tolist()} is {sums[tuple(wrong[0])]:#06x}, not "
            f"{wanted[tuple(wrong[0])]:#06x}; {len(wrong)} of {wanted.size} differ"
        )
        vectors = numerics.host_after(spec, sums, bias, i == len(parameters) - 1)
        counts = counts + counts_of(answer)
        for cause, cycles in phases_of(layer.stream, answer.finish).items():
            phases[cause] = phases.get(cause, 0) + cycles
        layers.append(
            {
                "name": gemm.name,
                "m": gemm.m,
                "n": gemm.n,
                "k": gemm.k,
                "count": 1,
                "macs": gemm.macs,
                "cycles": answer.finish,
                "utilisation": gemm.macs / (answer.finish * spec.macs_per_cycle),
                "arrays": spec.units,
            }
        )
    outputs = decode(vectors, spec.number)
    cycles, macs = sum(layer["cycles"] for layer in layers), sum(layer["macs"] for layer in layers)
    bench.report(
        cycles=cycles,
        phases=phases,
        counts=dict(counts),
        layers=layers,
        simulated_cycles=bench.cycle,
        figures={
            **task.score([outputs]),
            "macs": macs,
            "devices": 1,
            "utilisation": macs / (cycles * spec.macs_per_cycle),
        },
    )
