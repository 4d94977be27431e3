"""How fast the core is simulated: a cocotb test that starts and waits, and a plain C++ loop on the same model.

Run by `kcloud-cosim tb bench`. Both queue the same commands and count CPU seconds from the first command to idle.
"""

import time

import numpy as np

from hw import chips
from hw.base.integer import ceil_div
from hw.rtl.emit.verilog import Emitted
from hw.spec.command import Command, command_bits
from hw.spec.core import CoreSpec
from tb.bench.bench import Bench, bench_test, parameters
from tb.bench.speed import SpeedJob
from tb.npu.agreement_tests import core_from
from tb.npu.core_tests import CoreBench

_CPP = """// A plain loop around the Verilated model: fill the memories through the host ports, queue, wait.
#include <cstdint>
#include <cstdio>
#include <ctime>
#include "Vtop.h"
#include "verilated.h"

static Vtop* top;
static uint64_t state = 88172645463325252ull;
static uint32_t draw() {{ state ^= state << 13; state ^= state >> 7; state ^= state << 17; return state >> 16; }}
static void tick() {{ top->clk = 1; top->eval(); top->clk = 0; top->eval(); }}
static const uint32_t commands[{count}][{words}] = {{{table}}};

int main() {{
    top = new Vtop;
    top->clk = 0;
    top->rst = 1; top->eval(); tick(); tick(); top->rst = 0; top->eval();
{fill}
    const clock_t start = clock();
    uint64_t cycles = 0;
    for (int c = 0; c < {count}; ++c) {{
        for (int w = 0; w < {words}; ++w) top->{payload}[w] = commands[c][w];
        top->{valid} = 1;
        top->eval();
        while (!top->{ready}) {{ tick(); ++cycles; }}
        tick(); ++cycles;
    }}
    top->{valid} = 0;
    top->eval();
    while (!top->{idle}) {{ tick(); ++cycles; }}
    std::printf("%llu %.6f\\n", (unsigned long long)cycles, double(clock() - start) / CLOCKS_PER_SEC);
    return 0;
}}
"""


def _member(port: str) -> str:
    """The C++ member of a port: Verilator writes a double underscore as ___05F."""
    return port.replace("__", "___05F")


def commands(size: int, count: int, rows: int) -> list[int]:
    """`count` packed commands of `size` cubed on operands at address 0."""
    blocks = size // rows
    return [Command(m=size, n_blocks=blocks, k_blocks=blocks).pack()] * count


def harness_source(emitted: Emitted, packed: list[int], words: int) -> str:
    """The C++ program; `words` are written to the activation and weight memories."""
    widths = {port["name"]: port["width"] for port in emitted.manifest["ports"]}
    fill = []
    for memory, count in (("i_activation", words), ("i_weight", words), ("i_parameter", 64)):
        data = _member(f"{memory}__data")
        width = widths[f"{memory}__data"]
        if width > 64:
            assign = "".join(f"top->{data}[{i}] = draw(); " for i in range(width // 32))
        else:
            assign = f"top->{data} = draw(); "
        fill.append(
            f"    for (int i = 0; i < {count}; ++i) {{ top->{_member(f'{memory}__enable')} = 1; "
            f"top->{_member(f'{memory}__address')} = i; {assign}top->eval(); tick(); }}\n"
            f"    top->{_member(f'{memory}__enable')} = 0;"
        )
    word_count = ceil_div(command_bits(), 32)
    table = ", ".join(
        "{" + ", ".join(f"{value >> 32 * i & 0xFFFFFFFF:#x}u" for i in range(word_count)) + "}" for value in packed
    )
    return _CPP.format(
        count=len(packed),
        words=word_count,
        table=table,
        fill="\n".join(fill),
        payload=_member("i_command__payload"),
        valid=_member("i_command__valid"),
        ready=_member("i_command__ready"),
        idle=_member("status__idle"),
    )


def job(chip: str, emitted: Emitted) -> SpeedJob:
    """A queue full of the largest products whose operands the core holds, up to 256 cubed."""
    core = chips.machine(chips.load(chip), CoreSpec, "RTL")
    rows = core.array.rows
    blocks = min(256 // rows, int((min(core.activation_words, core.weight_words, core.output_words) // rows) ** 0.5))
    size, words = blocks * rows, blocks * blocks * rows
    count = min(core.command_entries, max(1, 1_000_000 // (blocks * blocks * size)))
    return SpeedJob(
        title=f"{count} GEMMs of {size} x {size} x {size} queued",
        module="tb.npu.speed",
        parameters={"chip": chip, "size": size, "words": words, "count": count},
        source=harness_source(emitted, commands(size, count, rows), words),
    )


@bench_test(timeout_cycles=2_000_000_000)
async def start_and_wait(bench: Bench) -> None:
    """Operands by back door, all commands queued, asleep until idle; as often as `rounds` says."""
    given = parameters()
    core = core_from(given["core"]) if "core" in given else chips.load(given["chip"]).core
    assert core is not None, "the speed is measured on a chip with a core"
    unit = CoreBench(bench, core)
    rng = np.random.default_rng(bench.seed)
    for memory, count in (
        (unit.activation_memory, given["words"]),
        (unit.weight_memory, given["words"]),
        (unit.parameter_memory, 64),
    ):
        width = len(memory[0])
        unit.store(memory, 0, [int.from_bytes(rng.bytes(width // 8), "little") for _ in range(count)])
    await bench.cycles(2)
    queue = commands(given["size"], given["count"], core.array.rows)
    payload, valid, ready = (getattr(bench.dut, f"i_command__{name}") for name in ("payload", "valid", "ready"))
    start, first = time.process_time(), bench.cycle
    rounds = given.get("rounds", 1)
    for _ in range(rounds):
        for command in queue:
            payload.value = command
            valid.value = 1
            await bench.edge
            assert int(ready.value), "the queue holds all commands"
        valid.value = 0
        await bench.edge
        await bench.until(unit.idle)
    bench.report(cycles=bench.cycle - first, cpu_s=time.process_time() - start)
    assert int(unit.completed.value) == rounds * len(queue), "every command is completed"
