"""Play long tables of vectors through a unit in Verilator: one row per cycle, compared inside the simulator."""

import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from amaranth.lib import wiring

from hw.rtl.emit.verilog import emit
from tb.bench.build import BUILD, harness

_MAIN = """
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include "Vtop.h"

// Rows of {words} little-endian 32-bit words: {ports}, expected.
int main(int argc, char** argv) {{
    FILE* file = std::fopen(argv[1], "rb");
    if (argc != 2 || !file) return 3;
    std::fseek(file, 0, SEEK_END);
    const long count = std::ftell(file) / (4 * {words});
    std::rewind(file);
    std::unique_ptr<uint32_t[]> rows(new uint32_t[count * {words} + 1]);
    if (std::fread(rows.get(), 4 * {words}, count, file) != (size_t)count) return 4;
    VerilatedContext context;
    Vtop dut(&context);
    {reset}
    long mismatches = 0, first = -1;
    uint32_t found = 0;
    for (long cycle = 0; cycle < count + {latency}; ++cycle) {{
        const uint32_t* in = &rows[(cycle < count ? cycle : count - 1) * {words}];
        {drive}
        {before}
        dut.eval();
        const long row = cycle - {latency};
        if (row >= 0 && (uint32_t)dut.o != rows[row * {words} + {words} - 1]) {{
            if (first < 0) {{ first = row; found = dut.o; }}
            ++mismatches;
        }}
        {after}
    }}
    std::printf("%ld %ld %ld %u\\n", count, mismatches, first, found);
    return 0;
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of a table.

    Parameters
    ----------
    vectors : int
        Rows played.
    mismatches : int
        Rows whose result differed from what was expected.
    first : str
        The first of them in words: its index from 0, the inputs, the result and what was expected; "" if none differed.
    """

    vectors: int
    mismatches: int
    first: str


def play(dut: wiring.Component, name: str, inputs: Mapping[str, np.ndarray], expected: np.ndarray) -> Comparison:
    """Drive one row of `inputs` per cycle and compare `dut.o` exactly `dut.latency` cycles later.

    Every port is at most 32 bits wide; ports not named in `inputs` stay 0. The simulator's binary is
    cached by content, so the same unit is built once.
    """
    latency = dut.latency  # type: ignore[attr-defined]
    columns = [np.asarray(v).astype("<u4") for v in (*inputs.values(), expected)]
    clocked = latency > 0
    main = _MAIN.format(
        words=len(columns),
        ports=", ".join(inputs),
        latency=latency,
        drive=" ".join(f"dut.{port} = in[{index}];" for index, port in enumerate(inputs)),
        reset="dut.rst = 0;" if clocked else "",
        before="dut.clk = 0;" if clocked else "",
        after="dut.clk = 1; dut.eval();" if clocked else "",
    )
    binary = harness(emit(dut, name, BUILD / "rtl"), main)
    with tempfile.NamedTemporaryFile(dir=binary.parent.parent, suffix=".vectors") as table:
        table.write(np.stack(columns, axis=1).tobytes())
        table.flush()
        done = subprocess.run([binary, table.name], capture_output=True, text=True, check=True, timeout=600)
    count, mismatches, first, found = (int(word) for word in done.stdout.split())
    text = ""
    if mismatches:
        row = ", ".join(f"{port} {column[first]:#x}" for port, column in zip(inputs, columns, strict=False))
        text = f"row {first}: {row} gave {found:#x}, expected {int(columns[-1][first]):#x}"
    return Comparison(vectors=count, mismatches=mismatches, first=text)
