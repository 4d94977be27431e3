"""Makes the project's own Python environment from the lock file: `python3 -m tb.environment`.

Runs on the system's Python with the standard library alone, before anything is installed. The environment is
made again only when the lock file, `pyproject.toml` or the interpreter changed (by digest, never by time stamp).
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.base.progress import progress

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = "kcloud-cosim.digest"
_USUAL_S = 60.0
"""Seconds an installation usually takes."""


def wanted_digest() -> str:
    """What the environment depends on: lock file, project file, interpreter, and where both lie."""
    digest = hashlib.sha256()
    for path in (LOCK, ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    digest.update(f"{sys.version}{sys.base_prefix}{ROOT}".encode())
    return digest.hexdigest()


def refuse(sentence: str) -> int:
    """Print one sentence and give the exit code of bad input."""
    print(f"error: {sentence}", file=sys.stderr)
    return 2


def main() -> int:
    """Make or reuse the environment; 0 on success, 2 with one sentence on a missing prerequisite."""
    if not (3, 11) <= sys.version_info[:2] < (3, 13):
        given = ".".join(map(str, sys.version_info[:2]))
        return refuse(f"Python must be 3.11 or 3.12, not {given}: call make with PYTHON=python3.11, say")
    stamp = ENVIRONMENT / STAMP
    digest = wanted_digest()
    if stamp.exists() and stamp.read_text() == digest:
        return 0
    try:
        import ensurepip  # noqa: F401  # Debian ships it apart, in python3-venv
        import venv  # noqa: F401
    except ImportError:
        return refuse("Python must have the module venv, and this one has not: run `apt install python3-venv`")
    try:
        print("environment: installing the locked packages (once; about a minute)", flush=True)
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        # The scripts of an environment hold its path, so it is made in place; the stamp, written last, is
        # what makes it count: an interrupted installation is simply made again.
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-qq"]
        with progress("environment: installing", expected=_USUAL_S):
            subprocess.run([*pip, "install", "--require-hashes", "-r", str(LOCK)], check=True)
            subprocess.run([*pip, "install", "--no-deps", "--no-build-isolation", "-e", str(ROOT)], check=True)
        write_atomically(stamp, digest)
    except subprocess.CalledProcessError as error:
        return refuse(
            f"the locked packages must install, and `{' '.join(error.cmd[-3:])}` failed ({error.returncode}): "
            "see pip's message above (a package index must be reachable) and run make again"
        )
    except OSError as error:
        return refuse(f"{ENVIRONMENT} must be writable, and is not ({error.strerror}): free space or permit it")
    except InputError as error:
        return refuse(str(error))
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        print("stopped: the environment is made again by the next run", file=sys.stderr)
        raise SystemExit(130) from None
