"""Verilog to simulator binary, cached by content.

The key holds everything that decides what the binary does: digest of the Verilog, published names, trace kind,
flags, versions of the tools and the places they are loaded from; never a time stamp. A build is made in a
temporary folder and renamed when complete, so an interrupted one leaves nothing behind.
"""

import fcntl
import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import cocotb_tools.config

from hw.base import place
from hw.base.error import InputError
from hw.base.file import put_in_place
from hw.base.progress import progress
from hw.rtl.emit.verilog import Emitted
from tb.bench import verilator
from tb.bench.claim import claim, clean

Trace = Literal["none", "fst", "saif"]

ROOT = place.SOURCE
BUILD = place.build()
"""All outputs go below this folder."""

# Short functions: g++ looks for loads it knows already (pass PRE) in time that grows with the square of a function's
# length, four fifths of the build of a 32 x 32 array with Verilator's own limit of 20,000 nodes; the code is as fast.
_FLAGS = ("--noassert", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--output-split-cfuncs", "2000")
_UNKNOWNS = {start: ("--x-assign", kind, "--x-initial", kind) for start, kind in ((False, "fast"), (True, "unique"))}
"""What an unknown bit becomes: whatever is fastest, or what the seed of the run says."""
# Not vectorised: g++ 12.2 loses the mask of a sum of comparisons (`tests/test_tb_build.py` holds the case).
_FAST = "-O2 -fno-tree-slp-vectorize"
# Only the fast part of the model is worth optimising; the slow part runs once.
MAKE = (f"OPT_FAST={_FAST}", f"OPT_GLOBAL={_FAST}", "OPT_SLOW=-O0")
"""Optimisation of the model, as variables of Verilator's makefile."""
_LEAST_SPACE = 400 << 20
"""Bytes a build needs for a moment: two precompiled headers of up to 75 MB, objects, binary."""
_FULL = 8 << 20
"""A step that fails with less than this left failed for want of space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A simulator binary.

    Parameters
    ----------
    emitted : Emitted
        The design it simulates.
    trace : "none", "fst" or "saif"
        What a run records: nothing, a waveform, or toggle counts.
    folder : Path
        Holds the binary; Verilator's is named as the top.
    key : str
        16 hex digits, digest of all that decides what the binary does; the last part of the folder's name.
    seconds : float
        Wall time of the build; of one by Verilator that comes from the cache, the time it took when it was made.
    cached : bool
        It was there already, nothing was built now.
    tools : dict of str to str
        Tool that made it -> its version.
    simulator : str
        cocotb's name of the simulator: "verilator" or "icarus".
    random_start : bool
        Registers and memories without a power-on value start as the run's seed says, not as zeros.
    """

    emitted: Emitted
    trace: Trace
    folder: Path
    key: str
    seconds: float
    cached: bool
    tools: dict[str, str]
    simulator: str = "verilator"
    random_start: bool = False


def build(
    emitted: Emitted,
    trace: Trace = "none",
    public: Iterable[str] = (),
    out_dir: Path | None = None,
    random_start: bool = False,
    watched: Iterable[str] = (),
) -> Built:
    """The simulator of `emitted`, from the cache if nothing that matters has changed.

    Parameters
    ----------
    emitted : Emitted
    trace : "none", "fst" or "saif"
        A trace costs a quarter of the speed even when off, so each kind is a build of its own.
    public : paths of the manifest
        Memories and signals to be reached from the testbench besides the top's ports, e.g.
        "top.activation_memory.mem". Everything else is invisible to it and optimised freely.
    out_dir : Path or None
        Where builds are kept; `build/sim` if None.
    random_start : bool
        Registers and memories without a power-on value start at random, by the seed of the run, not as zeros.
    watched : paths of the manifest
        As `public`, but only read. What hangs on a published memory without a register between is worked out once
        more at every edge of the clock if a testbench may write it.

    Raises
    ------
    InputError
        Unknown trace kind or path, missing g++, make or libpython, unwritable or full disk.
    RuntimeError
        If Verilator or the compiler refuses the design; the message ends with its output.
    """
    if trace not in get_args(Trace):
        raise InputError(f"trace must be one of {', '.join(get_args(Trace))}, not {trace!r}")
    control = control_file(emitted.manifest, public, watched)
    verilator.check_tools()
    out_dir = (BUILD / "sim" if out_dir is None else out_dir).resolve()
    if any(c.isspace() for c in str(out_dir)):
        raise InputError(f"make cannot build below a path with spaces, the build folder is {str(out_dir)!r}; move it")
    with _disk_errors(out_dir):
        out_dir.mkdir(parents=True, exist_ok=True)
        tool = verilator.ensure(out_dir.parent / "tools")
        made_by = tools(out_dir)
        flags = (*_FLAGS, *_UNKNOWNS[random_start])
        key = _key(emitted, trace, control, made_by, flags)
        folder = out_dir / f"{emitted.name}.{trace}.{key}"
        with open(out_dir / f".{key}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (found := _read(folder, emitted.name)) is not None:
                return Built(
                    emitted=emitted,
                    trace=trace,
                    folder=folder,
                    key=key,
                    seconds=found,
                    cached=True,
                    tools=made_by,
                    random_start=random_start,
                )
            free = shutil.disk_usage(out_dir).free
            if free < _LEAST_SPACE:
                raise InputError(
                    f"building a simulator needs {_LEAST_SPACE >> 20} MB free in {out_dir}, there are {free >> 20} MB; "
                    "free some space"
                )
            expected = _last_seconds(out_dir, f"{emitted.name}.{trace}.")
            with progress(f"build   simulator of {emitted.name}", expected=expected):
                seconds = _make(emitted, trace, control, tool, folder, flags)
    return Built(
        emitted=emitted,
        trace=trace,
        folder=folder,
        key=key,
        seconds=seconds,
        cached=False,
        tools=made_by,
        random_start=random_start,
    )


def tools(out_dir: Path = BUILD / "sim") -> dict[str, str]:
    """Name -> version of what makes a simulator."""
    return {
        "verilator": verilator.ensure(out_dir.parent / "tools").version,
        "cocotb": _version("cocotb"),
        "g++": verilator.compiler_version(),
        "python": sys.version.split()[0],
    }


def control_file(manifest: dict[str, Any], public: Iterable[str], watched: Iterable[str] = ()) -> str:
    """The Verilator control file that publishes the top's ports, the paths in `public` and, to be read, `watched`."""
    top = manifest["name"]
    lines = {f'public_flat_rw -module "{top}" -var "{port["name"]}"' for port in manifest["ports"]}
    known = {m["path"] for m in manifest["memories"]} | {s["path"] for s in manifest["signals"]}
    for access, paths in (("rw", public), ("rd", watched)):
        for path in paths:
            if path not in known:
                memories = ", ".join(m["path"] for m in manifest["memories"]) or "none"
                raise InputError(
                    f"a published name must be a memory or signal of {top}, not {path!r}; memories are {memories}"
                )
            instance, _, variable = path.rpartition(".")
            while instance not in manifest["instances"]:  # a name with a dot of its own: payload.field
                instance, _, head = instance.rpartition(".")
                variable = f"{head}.{variable}"
            lines.add(f'public_flat_{access} -module "{manifest["instances"][instance]}" -var "{variable}"')
    return "`verilator_config\n" + "\n".join(sorted(lines)) + "\n"


def harness(
    emitted: Emitted,
    main_cpp: str,
    out_dir: Path | None = None,
    trace: Trace = "none",
    public: Iterable[str] = (),
    watched: Iterable[str] = (),
) -> Path:
    """The binary of a plain C++ `main` around the same Verilated model (no cocotb, same flags).

    For speed comparisons and netlists: `main_cpp` includes "Vtop.h". Memories in `public` and `watched` are found by
    the names of their scopes. Errors as `build`.
    """
    verilator.check_tools()
    out_dir = (BUILD / "sim" if out_dir is None else out_dir).resolve()
    with _disk_errors(out_dir):
        out_dir.mkdir(parents=True, exist_ok=True)
        tool = verilator.ensure(out_dir.parent / "tools")
        control = control_file(emitted.manifest, public, watched)
        made_by = {"verilator": tool.version, "g++": verilator.compiler_version()}
        flags = (*_FLAGS, *_UNKNOWNS[False])
        key = _key(emitted, trace, control + main_cpp, made_by, flags)
        folder = out_dir / f"{emitted.name}.harness.{key}"
        with open(out_dir / f".{key}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _read(folder, emitted.name) is None:
                _make(emitted, trace, control, tool, folder, flags, main_cpp)
    return folder / emitted.name


def _version(package: str) -> str:
    import importlib.metadata

    return importlib.metadata.version(package)


def _key(emitted: Emitted, trace: str, control: str, tools: dict[str, str], flags: tuple[str, ...]) -> str:
    # Content alone: cocotb's libraries are found when the simulator starts, so a checkout can be moved or copied.
    parts = [emitted.digest, emitted.name, trace, control, tools, flags, MAKE]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _read(folder: Path, name: str) -> float | None:
    """Seconds the complete build in `folder` took; None if there is none or its simulator is not what was built."""
    try:
        held = json.loads((folder / "built.json").read_text())
        seconds, digest = float(held["seconds"]), held["sha256"]
        with open(folder / name, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return seconds if found == digest else None


def _last_seconds(out_dir: Path, start: str) -> float | None:
    """How long the last build took whose folder begins with `start`; None if there was none."""
    held = sorted(out_dir.glob(f"{glob.escape(start)}*/built.json"), key=lambda path: path.stat().st_mtime_ns)
    try:
        return float(json.loads(held[-1].read_text())["seconds"]) if held else None
    except (OSError, ValueError, KeyError):
        return None


def _make(
    emitted: Emitted,
    trace: Trace,
    control: str,
    tool: verilator.Verilator,
    folder: Path,
    flags: tuple[str, ...],
    main_cpp: str | None = None,
) -> float:
    start = time.monotonic()
    clean(folder.parent, ".building-")
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".building-"))
    kept = claim(work)
    try:
        source = work / f"{emitted.name}.v"
        source.write_text(emitted.verilog)
        (work / "public.vlt").write_text(control)
        command = [
            str(tool.executable),
            "-cc",
            "--exe",
            "-Mdir",
            str(work / "obj"),
            "--top-module",
            emitted.name,
            "--prefix",
            "Vtop",
            "-o",
            emitted.name,
            "--timescale",
            "1ns/1ps",
            *flags,
        ]
        if main_cpp is None:
            libraries = cocotb_tools.config.libs_dir
            main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
            command += ["--vpi", "--no-public-flat-rw"]
            command += ["-LDFLAGS", f"-L{libraries} -lcocotbvpi_verilator"]
        else:
            main = work / "main.cpp"
            main.write_text(main_cpp)
        command += {"none": [], "fst": ["--trace-fst"], "saif": ["--trace-saif"]}[trace]
        command += [str(main), str(work / "public.vlt"), str(source)]
        environment = {**os.environ, **tool.environment()}
        for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):  # of the `make sim` we run under
            environment.pop(name, None)
        _run(command, work, environment)
        make = ["make", "-j2", "-s", "-C", str(work / "obj"), "-f", "Vtop.mk", *MAKE]
        _run([*make, f"VM_TRACE={int(trace != 'none')}"], work, environment)
        shutil.move(work / "obj" / emitted.name, work / emitted.name)
        shutil.rmtree(work / "obj")
        seconds = round(time.monotonic() - start, 2)
        with open(work / emitted.name, "rb") as file:
            made = hashlib.file_digest(file, "sha256").hexdigest()
        about = {"seconds": seconds, "digest": emitted.digest, "sha256": made}
        (work / "built.json").write_text(json.dumps(about) + "\n")
        put_in_place(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        kept.close()
    return seconds


def _run(command: list[str], work: Path, environment: dict[str, str]) -> None:
    """Run one build step; on Ctrl-C its whole process group is stopped before we go on."""
    with open(work / "log", "w+") as log:
        # if we are killed, make is told to end and ends its compilers
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command],
            cwd=work,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        log.seek(0)
        output = log.read()
    if code == 0:
        return
    # on a full disk the log may be empty too
    if "No space left on device" in output or shutil.disk_usage(work).free < _FULL:
        raise InputError(f"the build folder {work.parent} must have free space, the disk is full; free some space")
    tail = "\n".join(output.splitlines()[-40:])
    raise RuntimeError(f"{Path(command[0]).name} failed with code {code}:\n{tail}")


@contextmanager
def _disk_errors(out_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"the build folder {out_dir} must be writable and have free space, it is not ({error.strerror}); "
            "free some space or make it writable"
        ) from error
