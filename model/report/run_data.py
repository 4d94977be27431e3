"""What a report says of a run besides its projection: test cases, utilisation of every recorded GEMM."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from hw.spec.chip import Chip
from model import record
from model.report.load import ROOTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Tests:
    """Outcome of the test cases found in JUnit files.

    Parameters
    ----------
    passed : int
        Test cases that neither failed nor were skipped.
    failed : tuple of str
        One entry a failed test case, "class.name", or a sentence naming a file that is damaged.
    folder : Path
        Where the JUnit files lie.
    """

    passed: int
    failed: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Utilisation of one GEMM: `macs` multiply-accumulates in `cycles` on `cells` cells, by one witness.

    Parameters
    ----------
    label : str
        Workload, or "workload/layer" where the record has layers.
    macs : int
        Multiply-accumulates of the GEMM, no padding.
    cycles : int
        Clock cycles it took.
    cells : int
        Multipliers of one machine of the chip.
    witness : str
        "rtl": counted by simulated RTL; "model": predicted by the cycle model.
    """

    label: str
    macs: int
    cycles: int
    cells: int
    witness: str

    @property
    def size(self) -> float:
        """Edge of the cube with as many MACs: M = N = K of a square GEMM."""
        return self.macs ** (1 / 3)

    @property
    def utilisation(self) -> float:
        """MACs done over MACs the cells could have done."""
        return self.macs / (self.cycles * self.cells)


def read_tests(build: Path, chip: str, workload: str, seed: int) -> Tests | None:
    """Test cases of one run's JUnit files in `build/junit`; None if there are none.

    The files are called <bench>.<chip>.<workload>.<seed>.xml; those of other runs say nothing about this one. A damaged
    file counts as a failure.
    """
    folder = build / "junit"
    passed, failed = 0, []
    files = sorted(folder.glob(f"*.{glob.escape(f'{chip}.{workload}.{seed}')}.xml"))
    for file in files:
        try:
            cases = list(ElementTree.parse(file).iter("testcase"))
        except ElementTree.ParseError:
            failed.append(f"{file} is not complete")
            continue
        for case in cases:
            if case.find("failure") is not None or case.find("error") is not None:
                failed.append(f"{case.get('classname', '')}.{case.get('name', '')}")
            elif case.find("skipped") is None:
                passed += 1
    return Tests(passed=passed, failed=tuple(failed), folder=folder) if files else None


def utilisation_points(chip_name: str, chip: Chip, roots: Sequence[Path] = ROOTS) -> tuple[Point, ...]:
    """Utilisation of every GEMM workload recorded for the chip, fresh records before committed ones."""
    cells = None if chip.machine is None else chip.machine.cells
    if cells is None:
        return ()
    seen: set[str] = set()
    points: dict[tuple[str, str, int], Point] = {}
    for root in roots:
        paths = (Path(root) / chip_name).glob("gemm_*.json")
        results = [record.read(path).result for path in sorted(paths, key=lambda p: (-p.stat().st_mtime_ns, p.name))]
        # those of this very chip first, then the ones written last
        for result in sorted(results, key=lambda result: result.chip_digest != chip.digest):
            if result.run in seen:
                continue
            seen.add(result.run)
            if result.verdict == "pass":
                for label, macs, cycles in _gemms(result):
                    points.setdefault(
                        (result.witness, label, macs),
                        Point(label=label, macs=macs, cycles=cycles, cells=cells, witness=result.witness),
                    )
    return tuple(sorted(points.values(), key=lambda p: (p.macs, p.witness, p.label)))


def _gemms(result: record.Result) -> list[tuple[str, int, int]]:
    """Name, MACs and cycles of each GEMM: the layers, or the whole run if it was a single one."""
    if result.layers:
        return [
            (f"{result.workload}/{layer['name']}", layer["macs"], layer["cycles"])
            for layer in result.layers
            if layer["macs"] and layer["cycles"]
        ]
    macs = int(result.figures.get("macs", 0))
    return [(result.workload, macs, result.cycles)] if macs and result.cycles else []
