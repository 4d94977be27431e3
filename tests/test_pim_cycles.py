"""HBM-PIM cycles: every measured point of the public simulator, and the same rules by stepping without reuse."""

import csv
import random
from pathlib import Path

import pytest

from hw import chips
from hw.base.error import InputError
from model.cycle.dram_pim.host_kernels import layout_segments
from model.cycle.dram_pim.player import Player
from model.cycle.dram_pim.result import hbm_breakdown
from model.cycle.dram_pim.run import HbmPim
from model.cycle.dram_pim.stream import flatten

DATA = Path(__file__).parent / "data" / "pim"
SPEC = chips.load("hbm_pim").pim
assert SPEC is not None
POINTS = list(csv.DictReader((DATA / "hbmpim_pimsimulator_cycles.csv").open()))
PIM = [p for p in POINTS if p["mode"] == "pim"]
HOST = [p for p in POINTS if p["mode"] == "host"]


def sizes(point: dict[str, str]) -> dict[str, int]:
    if point["kernel"] == "GEMV":
        return {"outputs": int(point["out"]), "inputs": int(point["in"]), "batch": int(point["batch"])}
    return {"elements": int(point["out"])}


def system(point: dict[str, str]) -> HbmPim:
    return HbmPim(
        SPEC,
        preset="pimsimulator",
        channels=int(point["channels"]),
        ranks=int(point["ranks"]),
        refresh=point["refresh"] == "on",
    )


def name(point: dict[str, str]) -> str:
    return "-".join(point[k] for k in ("system", "kernel", "out", "in", "batch", "refresh"))


@pytest.mark.parametrize("point", PIM, ids=name)
def test_pim_kernel_takes_the_measured_cycles(point: dict[str, str]) -> None:
    result = system(point).run(point["kernel"].lower(), **sizes(point))
    assert result.cycles == int(point["cycles"])
    assert sum(result.breakdown.values()) == result.cycles
    assert result.commands["RD"] == int(point["reads_per_channel"])
    assert result.commands["WR"] == int(point["writes_per_channel"])


@pytest.mark.parametrize("point", HOST, ids=name)
def test_host_stream_takes_the_measured_cycles(point: dict[str, str]) -> None:
    result = system(point).run("host_" + point["kernel"].lower(), **sizes(point))
    assert result.cycles == int(point["cycles"])
    assert sum(result.breakdown.values()) == result.cycles


@pytest.mark.parametrize(
    "row", list(csv.DictReader((DATA / "hbmpim_timing_sensitivity.csv").open())), ids=lambda r: r["changed_parameter"]
)
def test_changed_timing_takes_the_measured_cycles(row: dict[str, str]) -> None:
    names = {"default": {}, "tRP=20": {"t_rp": 20}, "RL=28": {"rl": 28}}
    changed = names[row["changed_parameter"]]
    run = HbmPim(SPEC, preset="pimsimulator", ranks=2, refresh=False, overrides=changed).run(
        "gemv", outputs=4096, inputs=4096
    )
    assert run.cycles == int(row["cycles_no_refresh"])


def test_weight_layout_and_read_back_take_the_measured_cycles() -> None:
    # measured with two ranks: 44 297 and 11 368 cycles to write, 181 to read 4096 results
    machine = HbmPim(SPEC, preset="pimsimulator", ranks=2)
    assert machine.layout(4096, 1024) == {"weight_write": 11368, "result_read": 181}
    assert machine.layout(4096, 4096)["weight_write"] == 44297
    assert machine.layout(16384, 4096)["weight_write"] == 176693


@pytest.mark.parametrize(("outputs", "inputs", "cycles"), [(4096, 1024, 4680), (4096, 4096, 16653)])
def test_a_gemv_that_stores_partial_sums_takes_the_measured_cycles(outputs: int, inputs: int, cycles: int) -> None:
    # hbmpim_extra.csv, "GEMV tree variant"
    machine = HbmPim(SPEC, preset="pimsimulator", ranks=2)
    result = machine.run("gemv_tree", outputs=outputs, inputs=inputs)
    assert result.cycles == cycles == sum(result.breakdown.values())


def test_a_kernel_right_after_its_weights_were_written_meets_the_measured_refreshes() -> None:
    # 3662 when started at cycle 0
    machine = HbmPim(SPEC, preset="pimsimulator", ranks=2)
    channel = machine.controller()
    player = Player(channel)
    player.play_open(layout_segments(machine.builder, 4096, 1024, 64))
    start = channel.finish
    channel.idle_until(start)
    player.play_fenced(machine.stream("gemv", outputs=4096, inputs=1024).segments)
    assert channel.finish - start == 3702


def test_kernels_issue_the_measured_commands() -> None:
    machine = HbmPim(SPEC, preset="pimsimulator", channels=1, ranks=2, refresh=False)
    gemv = machine.run("gemv", outputs=64, inputs=4096).commands
    relu = machine.run("relu", elements=8192).commands
    assert gemv == {"ACT": 137, "PRE": 137, "RD": 2080, "WR": 273, "REF": 0}
    assert relu == {"ACT": 57, "PRE": 57, "RD": 96, "WR": 73, "REF": 0}


@pytest.mark.parametrize(("kernel", "mebibytes", "cycles"), [("host_read", 8, 36286), ("host_write", 16, 68795)])
def test_plain_streams_have_the_measured_bandwidth(kernel: str, mebibytes: int, cycles: int) -> None:
    machine = HbmPim(SPEC, preset="pimsimulator", channels=16)
    assert machine.run(kernel, elements=mebibytes << 19).cycles == cycles


@pytest.mark.parametrize("seed", range(40))
def test_reused_segments_equal_stepping_every_request(seed: int) -> None:
    draw = random.Random(seed)
    overrides = draw.choice(
        [
            {},
            {"t_rp": draw.randint(8, 24)},
            {"wl": draw.randint(4, 12)},
            {"t_ccd_l": 6},
            {"t_wtr_l": draw.randint(4, 16)},
            {"t_wr": 30},
            {"t_rcd_rd": 22},
            {"t_refi": 1500},
        ]
    )
    machine = HbmPim(
        SPEC,
        preset=draw.choice(["default", "pimsimulator"]),
        channels=draw.choice([1, 3, 16]),
        ranks=draw.choice([1, 2]),
        refresh=draw.random() < 0.6,
        overrides=overrides,
    )
    kernel = draw.choice(["gemv", "gemv_tree", "add", "mul", "relu"])
    given = {"outputs": draw.randint(1, 2000), "inputs": draw.randint(1, 1500), "batch": draw.randint(1, 3)}
    if not kernel.startswith("gemv"):
        given = {"elements": draw.randint(10_000, 300_000)}
    elif machine.channels == 1:
        given["outputs"] = draw.randint(1, 300)
    result = machine.run(kernel, **given)
    plain = machine.controller()
    plain.trace = []  # written down command by command: no stretch is served at once
    plain.give(flatten(machine.stream(kernel, **given).segments))
    plain.run()
    plain.idle_until(plain.finish)
    assert result.cycles == plain.finish
    assert result.breakdown == hbm_breakdown(plain, plain.finish)
    assert list(result.commands.values()) == [plain.tally[0] + plain.tally[1], *plain.tally[2:6]]


@pytest.mark.parametrize("seed", range(12))
def test_reused_host_segments_equal_stepping_every_request(seed: int) -> None:
    from model.cycle.dram_pim.host_kernels import HostStream

    draw = random.Random(100 + seed)
    overrides = {"t_refi": draw.choice([800, 1500, 3900]), "t_wr": draw.choice([16, 30])}
    machine = HbmPim(
        SPEC,
        channels=1,
        ranks=draw.choice([1, 2]),
        refresh=seed % 4 > 0,
        overrides=overrides,
        preset="pimsimulator" if seed % 2 else "default",
    )
    bursts, write = draw.randint(1500, 6000), draw.random() < 0.5
    result = machine.run("host_write" if write else "host_read", elements=bursts * 16)
    plain = machine.controller()
    plain.give(flatten(HostStream(SPEC).segments(0, bursts, write)))
    plain.run()
    plain.idle_until(plain.finish)
    assert result.cycles == plain.finish
    assert result.breakdown == hbm_breakdown(plain, plain.finish)
    assert list(result.commands.values()) == [plain.tally[0] + plain.tally[1], *plain.tally[2:6]]


def test_default_rules_never_run_faster_than_the_preset_and_count_the_same_work() -> None:
    strict = HbmPim(SPEC).run("gemv", outputs=4096, inputs=4096)
    loose = HbmPim(SPEC, preset="pimsimulator").run("gemv", outputs=4096, inputs=4096)
    assert strict.cycles > loose.cycles
    assert strict.counts["pim.mac"] == loose.counts["pim.mac"] == 4096 * 4096


def test_plain_reads_between_two_kernels_are_served_and_counted() -> None:
    mixed = HbmPim(SPEC, refresh=False).run_between("gemv", 512, outputs=1024, inputs=1024)
    assert mixed["cycles"] == 2 * mixed["kernel"] + mixed["reads"] + mixed["mixing"]
    assert abs(mixed["mixing"]) < 200


def test_sizes_that_do_not_fit_or_make_no_sense_are_named() -> None:
    with pytest.raises(InputError, match="out must be an integer of at least 1, not 0"):
        HbmPim(SPEC).run("gemv", outputs=0, inputs=8)
    with pytest.raises(InputError, match="must fit 4096 rows of a bank"):
        HbmPim(SPEC, channels=1).run("gemv", outputs=1 << 16, inputs=1 << 16)
    with pytest.raises(InputError, match="t_refi must be more than twice t_rfc"):
        HbmPim(SPEC, overrides={"t_refi": 300})


@pytest.mark.parametrize("seed", range(10))
def test_strange_timings_still_serve_everything(seed: int) -> None:
    draw = random.Random(1000 + seed)
    names = [n for n in SPEC.dram.timings_ns if n not in ("t_refi", "t_rfc")]
    overrides = {draw.choice(names): draw.choice([0, 1, 7, 50, 120]) for _ in range(3)}
    result = HbmPim(SPEC, channels=2, overrides=overrides).run("gemv", outputs=100, inputs=300)
    assert sum(result.breakdown.values()) == result.cycles
    assert min(result.breakdown.values()) >= 0


def test_long_bursts_do_not_close_a_mode_row_that_is_still_wanted() -> None:
    slow = {"t_ccd_l": 7, "t_rfc": 0, "t_burst": 120}
    assert HbmPim(SPEC, channels=2, refresh=False, overrides=slow).run("add", elements=2458).cycles > 0
