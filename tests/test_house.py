"""The plan of the house, counted from the syntax trees: no circle of imports, no question of kind outside the kinds."""

import ast

import pytest

from hw.spec.kind import DOORS, KINDS
from tests.support import house
from tests.support.house import Source


def test_no_modules_import_each_other() -> None:
    found = house.circles(house.graph())
    print(f"circles of imports: {len(found)}")
    assert not found


def test_nothing_asks_what_kind_a_machine_is_but_the_kinds() -> None:
    """A card of published facts alone has no machine; that is no question of kind, and is asked of a local name."""
    found = [
        f"{module}:{line} {text}"
        for module, source in house.sources().items()
        if not module.startswith(house.KIND_ROOMS)
        for line, text in house.kind_tests(source)
    ]
    print(f"questions of kind outside the kinds: {len(found)}")
    assert not found


def test_pim_and_npu_packages_do_not_import_each_other() -> None:
    graph = house.graph()
    for layer in ("hw.rtl", "model.cycle", "tb"):
        for one, other in (("npu", "dram_pim"), ("dram_pim", "npu")):
            found = [
                (module, imported)
                for module, imports in graph.items()
                for imported in imports
                if module.startswith(f"{layer}.{one}") and imported.startswith(f"{layer}.{other}")
            ]
            assert not found


def test_no_library_imports_a_command_line() -> None:
    found = [
        (module, imported)
        for module, imports in house.graph().items()
        for imported in imports
        if imported.startswith(("model.cli", "tb.cli"))
        and not module.startswith(("model.cli", "tb.cli", "model.__main__", "tb.__main__", "tb.entry"))
    ]
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "x = 1 if chip.pim is None else 2",
        "if device.core is None: pass",
        "a = array.dataflow == 'ws'",
        "b = bool(spec.mode_changes)",
        "isinstance(machine, CoreSpec)",
        "c = chips.load('aim').pim is None",
        "if not chip.core: pass",
    ],
)
def test_a_planted_question_of_kind_is_found(text: str) -> None:
    assert list(house.kind_tests(Source("planted", house.ROOT, ast.parse(text))))


def test_a_planted_circle_is_found() -> None:
    assert house.circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_a_quotient_is_rounded_up_by_one_function() -> None:
    found = [
        f"{module}:{line} {text}"
        for module, source in house.sources().items()
        if module != "hw.base.integer"
        for line, text in house.ceiling_divisions(source)
    ]
    print(f"ceiling divisions outside hw.base.integer: {len(found)}")
    assert not found


@pytest.mark.parametrize("text", ["-(-a // b)", "-(-a * c // 8 // b)", "(a + b.c - 1) // b.c", "-(-f(a) // (b + 1))"])
def test_a_planted_ceiling_division_is_found(text: str) -> None:
    assert list(house.ceiling_divisions(Source("planted", house.ROOT, ast.parse(f"x = 1 + {text}"))))


WALKS = {
    "model.projection.figure": "figures of a formula, all held by it",
    "model.projection.projection": "figures of a formula, all held by it",
    "model.serving.timeline": "instances of one run, all held by it",
}
"""Modules that ask which object one is while all of them are held, and which objects."""


def test_nothing_is_kept_by_the_number_of_an_object() -> None:
    """Another object has the number of one that is gone."""
    found = [
        f"{module}:{node.lineno}"
        for module, source in house.sources().items()
        if module not in WALKS
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "id"
    ]
    print(f"calls of id(): {len(found)}")
    assert not found


WORK_FOLDERS = {
    "hw.gates.compiled": "source for the C compiler",
    "hw.gates.spice": "deck for ngspice",
    "hw.gates.synthesis": "design, cells and script for Yosys",
    "tb.arithmetic.vectors": "operands for one call of the checker",
    "tb.bench.build": "design and control file for Verilator; locks",
    "tb.bench.claim": "locks",
    "tb.bench.icarus": "time unit for Icarus; locks",
    "tb.bench.run": "parameters for the simulator",
    "tb.bench.verilator": "the tool itself, laid out; its stamp comes last; locks",
    "tb.formal": "design for Yosys and its log",
    "tb.gates.saif": "netlist and stimulus for Verilator",
    "tb.gates.timing": "netlist for OpenSTA",
    "tb.mutation.mutants": "a source file of a copy of the tree",
    "tb.npu.table": "design and script for Yosys",
}
"""Module -> what it writes into the folder of one run of a tool, which is put in place whole or thrown away."""


def test_files_are_written_by_one_function() -> None:
    found = [
        f"{module}:{line} {text}"
        for module, source in house.sources().items()
        if module != "hw.base.file" and module not in WORK_FOLDERS
        for line, text in house.writes(source)
    ]
    print(f"files written otherwise: {len(found)}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "os.replace(a, b)",
        "part.replace(path)",
        "work.rename(b)",
        "open(p, 'w')",
        "p.open(mode='wb')",
        "a.write_text(t)",
    ],
)
def test_a_planted_write_is_found(text: str) -> None:
    assert list(house.writes(Source("planted", house.ROOT, ast.parse(text))))


def test_what_writes_no_file_is_not_taken_for_a_write() -> None:
    text = "t.replace('a', 'b'); replace(spec, rows=4); spec.replace(rows=4); open(p); open(p, 'rb')"
    assert not list(house.writes(Source("planted", house.ROOT, ast.parse(text))))


CATALOGUES = (
    "hw.chips", "hw.commands", "hw.dram", "hw.formal", "model.workloads", "model.energy.tables",
    "model.energy.dram_tables", "model.projection.scenarios", "model.projection.services", "model.projection.stages",
    "model.cli", "tb.cli", "model.network.families", "model.other_simulators", "model.serving.policies",
    "model.sweep.spaces", "model.sweep.subjects", "model.report.page.sections",
)  # fmt: skip
"""Folders whose files are found by their names."""

STARTED = {
    "tb.entry": "the command of an installed wheel",
    "tb.environment": "run by the Makefile",
    "model.language.generate": "run by hand",
    "model.language.train": "run by hand",
    "model.cycle.crossbar.stepped": "the second witness of the crossbar's cycles",
    "model.report.page.messages": "run by hand: brings the catalogues up to date",
    "tb.bench.icarus": "a second simulator",
    "tb.npu.speed": "named by its bench, started by `tb bench`",
    "tb.system.speed": "named by its bench, started by `tb bench`",
}
"""Modules that nothing imports, and why they are there."""


def test_nothing_in_the_product_is_imported_by_tests_only() -> None:
    used = set().union(*house.graph().values()) | {getattr(kind, door) for kind in KINDS.values() for door in DOORS}
    found = [
        module
        for module, source in house.sources().items()
        if module not in used | STARTED.keys()
        and source.path.name not in ("__init__.py", "__main__.py")
        and not module.endswith("_tests")
        and not module.startswith(CATALOGUES)
    ]
    print(f"modules imported by tests only: {len(found)}")
    assert not found


def test_every_public_field_is_described() -> None:
    found = [
        f"{module}: {owner}.{field}"
        for module, source in house.sources().items()
        for owner, field in house.undescribed(source)
    ]
    print(f"public fields without a description: {len(found)}")
    assert not found, "\n".join(found)


def test_a_field_without_a_description_is_found() -> None:
    text = '@dataclass\nclass One:\n    """A and `b`."""\n    a: int\n    b: int\n'
    source = Source("model.planted", house.ROOT / "planted.py", ast.parse(text))
    assert list(house.undescribed(source)) == [("One", "a")]


LINES_OF_ELABORATE = 100


def test_elaborate_methods_are_short_or_name_their_steps() -> None:
    found = [
        f"{module}:{line} {length} lines"
        for module, source in house.sources().items()
        for line, length in house.long_elaborations(source, LINES_OF_ELABORATE)
    ]
    print(f"elaborate methods over {LINES_OF_ELABORATE} lines: {len(found)}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("lines", "found"), [(LINES_OF_ELABORATE, 0), (LINES_OF_ELABORATE + 1, 1)])
def test_a_long_elaborate_is_found(lines: int, found: int) -> None:
    text = "class A:\n def elaborate(self, platform):\n" + "  x = 1\n" * (lines - 1)
    source = Source("hw.rtl.planted", house.ROOT / "planted.py", ast.parse(text))
    assert len(list(house.long_elaborations(source, LINES_OF_ELABORATE))) == found
