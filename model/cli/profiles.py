"""Write latencies of a language model's operators by shape, as LLMServingSim or Vidur load them, with their origin.

examples:
  kcloud-cosim profiles --for llmservingsim --chip furiosa_rngd --model llama31_8b --tensor 1 2
  kcloud-cosim profiles --for vidur --chip rebellions_atom_max --model llama31_8b --out my_profiles
  kcloud-cosim profiles --for llmservingsim --chip furiosa_rngd --model llama31_8b --format fp16 --pim hbm_pim
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import yaml

from hw import chips
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.spec.number import FORMATS
from model.card.device import device
from model.card.iteration import Iteration
from model.card.pim import FORMATS as FORMATS_OF
from model.card.pim import beside, check_formats
from model.card.serving import serving_format
from model.network import llm
from model.network.split import Split
from model.serving import profiles
from model.serving.profiles import Operators

FORMS = ("llmservingsim", "vidur")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose form, of what, where to."""
    add = parser.add_argument
    add("--for", dest="form", choices=FORMS, required=True, help="whose files: llmservingsim or vidur")
    add("--chip", type=chips.option, default="furiosa_rngd", metavar="NAME", help="default: furiosa_rngd")
    add("--model", default="llama31_8b", metavar="NAME|config.json", help="default: llama31_8b")
    add("--tensor", type=int, nargs="+", default=[1], metavar="N", help="tensor parallel devices (default: 1)")
    add("--format", choices=list(FORMATS), help="of the weights (default: the one the card serves in)")
    add("--cache", choices=list(FORMATS), default="fp16", help="of the key-value cache (default: fp16)")
    add("--pim", choices=tuple(FORMATS_OF), help="the memory is one with processing in it")
    add("--out", type=Path, default=Path("build/profiles"), metavar="DIR", help="default: build/profiles")
    add("--json", action="store_true", help="the files and rows as one object")


def run(arguments: argparse.Namespace) -> int:
    """Write the files; print where."""
    if arguments.form == "vidur" and len(arguments.tensor) > 1:
        raise InputError("Vidur's files must hold one --tensor a call, not several; call once for each with its own "
                         "--out")  # fmt: skip
    chip, given = chips.load(arguments.chip), arguments.model
    model = llm.read_config(given) if given.endswith(".json") else llm.load(given)
    spec = device(chip)
    weights = arguments.format or serving_format(spec)
    memory = None
    if arguments.pim is not None:
        check_formats(arguments.pim, weights, arguments.cache)
        memory = beside(arguments.pim, spec.dram_bandwidth.nominal)
        there = {"dram_bandwidth": memory.bandwidth, "dram_capacity": memory.capacity, "dram_usable": memory.capacity}
        spec = replace(spec, **{
            name: replace(getattr(spec, name), nominal=value, low=None, high=None) for name, value in there.items()
        })  # fmt: skip
    hardware = arguments.chip + (f"_{arguments.pim}" if arguments.pim else "")
    variant = _short(weights) + ("" if arguments.cache == weights else f"-kv{_short(arguments.cache)}")
    folder = arguments.out / hardware / model.name
    if arguments.form == "llmservingsim":
        folder /= variant
    written = {}
    every = {
        tensor: Operators(
            Iteration(spec, model, split=Split(tensor=tensor), weights=weights, cache=arguments.cache), memory
        )
        for tensor in arguments.tensor
    }
    for tensor, operators in every.items():
        files = profiles.llmservingsim(operators) if arguments.form == "llmservingsim" else profiles.vidur(operators)
        place = folder / f"tp{tensor}" if arguments.form == "llmservingsim" else folder
        for name, text in files.items():
            write_atomically(place / name, text)
            written[str(place / name)] = text.count("\n") - 1
    about = {"hardware": hardware, "gpu": chip.title, "model": model.name, "variant": variant,
             "tp_degrees": arguments.tensor}  # fmt: skip
    text = profiles.origin(every[arguments.tensor[0]], about)
    if arguments.form == "llmservingsim":
        write_atomically(folder / "meta.yaml", _meta() + text)
    write_atomically(folder / "origin.yaml", text)
    if arguments.json:
        print(json.dumps({"files": written, "origin": str(folder / "origin.yaml"), **about}, indent=1))
        return 0
    for path, rows in written.items():
        print(f"{rows:>7,} rows  {path}")
    print(f"origin        {folder / 'origin.yaml'}")
    return 0


def _short(number: str) -> str:
    return "fp8" if number.startswith("fp8") else number


def _meta() -> str:
    """What LLMServingSim reads of a bundle besides its origin: the limits of the grid; no correction for skew."""
    return yaml.safe_dump(
        {
            "profiler_version": "kcloud-cosim",
            "architecture": "llama",
            "engine_effective": {
                "max_num_batched_tokens": profiles.TOKENS[-1],
                "max_num_seqs": profiles.SEQUENCES[-1],
                "block_size": profiles.BLOCK,
            },
            "attention_grid": {
                "max_kv": profiles.KEYS[-1],
                "chunks": list(profiles.CHUNKS),
                "n_decode": list(profiles.SEQUENCES),
                "kv": list(profiles.KEYS),
                "decode_q_lens": [1],
            },
            "measurement_iterations": 1,
            "skew_profile": {"enabled": False},
            "skew_fit": {"enabled": False},
        },
        sort_keys=False,
    )
