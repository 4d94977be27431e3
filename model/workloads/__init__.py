"""One file per workload, each exporting `WORKLOAD`; the file's name is its name. No chip names here.

An ONNX file with an input is a workload too, see `model.work.onnx_run`: it is known by its file's name. So is a folder
with a language model (`config.json`, `model.safetensors`). A name may be followed by changes of the workload's fields:
`small_llm@tokens=8,pim=off`.
"""

import argparse
import dataclasses
import re
import sys
from pathlib import Path

from hw.base import catalog, own_file, place
from hw.base.change import change
from hw.base.digest import digest
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.spec.chip import Chip
from model.work.workload import Workload

VARIANT = "@"
"""Between a workload's name and changes of its fields."""
_MODEL = "config.json"


def names() -> list[str]:
    """The names of all workloads, the user's own included."""
    return sorted({*catalog.names(sys.modules[__name__]), *own_file.registered("workload")})


def default(chip: Chip) -> str:
    """The workload a chip runs if none is named."""
    return chip.kind.workload


def load(name: str) -> Workload:
    """The workload called `name`, or in the Python file of this path; `InputError` with the nearest known one."""
    name, _, changes = name.partition(VARIANT)
    if changes:
        return _changed(load(name), name, changes)
    if own_file.is_path(name):
        name = own_file.register("workload", name, (".py",), holds=_MODEL)
    path = own_file.registered("workload").get(name)
    if path is None:
        return catalog.load(sys.modules[__name__], "WORKLOAD", name, "workload")
    if path.suffix == ".py":
        return catalog.constant_of(own_file.module_of(path, "workload"), "WORKLOAD", name, "workload")
    inputs = own_file.registered(f"input of {name}")
    if path.is_dir():
        from model.work.decoder_workload import DecoderWorkload

        text = next(iter(inputs.values())).read_text(encoding="utf-8").strip() if inputs else ""
        return DecoderWorkload(title=f"tokens of the language model {name}", model=str(path), text=text)
    from model.work.onnx_images import run_of

    if not inputs:
        raise InputError(f"the network {path} must come with an input to run; give a .npy file with --input")
    return run_of(path, next(iter(inputs.values())))


def option(text: str) -> str:
    """What `--workload` was given, as the workload's name: a name as it is, a path as the stem of its file."""
    try:
        name, mark, changes = text.partition(VARIANT)
        own = own_file.is_path(name)
        return (own_file.register("workload", name, (".py",), holds=_MODEL) if own else name) + mark + changes
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def variant(name: str, *changes: str) -> str:
    """The name of the workload `name` with more "FIELD=VALUE" changes."""
    base, _, before = name.partition(VARIANT)
    return base + VARIANT + ",".join([*filter(None, [before]), *changes])


def _changed(workload: Workload, name: str, changes: str) -> Workload:
    if not dataclasses.is_dataclass(workload):
        raise InputError(f"workload {name!r} must have fields to be changed by {changes!r}, and has none; leave it out")
    return change(workload, changes.split(","))


def with_prompt(name: str, text: str) -> None:
    """Give the language model in a folder of the user's own, known by `name`, its prompt."""
    if name not in own_file.registered("workload"):
        raise InputError(
            f"a prompt must be for a language model of your own, a folder given as --workload, not {name!r}"
        )
    path = place.build() / "prompts" / f"{digest(text)}.txt"
    write_atomically(path, text + "\n")
    own_file.register(f"input of {name}", str(path), (".txt",))


def with_input(network: Path, samples: Path) -> str:
    """The name by which an ONNX file on an input is known from now on."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", network.stem):
        raise InputError(f"the name of a network must be letters, digits and _, not {network.stem!r}; rename the file")
    name = own_file.register("workload", str(network), (".onnx",))
    own_file.register(f"input of {name}", str(samples), (".npy",))
    return name
