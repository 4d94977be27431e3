"""Icarus Verilog beside Verilator: four values, so that what nobody has set is seen as unknown. Slow.

Also designs without power-on values, for both simulators: in silicon a register starts as anything.
"""

import dataclasses
import fcntl
import hashlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import time
from pathlib import Path

from hw.base.error import InputError
from hw.base.file import put_in_place, write_atomically
from hw.rtl.emit.verilog import Emitted
from tb.bench.build import BUILD, Built

_REGISTER = re.compile(r"^(  reg (?:signed )?(?:\[\d+:\d+\] )?(?:\\\S+ |\w+)) *= \d+'[hdb][0-9a-fx_]+;$", re.MULTILINE)
_CLEARED = re.compile(r"^  integer (clear_\w+);\n  initial for \(\1 = .*\n    .*;\n", re.MULTILINE)
_FILLED = re.compile(r"^  initial begin\n(?:    (\\\S+ |\w+)\[\d+\] = \d+'[hdb][0-9a-fx_]+;\n)+  end\n", re.MULTILINE)


def check_icarus() -> None:
    """Raise `InputError` if Icarus Verilog is not installed."""
    if shutil.which("iverilog") is None:
        raise InputError("iverilog must be on PATH for a run with four values, it is not; run `apt install iverilog`")


def without_power_on_values(emitted: Emitted) -> Emitted:
    """The same design without the initial value of any register or memory: only the reset sets anything.

    A table stays: a memory that its module never writes is constant, in silicon as here. Raises AssertionError if
    another initial value is left: the text's form has changed.
    """
    text, registers = _REGISTER.subn(r"\1;", emitted.verilog)
    text = _CLEARED.sub("", text)
    assert registers, "a design must have registers with power-on values"
    found = [
        (block, re.search(rf"{re.escape(block[1])}\[[^\n]*\] <=", module) is None)
        for module in text.split("endmodule")
        for block in _FILLED.finditer(module)
    ]
    for block, constant in found:
        if not constant:
            text = text.replace(block[0], "", 1)
    left = len(re.findall(r"^\s*initial|^  reg .*=", text, re.MULTILINE))
    assert left == sum(constant for _, constant in found), "a power-on value is left"
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = emitted.verilog_path.with_name(f"{emitted.name}.{digest}.v")
    if not path.exists():
        write_atomically(path, text)
    return dataclasses.replace(emitted, verilog_path=path, digest=digest)


def build_icarus(emitted: Emitted, out_dir: Path | None = None) -> Built:
    """`emitted` compiled by Icarus Verilog, from the cache if nothing has changed.

    Raises
    ------
    InputError
        If Icarus is not installed.
    RuntimeError
        If it refuses the design.
    """
    check_icarus()
    version = subprocess.run(["iverilog", "-V"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    key = hashlib.sha256(json.dumps([emitted.digest, emitted.name, version]).encode()).hexdigest()[:16]
    out_dir = (BUILD / "sim" if out_dir is None else out_dir).resolve()
    out_dir.mkdir(parents=True, exist_ok=True)
    folder = out_dir / f"{emitted.name}.icarus.{key}"
    start, cached = time.monotonic(), True
    with open(out_dir / f".{key}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "sim.vvp").is_file():
            cached = False
            folder.mkdir(exist_ok=True)
            made = folder / "part.vvp"
            (folder / "time.v").write_text("`timescale 1ns/1ps\n")
            done = subprocess.run(
                [
                    "iverilog",
                    "-g2012",
                    "-o",
                    str(made),
                    "-s",
                    emitted.name,
                    str(folder / "time.v"),
                    str(emitted.verilog_path),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"iverilog failed with code {done.returncode}:\n{done.stderr[-4000:]}")
            put_in_place(made, folder / "sim.vvp")
    return Built(
        emitted=emitted,
        trace="none",
        folder=folder,
        key=key,
        seconds=round(time.monotonic() - start, 2),
        cached=cached,
        tools={"icarus": version, "cocotb": importlib.metadata.version("cocotb")},
        simulator="icarus",
    )
