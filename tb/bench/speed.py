"""What `kcloud-cosim tb bench` compares: a cocotb test that starts and waits, and a C++ loop on the same model."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.rtl.emit.verilog import Emitted
from tb.bench import design
from tb.bench.build import build, harness
from tb.bench.run import run


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedJob:
    """The same work for both.

    Parameters
    ----------
    title : str
        What is simulated, for people.
    module : str
        Module with the cocotb test; it reports `cycles` and `cpu_s`.
    parameters : mapping
        Of that test.
    source : str
        The C++ program; it prints cycles and CPU seconds.
    arguments : tuple of str
        Of that program.
    publish : bool
        The program reaches memories of the design by name, as the test does; False: ports only.
    """

    title: str
    module: str
    parameters: Mapping[str, Any]
    source: str
    arguments: tuple[str, ...] = ()
    publish: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Cycles per CPU second of both, the best of some measurements in turn.

    Parameters
    ----------
    cycles : int
        Of one run of the plain loop.
    plain : float
        Of the C++ loop.
    cocotb : float
        Of the cocotb test.
    build_s : float
        Wall seconds of the build of the cocotb simulator, when it was made.
    """

    cycles: int
    plain: float
    cocotb: float
    build_s: float

    @property
    def ratio(self) -> float:
        """Share of the plain loop's speed."""
        return self.cocotb / self.plain


def compare(bench_name: str, emitted: Emitted, job: SpeedJob, repeat: int) -> Speed:
    """Build both and run them in turn, `repeat` times; a test that fails is a RuntimeError."""
    bench = design.load(bench_name)
    public = design.published(bench, emitted)
    watched = [f"{emitted.name}.dut.{path}" for path in getattr(bench, "WATCHED", ())]
    built = build(emitted, "none", public, watched=watched)
    published = (public, watched) if job.publish else ((), ())
    program: Path = harness(emitted, job.source, public=published[0], watched=published[1])
    plain, cocotb, cycles = [], [], 0
    for _ in range(repeat):
        done = subprocess.run([program, *job.arguments], capture_output=True, text=True, check=True)
        cycles, seconds = int(done.stdout.split()[0]), float(done.stdout.split()[1])
        plain.append(cycles / seconds)
        outcome = run(built, job.module, parameters=dict(job.parameters))
        if not outcome.passed:
            raise RuntimeError(outcome.explain())
        cocotb.append(outcome.data["cycles"] / outcome.data["cpu_s"])
    return Speed(cycles=cycles, plain=max(plain), cocotb=max(cocotb), build_s=built.seconds)
