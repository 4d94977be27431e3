"""An HBM-PIM pseudo-channel on streams of DRAM commands."""

# pyright: reportAttributeAccessIssue=false

import numpy as np

from hw.rtl.dram_pim.hbm_pim.top import ROWS, channel
from hw.spec.chip import Chip
from hw.spec.pim import PimSpec
from model.count import Counts
from model.cycle.dram_pim.run import HbmPim
from model.lowering.dram_pim.hbm_pim_driver import gemv_commands, result_words, weight_words
from model.work.float_digits import float_workload
from model.work.workload import Workload
from tb.bench.bench import Bench, bench_test
from tb.dram_pim.bench import opened, random_streams, spec_of
from tb.dram_pim.compare import fill_cells, same_registers
from tb.dram_pim.driver import Answer, PimDriver, lanes_of, played, word_of
from tb.dram_pim.instructions import InstructionStreams, every_form
from tb.dram_pim.network import Layer, run_network
from tb.dram_pim.phases import hbm_phases
from tb.dram_pim.player import PimPlayer
from tb.dram_pim.random import Cells, RandomStreams, to_integer

MEASURES = True
SHOWN = "every_lane_sum_of_the_network_is_numpys"
"""What `make waves` shows: the workload, not the random streams before it."""
MACHINE = PimSpec

PUBLIC = (
    "stream",
    "words",
    "log",
    "answers",
    "channel.banks.bank_0.cells",
    "channel.units.unit_0.grf_a.words",
    "channel.units.unit_0.grf_b.words",
    "channel.units.unit_0.grf_a.held",
    "channel.units.unit_0.grf_b.held",
    "channel.units.unit_0.scalars",
    "channel.units.unit_0.adder_out",
    "channel.units.unit_0.multiplier_out",
)


def top(chip: Chip) -> PimPlayer:
    """The channel of `chip` with a player before its port."""
    spec = _spec(chip)
    timing = spec.dram.resolve()
    burst = timing["t_burst"]
    return PimPlayer(channel(spec, timing), {"RD": timing["rl"] + 2 + burst, "WR": timing["wl"] + 1 + burst})


def _spec(chip: Chip) -> PimSpec:
    return spec_of(chip, "hbm_pim")


def check(chip: Chip, workload: Workload, seed: int) -> None:
    """Raise `InputError` unless the channel of `chip` can run `workload`."""
    float_workload(_spec(chip).title, workload)


@bench_test(timeout_cycles=100_000_000)
async def random_streams_are_accepted_when_the_model_says_and_do_what_it_says(bench: Bench) -> None:
    spec, driver = opened(bench, top)

    def walk(cells: Cells) -> RandomStreams:
        return RandomStreams(spec, spec.dram.resolve(), cells, bench.rng, rows=ROWS)

    await random_streams(bench, driver, spec, {}, walk, lambda where, walk: _same_registers(where, driver, walk))


@bench_test(timeout_cycles=100_000_000)
async def every_instruction_does_what_plain_arithmetic_says(bench: Bench) -> None:
    spec, driver = opened(bench, top)
    forms = every_form(spec.commands)
    bench.rng.shuffle(forms)  # type: ignore[arg-type]
    forms = forms[: int(bench.parameters.get("forms", 300))]
    done = len(forms)
    columns = spec.dram.organisation.columns
    while forms:
        cells: Cells = {}
        walk = InstructionStreams(spec, spec.dram.resolve(), cells, bench.rng, rows=ROWS)
        fill_cells(driver, {key: words.copy() for key, words in cells.items() if key[1] < 2}, spec)
        while forms and walk.room():
            forms = walk.case(forms)
        answer = await driver.play(walk.expected.commands)
        assert set(answer.reasons) == {0}, f"legal commands were refused with the codes {set(answer.reasons) - {0}}"
        for (bank, row), written in walk.written().items():
            array = driver.cells(bank)
            for column in written.tolist():
                got = array[row * columns + column].value.to_unsigned()
                want = to_integer(walk.state.rows[bank, row][column])
                assert got == want, f"bank {bank} row {row} column {column} holds {got:#x}, not {want:#x}"
    bench.report(forms=done)


@bench_test(timeout_cycles=100_000_000)
async def every_lane_sum_of_the_network_is_numpys(bench: Bench) -> None:
    if not bench.parameters.get("workload"):
        return
    spec, driver = opened(bench, top)
    system = HbmPim(spec, channels=1)

    def prepare(weights: np.ndarray, bias: np.ndarray, vectors: np.ndarray) -> Layer:
        outputs, inputs = weights.shape
        places = result_words(system, outputs, inputs, len(vectors))
        columns = spec.dram.organisation.columns

        def results(answer: Answer) -> np.ndarray:
            return np.array(
                [
                    [
                        lanes_of(driver.cells(bank)[row * columns + column].value.to_unsigned(), spec.lanes)
                        for bank, row, column in vector
                    ]
                    for vector in places
                ],
                np.uint16,
            )

        return Layer(
            stream=played(gemv_commands(system, outputs, vectors)),
            results=results,
            cells={place: word_of(word) for place, word in weight_words(system, weights).items()},
        )

    def counts(answer: Answer) -> Counts:
        c, organisation, bits = answer.counts, spec.dram.organisation, spec.dram.organisation.column_bits
        opened = c["activate"] + c["activate_broadcast"] * spec.units
        return Counts(
            {
                "dram.activate_kilobyte": opened * organisation.row_bytes // 1024,
                "dram.read_bit": bits * ((c["mac"] + c["compute"]) * spec.units + c["read"]),
                "dram.read_pin_bit": bits * c["read"],
                "dram.write_bit": bits * (c["store"] * spec.units + c["write"]),
                "dram.write_pin_bit": bits * (c["write"] + c["control"]),
                "dram.refresh": c["refresh"],
                "dram.background_ns": round(answer.finish * spec.dram.clock_ns),
                "pim.mac": c["mac"] * spec.units * spec.lanes,
                "pim.lane_operation": c["compute"] * spec.units * spec.lanes,
            }
        )

    await run_network(
        bench, driver, spec, prepare, lambda s, finish: hbm_phases(spec, system.timing, s, finish), counts
    )


def _same_registers(where: str, driver: PimDriver, walk: RandomStreams) -> None:
    device = walk.device
    units = driver.dut.channel.units
    for u in range(walk.spec.units):
        unit = getattr(units, f"unit_{u}")
        for name in ("GRF_A", "GRF_B"):
            words = np.array([to_integer(word) for word in device.grf[name][u]], dtype=object)
            same_registers(where, f"{name} of unit {u}", getattr(unit, name.lower()), words)
        for signal, word in (
            (unit.scalars, device.srf[u]),
            (unit.adder_out, device.latch["A_OUT"][u]),
            (unit.multiplier_out, device.latch["M_OUT"][u]),
        ):
            got, want = int(signal.value), to_integer(word)
            assert got == want, f"{where}: {signal._name} of unit {u} is {got:#x}, not {want:#x}"
