"""How fast a whole system is simulated: a cocotb test that loads, starts and waits, and a plain C++ loop.

Run by `kcloud-cosim tb bench --chip npu_aim`. Both write the same program and weights into the memories, count CPU
seconds from reset to the end of the program, and must need the cycles of the model.
"""

import time

from hw import chips
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.rtl.emit.verilog import Emitted
from hw.spec.system import SystemSpec
from model import workloads
from model.cycle.system.pim_share import lowered_of
from model.cycle.system.predict import decoder_of
from model.lowering.decoder.lowered import Lowered
from tb.bench.bench import Bench, bench_test, parameters
from tb.bench.build import BUILD
from tb.bench.speed import SpeedJob
from tb.system.decoder_tests import DecoderBench
from tb.system.image import packed

WORKLOAD = "tiny_npu@tokens=4,pim=both"

_CPP = """// A plain loop around the Verilated model: write the memories, reset, run to the end of the program.
#include <cstdint>
#include <cstdio>
#include <ctime>
#include "Vtop.h"
#include "verilated.h"
#include "verilated_syms.h"

struct Record { char scope[128]; char name[32]; uint32_t address; uint32_t word[8]; };
static Vtop* top;
static void tick() { top->clk = 1; top->eval(); top->clk = 0; top->eval(); }

int main(int argc, char** argv) {
    top = new Vtop;
    top->clk = 0; top->rst = 1; top->i_run = 0;
    top->eval();
    FILE* image = std::fopen(argv[1], "rb");
    Record record;
    while (image && std::fread(&record, sizeof record, 1, image) == 1) {
        const VerilatedScope* scope = Verilated::threadContextp()->scopeFind(record.scope);
        const VerilatedVar* memory = scope ? scope->varFind(record.name) : nullptr;
        if (!memory) { std::fprintf(stderr, "no memory %s.%s\\n", record.scope, record.name); return 1; }
        const size_t size = memory->entSize() / 4;
        for (size_t i = 0; i < size; ++i)
            static_cast<uint32_t*>(memory->datap())[record.address * size + i] = record.word[i];
    }
    tick(); tick();
    top->rst = 0; top->i_run = 1;
    top->eval();
    const clock_t start = clock();
    uint64_t cycles = 0;
    while (!top->o_finished) { tick(); ++cycles; }
    std::printf("%llu %.6f\\n", (unsigned long long)cycles, double(clock() - start) / CLOCKS_PER_SEC);
    return 0;
}
"""


def _lowered(chip: str) -> Lowered:
    spec = chips.machine(chips.load(chip), SystemSpec, "the speed of a system")
    if spec.crossbar is not None:
        raise InputError(
            f"the plain loop loads memories and no crossbars, {chip} has some; choose npu_aim or npu_hbm_pim"
        )
    return lowered_of(spec, decoder_of(workloads.load(WORKLOAD)))[0]


def job(chip: str, emitted: Emitted) -> SpeedJob:
    """`WORKLOAD` on the system of `chip`."""
    path = BUILD / "speed" / f"{emitted.name}.image"
    write_atomically(path, packed(_lowered(chip), emitted.name))
    return SpeedJob(
        title=f"{WORKLOAD} from reset to the end of the program",
        module="tb.system.speed",
        parameters={"chip": chip},
        source=_CPP,
        arguments=(str(path),),
        publish=True,
    )


@bench_test(timeout_cycles=2_000_000_000)
async def load_start_and_wait(bench: Bench) -> None:
    """Memories by back door, asleep until the program has ended."""
    watched = DecoderBench(bench, _lowered(parameters()["chip"]))
    watched.load()
    await watched.start()
    start, first = time.process_time(), bench.cycle
    await bench.until(bench.dut.o_finished)
    bench.report(cycles=bench.cycle - first, cpu_s=time.process_time() - start)
    assert not int(bench.dut.o_error.value), "the channel refused a command of the controller"
