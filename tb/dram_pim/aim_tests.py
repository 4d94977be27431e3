"""A GDDR6-AiM channel on streams of DRAM commands."""

# pyright: reportAttributeAccessIssue=false

from itertools import product

import numpy as np

from hw.rtl.dram_pim.aim.top import ROWS, channel
from hw.spec.chip import Chip
from hw.spec.pim import ERRORS, PimSpec
from model.count import Counts
from model.cycle.dram_pim.aim_predict import AIM_ORDER
from model.lowering.dram_pim.aim_driver import gemv_cells, gemv_commands
from model.work.float_digits import float_workload
from model.work.workload import Workload
from tb.bench.bench import Bench, bench_test
from tb.dram_pim.aim_instructions import AimInstructionStreams, every_request
from tb.dram_pim.aim_random import UNKNOWN, RandomAimStreams, table_cells
from tb.dram_pim.bench import opened, random_streams, spec_of
from tb.dram_pim.compare import fill_cells, same_cells, same_registers, same_words
from tb.dram_pim.driver import Answer, PimDriver, Played, lanes_of, played, word_of
from tb.dram_pim.network import Layer, run_network
from tb.dram_pim.phases import aim_phases
from tb.dram_pim.player import PimPlayer
from tb.dram_pim.random import Cells, to_integer

MEASURES = True
SHOWN = "every_result_of_the_network_is_numpys"
"""What `make waves` shows: the workload, not the random streams before it."""
MACHINE = PimSpec

PUBLIC = (
    "stream",
    "words",
    "log",
    "answers",
    "channel.banks.bank_0.cells",
    "channel.units.unit_0.accumulators.words",
    "channel.units.unit_0.accumulators.held",
    "channel.units.unit_0.activated.words",
    "channel.units.unit_0.activated.held",
    "channel.units.buffer.words",
    "channel.units.buffer.held",
)


def top(chip: Chip) -> PimPlayer:
    """The channel of `chip` with a player before its port."""
    spec = _spec(chip)
    return PimPlayer(channel(spec, spec.dram.resolve()), _tails(spec))


def _tails(spec: PimSpec) -> dict[str, int]:
    """Command -> cycles until the host has seen it done: its data moved, one cycle to see that, one to end."""
    timing = spec.dram.resolve()
    burst = timing["t_burst"]
    done = {
        "WR": timing["wl"] + burst,
        "WRGB": timing["wl_buffer"] + burst,
        "WRMAC16": timing["wl_register"] + burst,
        "WRA16": timing["wl"] + burst + timing["t_rp"],
        "RD": timing["rl"] + burst,
        "RDMAC16": timing["rl_register"] + burst + 1,
        "RDAF16": timing["rl_register"] + burst + 1,
    }
    return {c.name: max(3, done.get(c.name, 1) + 2) for c in spec.commands.commands}


def _spec(chip: Chip) -> PimSpec:
    return spec_of(chip, "aim")


def check(chip: Chip, workload: Workload, seed: int) -> None:
    """Raise `InputError` unless the channel of `chip` can run `workload`."""
    float_workload(_spec(chip).title, workload)


@bench_test(timeout_cycles=100_000_000)
async def random_streams_are_accepted_when_the_model_says_and_do_what_it_says(bench: Bench) -> None:
    spec, driver = opened(bench, top)
    driver.kinds[UNKNOWN] = 31

    def walk(cells: Cells) -> RandomAimStreams:
        made = RandomAimStreams(spec, spec.dram.resolve(), cells, bench.rng, rows=ROWS)
        bench.dut.i_config_activation.value = made.device.activation
        return made

    def compare(where: str, walk: RandomAimStreams) -> None:
        device = walk.device
        _same_registers(where, driver, device.accumulator, device.activated, device.buffer)

    await random_streams(bench, driver, spec, table_cells(spec, ROWS), walk, compare)


@bench_test(timeout_cycles=100_000_000)
async def every_command_and_host_request_does_what_plain_arithmetic_says(bench: Bench) -> None:
    spec, driver = opened(bench, top)
    for activation, requests in product(range(len(spec.activations)), (False, True)):
        cells: Cells = {}
        walk = AimInstructionStreams(spec, spec.dram.resolve(), cells, activation, bench.rng, rows=ROWS)
        fill_cells(driver, {key: words.copy() for key, words in cells.items()}, spec)
        if requests:
            walk.requests(every_request())
        else:
            walk.stream(int(bench.parameters.get("rounds", 6)))
        bench.dut.i_config_activation.value = activation
        answer = await driver.play(walk.expected.commands)
        assert set(answer.reasons) == {0}, f"legal commands were refused with the codes {set(answer.reasons) - {0}}"
        where = f"{spec.activations[activation].name}, {'requests' if requests else 'commands'}"
        same_words(where, walk.read, answer.words)
        same_cells(driver, walk.state.rows, spec)
        _same_registers(where, driver, walk.state.accumulators, walk.state.activations, walk.state.buffer)


@bench_test(timeout_cycles=100_000_000)
async def every_result_of_the_network_is_numpys(bench: Bench) -> None:
    if not bench.parameters.get("workload"):
        return
    spec, driver = opened(bench, top)
    timing = spec.dram.resolve()
    bench.dut.i_config_activation.value = 0

    def prepare(weights: np.ndarray, bias: np.ndarray, vectors: np.ndarray) -> Layer:
        commands, cycles = gemv_commands(spec, weights, bias, vectors, AIM_ORDER)

        def results(answer: Answer) -> np.ndarray:
            assert answer.finish == cycles, f"the layer took {answer.finish} cycles, not {cycles}"
            words = np.array([lanes_of(word, spec.units) for word in answer.words], np.uint16)
            return words.reshape(len(vectors), -1)[:, : len(weights)]

        return Layer(
            stream=played(commands),
            results=results,
            cells={place: word_of(word) for place, word in gemv_cells(spec, weights).items()},
        )

    def counts(answer: Answer) -> Counts:
        c, organisation, bits = answer.counts, spec.dram.organisation, spec.dram.organisation.column_bits
        return Counts(
            {
                "dram.activate_kilobyte": c["activate"] * organisation.row_bytes // 1024,
                "dram.read_bit": bits * c["bank_read"],
                "dram.write_bit": bits * c["bank_write"],
                "dram.write_pin_bit": bits * c["word_in"],
                "dram.read_pin_bit": bits * c["word_out"],
                "dram.background_ns": round(answer.finish * spec.dram.clock_ns),
                "pim.mac": spec.lanes * c["unit_mac"],
                "pim.lane_operation": spec.lanes * c["multiply"] + c["activation"],
            }
        )

    await run_network(bench, driver, spec, prepare, lambda s, finish: aim_phases(timing, s, finish), counts)


@bench_test(timeout_cycles=100_000)
async def an_unknown_opcode_is_refused_and_changes_nothing_else(bench: Bench) -> None:
    _, driver = opened(bench, top)
    driver.kinds[UNKNOWN] = 31
    word = bench.rng.integers(0, 1 << 16, 16).astype(np.uint16)
    data = to_integer(word)
    stream = [
        Played(0, "ACT", 2, 5),
        Played(1, UNKNOWN, 2, 5),
        Played(60, "WR", 2, 0, 9, data),
        Played(61, UNKNOWN, 2, 0, 9, 1),
        Played(120, "RD", 2, 0, 9),
        Played(121, "RD", 3, 0, 9),
    ]
    answer = await driver.play(stream)
    assert answer.reasons == [0, ERRORS["unknown_opcode"], 0, ERRORS["unknown_opcode"], 0, ERRORS["wrong_row_state"]]
    assert answer.words == [data], f"the word read is {answer.words}, not {data:#x}"
    assert answer.error == ERRORS["unknown_opcode"], "the first refusal stays in the sticky status"
    assert (answer.counts["activate"], answer.counts["bank_write"], answer.counts["bank_read"]) == (1, 1, 1)


def _same_registers(
    where: str,
    driver: PimDriver,
    accumulators: np.ndarray,
    activations: np.ndarray,
    buffer: np.ndarray,
) -> None:
    units = driver.dut.channel.units
    for u in range(len(accumulators)):
        unit = getattr(units, f"unit_{u}")
        same_registers(where, f"accumulator of unit {u}", unit.accumulators, accumulators[u])
        same_registers(where, f"activation of unit {u}", unit.activated, activations[u])
    words = np.array([to_integer(word) for word in buffer], dtype=object)
    same_registers(where, "global buffer", units.buffer, words)
