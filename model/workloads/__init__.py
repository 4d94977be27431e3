"""One file per workload, each exporting `WORKLOAD`; the file's name is its name. No chip names here.

An ONNX file with an input is a workload too, see `model.work.onnx_run`: it is known by its file's name.
"""

import argparse
import re
import sys
from pathlib import Path

from hw.base import catalog, own_file
from hw.base.error import InputError
from hw.spec.chip import Chip
from model.work.workload import Workload


def names() -> list[str]:
    """The names of all workloads, the user's own included."""
    return sorted({*catalog.names(sys.modules[__name__]), *own_file.registered("workload")})


def default(chip: Chip) -> str:
    """The workload a chip runs if none is named."""
    return chip.kind.workload


def load(name: str) -> Workload:
    """The workload called `name`, or in the Python file of this path; `InputError` with the nearest known one."""
    if own_file.is_path(name):
        name = own_file.register("workload", name, (".py",))
    path = own_file.registered("workload").get(name)
    if path is None:
        return catalog.load(sys.modules[__name__], "WORKLOAD", name, "workload")
    if path.suffix == ".py":
        return catalog.constant_of(own_file.module_of(path, "workload"), "WORKLOAD", name, "workload")
    from model.work.onnx_run import OnnxRun

    inputs = own_file.registered(f"input of {name}")
    if not inputs:
        raise InputError(f"the network {path} must come with an input to run; give a .npy file with --input")
    return OnnxRun(path=path, input=next(iter(inputs.values())))


def option(text: str) -> str:
    """What `--workload` was given, as the workload's name: a name as it is, a path as the stem of its file."""
    try:
        return own_file.register("workload", text, (".py",)) if own_file.is_path(text) else text
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def with_input(network: Path, samples: Path) -> str:
    """The name by which an ONNX file on an input is known from now on."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", network.stem):
        raise InputError(f"the name of a network must be letters, digits and _, not {network.stem!r}; rename the file")
    name = own_file.register("workload", str(network), (".onnx",))
    own_file.register(f"input of {name}", str(samples), (".npy",))
    return name
