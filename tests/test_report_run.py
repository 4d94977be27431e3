"""The run's own page: the machine drawn from its description, cycles by cause, a trace that viewers open."""

import json
from pathlib import Path

import pytest

from hw import chips
from model.report import run_trace
from model.report.figure_run import cycles, machine
from model.report.figure_style import plt
from model.report.machine_part import parts_of
from model.report.summary import Summary, summarise


@pytest.fixture(scope="module")
def summary() -> Summary:
    return summarise("npu_16", chips.load("npu_16"), "digits", 1, chips.load_all()[0])


def test_every_built_machine_has_parts_to_draw() -> None:
    for name, chip in chips.load_all()[0].items():
        if chip.machine is not None:
            parts = parts_of(chip.machine)
            assert parts.rows, name
            assert parts.columns, name
            assert all(memory.bytes > 0 for memory in parts.memories), name
    assert parts_of("nobody drew this").memories == ()


def test_bytes_of_the_reference_core() -> None:
    """Hand calculation: 16,384 words of 16 INT8 values are 256 KiB; 1,024 rows of 16 32-bit sums 64 KiB."""
    sizes = {memory.name: memory.bytes for memory in parts_of(chips.load("npu_16").machine).memories}
    assert sizes["activations"] == sizes["weights"] == sizes["outputs"] == 256 * 1024
    assert sizes["accumulators"] == 64 * 1024


def test_bytes_of_the_hbm_pim_channel() -> None:
    """A pseudo-channel of 16 banks of 8,192 rows of 1 KiB; 8 registers of 256 bits in each of 8 units."""
    parts = parts_of(chips.load("hbm_pim").machine)
    sizes = {memory.name: (memory.copies, memory.bytes) for memory in parts.memories}
    organisation = chips.load("hbm_pim").pim.dram.organisation  # type: ignore[union-attr]
    row = organisation.columns * organisation.column_bits // 8
    assert sizes["DRAM banks"] == (organisation.banks, organisation.banks * organisation.rows * row)
    assert sizes["GRF_A"] == (8, 8 * 8 * 32)


def test_the_trace_holds_every_cycle_once_for_each_witness(summary: Summary) -> None:
    text = run_trace.render(summary)
    assert text is not None
    events = json.loads(text)["traceEvents"]
    names = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    assert names == {1: "RTL, measured", 2: "model, predicted"}
    for process in names:
        for thread in (1, 2):
            slices = [e for e in events if e["ph"] == "X" and (e["pid"], e["tid"]) == (process, thread)]
            ends = [e["ts"] + e["dur"] for e in slices]
            assert [e["ts"] for e in slices] == [0, *ends[:-1]]
            assert ends[-1] == 9531
    layers = [(e["name"], e["dur"]) for e in events if e["ph"] == "X" and (e["pid"], e["tid"]) == (1, 1)]
    assert layers == [("layer_0", 5817), ("layer_1", 2937), ("layer_2", 777)]


def test_bars_of_causes_add_up_to_the_run(summary: Summary) -> None:
    canvas = cycles(summary)
    assert canvas is not None
    (axes,) = canvas.axes
    widths: dict[float, float] = {}
    for bar in axes.patches:
        widths[bar.get_y()] = widths.get(bar.get_y(), 0) + bar.get_width()  # type: ignore[attr-defined]
    assert len(widths) == 4
    assert set(widths.values()) == {9531}
    legend = axes.get_legend()
    assert legend is not None
    assert "stream 98.2%" in [text.get_text() for text in legend.get_texts()]
    plt.close(canvas)


def test_the_grid_has_a_square_for_each_cell(summary: Summary) -> None:
    canvas = machine(summary)
    assert canvas is not None
    assert len(canvas.axes[0].patches) == 256
    plt.close(canvas)


def test_every_row_of_the_trace_has_a_name(summary: Summary) -> None:
    events = json.loads(run_trace.render(summary) or "")["traceEvents"]
    named = {(e["pid"], e["tid"]) for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    assert named == {(e["pid"], e["tid"]) for e in events if e["ph"] == "X"}
    assert {e["pid"] for e in events if e["ph"] == "M" and e["name"] == "process_name"} == {p for p, _ in named}


def test_the_report_of_a_run_has_the_trace_beside_it(summary: Summary, tmp_path: Path) -> None:
    from dataclasses import replace

    from model.report.write import write_report

    names = write_report(replace(summary, about="run", folder=tmp_path), ("text",), plots=False)
    assert names == ["report.txt", "trace.json"]
    assert (tmp_path / "trace.json").read_text() == run_trace.render(summary)
    assert write_report(replace(summary, about="programme", folder=tmp_path), ("text",), plots=False) == ["report.txt"]
