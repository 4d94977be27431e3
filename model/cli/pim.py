"""Compute a PIM kernel bit by bit on your operands, or translate a PIM program.

Operands are .npy files: FP16 (hbm_pim) or BF16 given as float32 or as uint16 codes (aim); other floats are rounded.
Weights are (out, in); the input is (in,), (in, 1) or (batch, in).

examples:
  kcloud-cosim pim --chip hbm_pim --kernel gemv --weights W.npy --input X.npy --output Y.npy
  kcloud-cosim pim --chip hbm_pim --kernel add --input A.npy --second B.npy --output Y.npy
  kcloud-cosim pim --chip aim --kernel gelu --input X.npy --output Y.npy
  kcloud-cosim pim --chip hbm_pim --assemble gemv.pim
  kcloud-cosim pim --chip hbm_pim --disassemble gemv.hex
  kcloud-cosim pim --energy-check
"""

import argparse
import io
import json
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile

import numpy as np

from hw import chips
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.spec.pim import PimSpec
from model.cli._kernel_cycles import read_spec
from model.energy.dram import load, read_stream
from model.energy.price import price
from model.functional.dram_pim_numerics import (
    aim_activation,
    aim_gemv,
    aim_product,
    hbm_pim_elementwise,
    hbm_pim_lane_sums,
    sum_lanes,
)
from model.lowering.dram_pim.assembler import assemble, disassemble
from model.number.codec import decode, encode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to compute or translate."""
    parser.add_argument(
        "--chip", type=chips.option, default="hbm_pim", metavar="NAME", help="a chip with processing in memory"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--kernel", metavar="NAME", help="hbm_pim: gemv, add, mul, relu; aim: gemv, ewmul or an activation"
    )
    what.add_argument("--assemble", metavar="FILE", help="print the words of a program")
    what.add_argument("--disassemble", metavar="FILE", help="print the text of hexadecimal words, one a line")
    what.add_argument("--energy-check", action="store_true", help="price read streams beside the published values")
    parser.add_argument("--weights", metavar="W.npy", help="matrix (out, in)")
    parser.add_argument("--input", metavar="X.npy", help="vector or vectors")
    parser.add_argument("--second", metavar="B.npy", help="second operand of add, mul and ewmul")
    parser.add_argument("--output", metavar="Y.npy", help="where the result goes")
    parser.add_argument(
        "--lane-sums",
        metavar="L.npy",
        help="also the 16 lanes of each output before the host adds: (out, 16) or (batch, out, 16)",
    )


def read_codes(path: str | None, option: str, number: str) -> np.ndarray:
    """Codes of the array in `path` in the format `number`; raises `InputError` if it is not a usable array."""
    if path is None:
        raise InputError(f"{option} must be given for this kernel, it is missing")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)  # the file must hold what its header says
    except OSError as error:
        raise InputError(f"{option} must be a readable .npy array, not {path!r} ({error.strerror or error})") from None
    except (ValueError, EOFError, BadZipFile, TokenError, OverflowError, MemoryError):
        raise InputError(f"{option} must be a .npy array of numbers, not {path!r}; save it with numpy.save") from None
    if not isinstance(array, np.ndarray) or array.size == 0 or array.ndim > 2:
        raise InputError(f"{option} must be an array of 1 or 2 dimensions with at least one value, not {path!r}")
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        return array.astype(np.uint16)  # of either byte order
    if array.dtype.kind == "f":
        if number == "fp16":
            with np.errstate(over="ignore"):
                return np.ascontiguousarray(array.astype(np.float16)).view(np.uint16)
        with np.errstate(over="ignore"):  # becomes infinity, as the host's conversion does
            return encode(array.astype(np.float32), "bf16").astype(np.uint16)
    raise InputError(f"{option} must hold floating-point values or uint16 codes, not {array.dtype}")


def _write(path: str | None, codes: np.ndarray, number: str) -> None:
    if path is None:
        raise InputError("--output must say where the result goes, it is missing")
    values = np.ascontiguousarray(codes).view(np.float16) if number == "fp16" else decode(codes, "bf16")
    buffer = io.BytesIO()
    np.save(buffer, values)
    write_atomically(Path(path), buffer.getvalue())
    print(f"{path}: {' x '.join(map(str, values.shape))} {values.dtype}")


def _read_text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the program must be a readable text file, not {path!r} ({error})") from None


def _kernels(spec: PimSpec) -> tuple[str, ...]:
    if spec.number == "fp16":
        return ("gemv", "add", "mul", "relu")
    return ("gemv", "ewmul", *(a.name for a in spec.activations))


def _compute(spec: PimSpec, arguments: argparse.Namespace) -> None:
    kernel, number = arguments.kernel, spec.number
    if kernel not in _kernels(spec):
        raise InputError(f"--kernel of {spec.title} must be one of {', '.join(_kernels(spec))}, not {kernel!r}")
    x = read_codes(arguments.input, "--input", number)
    for option, value, kernels in (
        ("--weights", arguments.weights, ("gemv",)),
        ("--second", arguments.second, ("add", "mul", "ewmul")),
    ):
        if value is not None and kernel not in kernels:
            raise InputError(f"{option} must go with {' or '.join(kernels)}, not {kernel}")
    if arguments.lane_sums is not None and (kernel != "gemv" or number != "fp16"):
        raise InputError("--lane-sums must go with --kernel gemv on hbm_pim")
    if kernel == "gemv":
        weights = read_codes(arguments.weights, "--weights", number)
        columns = x.ndim == 1 or (x.ndim == 2 and weights.ndim == 2 and x.shape[1] != weights.shape[1])
        vectors = np.ascontiguousarray(x.reshape(len(x), -1).T if columns else x)
        if number == "fp16":
            lane_sums = hbm_pim_lane_sums(weights, vectors)
            if arguments.lane_sums is not None:
                _write(arguments.lane_sums, lane_sums[0] if x.ndim == 1 else lane_sums, number)
            result = sum_lanes(lane_sums)
        else:
            result = aim_gemv(spec, weights, vectors)
        _write(arguments.output, result[0] if x.ndim == 1 else result.T if columns else result, number)
    elif number == "fp16":
        second = None if kernel == "relu" else read_codes(arguments.second, "--second", number)
        _write(arguments.output, hbm_pim_elementwise(kernel, x, second), number)
    elif kernel == "ewmul":
        _write(arguments.output, aim_product(x, read_codes(arguments.second, "--second", number)), number)
    else:
        activation = next(a for a in spec.activations if a.name == kernel)
        _write(arguments.output, aim_activation(activation, x), number)


def energy_check() -> list[dict[str, float | str]]:
    """Priced and published pJ/bit of plain read streams, each with the rows opened as in its source."""
    bits = 1 << 23
    streams = {
        # the paper's average access spends 1.21 pJ/bit on activation at 909 pJ per 1 KB row
        "oconnor_hbm2": (3.92, bits * 1.21 / 909, "average access: one 1 KB row opened per 751 bits"),
        # read bursts above background; a whole row is read each time it is opened
        "ayna_hbm2": (4.82, bits / 8192, "whole rows, random data"),
    }
    return [
        {
            "source": name,
            "published_pj_per_bit": published,
            "stream": what,
            "priced_pj_per_bit": price(read_stream(bits, opened), load(name)).total_j.nominal * 1e12 / bits,
        }
        for name, (published, opened, what) in streams.items()
    ]


def run(arguments: argparse.Namespace) -> int:
    """Do it; 0."""
    spec = read_spec(arguments.chip)
    if arguments.energy_check:
        print(json.dumps(energy_check(), indent=2))
    elif arguments.assemble is not None:
        entries = spec.register("CRF").entries if spec.commands.operands else None
        for word in assemble(spec.commands, _read_text(arguments.assemble), entries=entries):
            print(f"{word:08x}")
    elif arguments.disassemble is not None:
        words = []
        for number, line in enumerate(_read_text(arguments.disassemble).splitlines(), 1):
            text = line.split("#")[0].strip()
            try:
                if text:
                    words.append(int(text, 16))
            except ValueError:
                raise InputError(f"line {number}: a word must be hexadecimal, not {text!r}") from None
            if words and not 0 <= words[-1] < 1 << spec.commands.word_bits:
                raise InputError(f"line {number}: a word must have {spec.commands.word_bits} bits, not {text!r}")
        print(disassemble(spec.commands, words), end="")
    else:
        _compute(spec, arguments)
    return 0
