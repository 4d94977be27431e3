"""The page of benchmarks: one line per core, written whole."""

from pathlib import Path

from tb.npu import table


def _row(size: int) -> table.Row:
    return table.Row(
        size=size,
        gates=12_345,
        flip_flops=678,
        memory_bits=9_000,
        modules=20,
        emit_s=1.25,
        build_s=30.0,
        build_cpu_s=45.5,
        cycles=4096,
        cycles_per_s=250_000.4,
    )


def test_every_core_has_a_line_and_the_tools_are_named(tmp_path: Path) -> None:
    path = table.write([_row(4), _row(32)], {"verilator": "5.1", "cocotb": "2.0"}, tmp_path / "page.md")
    lines = path.read_text().splitlines()
    assert "| 32 x 32 | 12,345 | 678 | 9,000 | 20 | 1.2 | 30.0 | 45.5 | 250,000 |" in lines
    assert sum(line.startswith("| 4 x 4 ") for line in lines) == 1
    assert lines[-1].endswith("Tools: cocotb 2.0, verilator 5.1.")
    assert max(len(line) for line in lines) <= 160


def test_cores_of_the_table_have_room_for_the_measured_gemms() -> None:
    for size in table.SIZES:
        core, blocks = table.core_of(size), max(1, 64 // size)
        assert core.array.rows == core.array.columns == size
        assert blocks * blocks * size <= min(core.activation_words, core.weight_words, core.output_words)
