"""Emission: equal components give equal files, equal cells are printed once, the manifest names what is there."""

import json
import re

import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, enum, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.emit.verilog import emit


class Op(enum.Enum, shape=2):
    HOLD = 0
    ADD = 1


class Cell(wiring.Component):
    """A multiply-accumulate cell with a kept weight."""

    a: In(signed(8))
    load: In(1)
    sum_in: In(signed(20))
    right: Out(signed(8))
    sum_out: Out(signed(20))

    def elaborate(self, platform):
        m = Module()
        weight = Signal(signed(8))
        with m.If(self.load):
            m.d.sync += weight.eq(self.a)
        m.d.sync += [self.right.eq(self.a), self.sum_out.eq(self.sum_in + weight * self.a)]
        return m


class Grid(wiring.Component):
    """n x n cells, a memory behind them, a state machine and an enumeration."""

    def __init__(self, n, init=()):
        self.n = n
        self.init = list(init)
        payload = data.StructLayout({"a": signed(8), "op": Op})
        super().__init__(
            {
                "i": In(stream.Signature(payload)),
                "o": Out(stream.Signature(signed(20), always_ready=True)),
                "address": In(4),
                "state": Out(Op),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.store = store = memory.Memory(shape=20, depth=16, init=self.init)
        write, read = store.write_port(), store.read_port()
        sums = [0] * self.n
        for row in range(self.n):
            a = self.i.payload.a
            for column in range(self.n):
                cell = Cell()
                m.submodules[f"cell_{row}_{column}"] = cell
                m.d.comb += [cell.a.eq(a), cell.sum_in.eq(sums[column]), cell.load.eq(self.i.valid)]
                a, sums[column] = cell.right, cell.sum_out
        m.d.comb += [
            write.addr.eq(self.address),
            write.data.eq(sum(sums)),
            write.en.eq(1),
            read.addr.eq(self.address),
            self.o.payload.eq(read.data),
            self.o.valid.eq(1),
            self.i.ready.eq(1),
        ]
        with m.FSM(name="control"):
            with m.State("IDLE"):
                m.d.comb += self.state.eq(Op.HOLD)
                with m.If(self.i.valid):
                    m.next = "RUN"
            with m.State("RUN"):
                m.d.comb += self.state.eq(Op.ADD)
                m.next = "IDLE"
        return m


@pytest.fixture(scope="module")
def emitted(tmp_path_factory):
    return emit(Grid(5), "grid", tmp_path_factory.mktemp("rtl"))


def test_two_emissions_are_equal_byte_for_byte(emitted, tmp_path):
    again = emit(Grid(5), "grid", tmp_path)
    assert again.digest == emitted.digest
    assert again.verilog == emitted.verilog
    assert again.manifest_path.read_text() == emitted.manifest_path.read_text()


def test_a_changed_component_changes_the_digest(emitted, tmp_path):
    assert emit(Grid(5, init=[1]), "grid", tmp_path).digest != emitted.digest


def test_second_emission_comes_from_the_files_of_the_first(emitted, monkeypatch):
    def forbidden(accept):
        raise AssertionError("Yosys was run although the design is known")

    monkeypatch.setattr("hw.rtl.emit.verilog.find_yosys", forbidden)
    assert emit(Grid(5), "grid", emitted.verilog_path.parent).digest == emitted.digest


def test_a_damaged_file_is_written_again(emitted):
    text = emitted.verilog
    emitted.verilog_path.write_text(text[:100])
    assert emit(Grid(5), "grid", emitted.verilog_path.parent).verilog == text


def test_25_cells_are_printed_at_most_nine_times(emitted):
    instances = {p: m for p, m in emitted.manifest["instances"].items() if ".cell_" in p}
    assert len(instances) == 25
    assert len(set(instances.values())) <= 9  # corners, edges, inside: edges lose tied-off ports
    for module in set(instances.values()):
        assert emitted.verilog.count(f"\nmodule {module}(") == 1


def test_the_manifest_lists_ports_with_direction_width_sign_and_interface(emitted):
    ports = {p["name"]: p for p in emitted.manifest["ports"]}
    assert ports["o__payload"] == {
        "name": "o__payload",
        "direction": "out",
        "width": 20,
        "signed": True,
        "interface": "o",
        "enum": None,
    }
    assert ports["state"]["enum"] == "Op"
    assert ports["clk"]["direction"] == "in"
    assert "o__ready" not in ports  # always ready: a constant, not a port
    kinds = {i["name"]: i["kind"] for i in emitted.manifest["interfaces"]}
    assert kinds == {"": "port", "i": "stream", "o": "stream"}


def test_the_manifest_lists_registers_memories_and_enumerations(emitted):
    signals = {s["path"]: s for s in emitted.manifest["signals"]}
    assert signals["grid.cell_2_2.weight"]["register"]
    assert signals["grid.cell_2_2.weight"]["signed"]
    assert not signals["grid.cell_2_2.load"]["register"]
    assert signals["grid.i__payload.op"]["enum"] == "Op"
    assert emitted.manifest["enums"]["Op"] == {"0": "HOLD", "1": "ADD"}
    assert emitted.manifest["enums"][signals["grid.control_state"]["enum"]] == {"0": "IDLE", "1": "RUN"}
    assert [(m["path"], m["width"], m["depth"]) for m in emitted.manifest["memories"]] == [("grid.store", 20, 16)]
    assert json.loads(emitted.manifest_path.read_text()) == emitted.manifest


def test_every_register_of_the_verilog_is_in_the_manifest_with_its_width(tmp_path):
    from hw import chips
    from hw.rtl.npu.core_top import CoreTop

    core = emit(CoreTop(chips.load("tiny").core), "core_tiny", tmp_path)
    registers: dict[str, dict[str, int]] = {}
    for text in ("\n" + core.verilog).split("\nmodule ")[1:]:
        found = re.findall(r"^  reg (?:signed )?(?:\[(\d+):0\] )?(\\\S+|\w+)[^\[\n]*;$", text, re.MULTILINE)
        registers[text.split("(")[0].strip()] = {name.lstrip("\\"): int(high or 0) + 1 for high, name in found}
    wanted = {
        f"{path}.{name}": width
        for path, module in core.manifest["instances"].items()
        for name, width in registers[module].items()
    }
    listed = {s["path"]: s["width"] for s in core.manifest["signals"] if s["register"]}
    assert len(wanted) > 200
    assert listed == wanted


def test_a_cleared_memory_is_cleared_by_a_loop_and_contents_are_kept(emitted, tmp_path):
    assert "store[0] =" not in emitted.verilog
    assert "store[clear_store] = 20'h0;" in emitted.verilog
    assert "store[0] = 20'h00007;" in emit(Grid(2, init=[7]), "grid", tmp_path).verilog


def test_a_name_that_is_no_identifier_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be an identifier, not 'a-b'"):
        emit(None, "a-b", tmp_path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="must be writable"):
        emit(Grid(2), "grid", tmp_path / "file" / "below")
