"""GDDR6-AiM cycles: every measured point of the public simulator, and the closed form that follows from the rules."""

import csv
import random
from pathlib import Path

import pytest

from hw import chips
from hw.base.error import InputError
from model.cycle.dram_pim.aim import AimChannel, HostRequest
from model.cycle.dram_pim.bank import Banks
from model.cycle.dram_pim.run import Aim

DATA = Path(__file__).parent / "data" / "pim"
SPEC = chips.load("aim").pim
assert SPEC is not None
GEMV = list(csv.DictReader((DATA / "aim_gemv_cycles.csv").open()))
MICRO = {row["trace"]: int(row["cycles"]) for row in csv.DictReader((DATA / "aim_micro_cycles.csv").open())}


@pytest.mark.parametrize("row", GEMV, ids=lambda r: f"{r['channels']}-{r['out']}-{r['order']}")
def test_gemv_takes_the_measured_cycles_and_commands(row: dict[str, str]) -> None:
    machine = Aim(SPEC, channels=int(row["channels"]))
    order = {"no-reuse": "simple", "reuse-GB": "batched"}[row["order"]]
    result = machine.run(machine.requests("gemv", outputs=int(row["out"]), inputs=int(row["in"]), order=order))
    assert result.cycles == int(row["cycles"])
    assert sum(result.breakdown.values()) == result.cycles
    for command in ("ACT16", "MAC16", "PREA", "TMOD", "RDMAC16", "WRMAC16", "WRGB"):
        assert result.commands[command] == int(row[command])
    assert result.work["requests"] == int(row["isr_count"])


def request(name: str, count: int = 1, row: int = 0, bank: int | None = None) -> HostRequest:
    return HostRequest(name=name, count=count, row=row, bank=bank)


def mac(row: int) -> HostRequest:
    return request("MAC_ABK", 64, row)


TRACES = {
    "MAC_ABK 64 columns x 1024 rows (32 channels)": lambda i: [mac(i)],
    "EWMUL 64 columns x 1024 rows (32 channels)": lambda i: [request("EWMUL", 64, i)],
    "RD_MAC x 1024": lambda i: [request("RD_MAC")],
    "WR_BIAS x 1024": lambda i: [request("WR_BIAS")],
    "WR_ABK x 1024 (1 channel)": lambda i: [request("WR_ABK", 1, i)],
    "WR_BIAS + MAC_ABK64 + AF + RD_AF; 1024 times": lambda i: [
        request("WR_BIAS"),
        mac(0),
        request("AF"),
        request("RD_AF"),
    ],
    "WR_BIAS + MAC_ABK64 + RD_MAC + MAC_ABK64; 1024 times": lambda i: [
        request("WR_BIAS"),
        mac(0),
        request("RD_MAC"),
        mac(1),
    ],
    "WR_GB64 + COPY_GBBK64 + COPY_BKGB64; 1024 times": lambda i: [
        request("WR_GB", 64),
        request("COPY_GBBK", 64, i, 0),
        request("COPY_BKGB", 64, i, 8),
    ],
}


@pytest.mark.parametrize("trace", list(TRACES))
def test_micro_trace_takes_the_measured_cycles(trace: str) -> None:
    channel = AimChannel(SPEC, SPEC.dram.resolve())
    assert channel.run([r for i in range(1024) for r in TRACES[trace](i)]) == MICRO[trace]


@pytest.mark.parametrize(("outputs", "inputs", "channels"), [(16, 16, 1), (100, 700, 2), (2048, 3000, 4)])
def test_batched_order_is_never_slower_than_the_simple_one(outputs: int, inputs: int, channels: int) -> None:
    machine = Aim(SPEC, channels=channels)
    simple, batched = (
        machine.run(machine.requests("gemv", outputs=outputs, inputs=inputs, order=order)).cycles
        for order in ("simple", "batched")
    )
    assert batched <= simple


def test_elementwise_and_activation_kernels_do_the_work() -> None:
    machine = Aim(SPEC, channels=1)
    product = machine.run(machine.requests("ewmul", elements=4096))
    assert product.counts["pim.lane_operation"] == 4096
    applied = machine.run(machine.requests("activation", elements=64))
    assert applied.commands["AF16"] == 4


def test_unknown_order_and_kernel_are_named() -> None:
    machine = Aim(SPEC)
    with pytest.raises(InputError, match="order must be simple or batched, not 'fast'"):
        machine.requests("gemv", outputs=1, inputs=1, order="fast")
    with pytest.raises(InputError, match="an AiM kernel must be one of gemv, ewmul, activation, not 'add'"):
        machine.requests("add", elements=1)


@pytest.mark.parametrize("seed", range(40))
def test_equal_commands_in_a_row_are_issued_together_as_one_at_a_time(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cycles, causes, counts and every command's cycle, of drawn requests with timings drawn around the device's."""
    draw, spec = random.Random(seed), SPEC
    assert spec is not None
    timing = spec.dram.resolve()
    near = draw.sample([name for name in spec.dram.timings_ns if name in timing.cycles], 3)
    timing = spec.dram.resolve("default", {name: max(0, timing.cycles[name] + draw.randint(-3, 5)) for name in near})
    kernels = [h for h in spec.commands.host_commands if h.command]
    requests = []
    for host in draw.choices(kernels, k=30):
        one_bank = spec.commands.command(host.command).scope == "bank"
        count = 1 if host.blocking else draw.choice([1, 2, 20, 33, 34, 64, 100])
        bank = draw.randrange(16) if one_bank else None
        requests.append(HostRequest(name=host.name, count=count, row=draw.randrange(3), bank=bank))

    def played() -> tuple:
        channel = AimChannel(spec, timing)
        channel.trace = []
        return channel.run(requests), channel.trace, channel.counts, channel.causes

    together = played()
    monkeypatch.setattr(Banks, "in_a_window", lambda self, command: True)
    assert together == played()
