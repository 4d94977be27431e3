"""C made into a shared object with gcc, kept by content under `build/gates`."""

import ctypes
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from hw.base.error import InputError
from hw.base.file import put_in_place

# see tb/bench/build.py: g++ 12.2 miscounts comparisons with it
_SAFE = "-fno-tree-slp-vectorize"


def load(text: str, name: str, build: Path, optimise: str = "-O1") -> ctypes.CDLL:
    """The shared object of the C source `text`; raises `InputError` without gcc."""
    if shutil.which("gcc") is None:
        raise InputError("activity must be simulated with gcc, and it is not on the path; install Debian's package gcc")
    folder = build / "gates"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.{hashlib.sha256((optimise + _SAFE + text).encode()).hexdigest()[:16]}.so"
    if not target.exists():
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=folder) as work:
            source, made = Path(work) / "activity.c", Path(work) / target.name
            source.write_text(text)
            subprocess.run(
                ["gcc", optimise, _SAFE, "-march=native", "-shared", "-fPIC", "-o", str(made), str(source)],
                check=True,
                timeout=600,
            )
            put_in_place(made, target)
    return ctypes.CDLL(str(target.resolve()))
