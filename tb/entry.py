"""The command `kcloud-cosim`: every verb of `model` and of `tb` under one name.

kcloud-cosim cycles --gemm 256,256,256 --chip npu_16
kcloud-cosim sim --chip tiny --workload gemm_16
kcloud-cosim model bench            (the folder first, where both have a verb of one name)
"""

import importlib.metadata
import sys

from hw.base import catalog
from hw.base.command_line import main as run_verb
from hw.base.program import NAME, as_typed
from model import cli as model_cli
from tb import cli as tb_cli

FOLDERS = {"model": model_cli, "tb": tb_cli}
"""Folder of verbs -> its package."""


def verbs() -> dict[str, list[str]]:
    """Every verb -> the folders that have it."""
    found: dict[str, list[str]] = {}
    for folder, package in FOLDERS.items():
        for verb in catalog.names(package):
            found.setdefault(verb, []).append(folder)
    return dict(sorted(found.items()))


def listing() -> str:
    """All verbs, one line each: how to call it and the first line of its help."""
    lines = ["usage: kcloud-cosim VERB ...    (kcloud-cosim VERB --help tells what it takes)", ""]
    for verb, folders in verbs().items():
        for folder in folders:
            called = verb if len(folders) == 1 else f"{folder} {verb}"
            lines.append(f"  {called:12}  {catalog.title(FOLDERS[folder], verb)}")
    return as_typed("\n".join(lines))


def _refuse(sentence: str) -> None:
    print(as_typed(f"error: {sentence}"), file=sys.stderr)


def main(argv: list[str] | None = None) -> int:
    """Run one verb; the process's exit code (see `hw.base.command_line.main`)."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if not argv:
        print(listing(), file=sys.stderr)
        return 2
    if argv[0] in ("--help", "-h"):
        print(listing())
        return 0
    if argv[0] == "--version":
        print(f"{NAME} {importlib.metadata.version(NAME)}")
        return 0
    if argv[0] in FOLDERS:
        return run_verb(argv[0], FOLDERS[argv[0]], argv[1:])
    folders = verbs().get(argv[0], [])
    if len(folders) == 1:
        return run_verb("", FOLDERS[folders[0]], argv)
    if folders:
        both = " or ".join(f"`{NAME} {folder} {argv[0]}`" for folder in folders)
        _refuse(f"{argv[0]} must be called by its folder, it has two meanings; write {both}")
        return 2
    hint = catalog.nearest(argv[0], list(verbs()))
    _refuse(f"the verb must be a known one, not {argv[0]!r}; {hint}`{NAME} --help` lists them")
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
