"""`quantization_config` of a file: bits of each weight with its scales, and the parts that stay in 16 bits.

Layouts: AWQ and GPTQ store a scale of 16 bits and a zero point of the weights' own bits for each group (GPTQ also the
group of each input row, 32 bits); FP8 one FP32 scale a matrix, row or block; MXFP4 an 8-bit exponent for 32 (OCP
Microscaling
1.0); NVFP4 an FP8 scale for 16; bitsandbytes an FP32 (or once more quantised, 8-bit) maximum for 64.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch

from hw.base.error import InputError
from model.network.config import Config

WIDE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """How the matrices of the layers are stored.

    Parameters
    ----------
    method : str
        Name of the quantiser whose layout it is, e.g. "awq" or "compressed-tensors".
    number_bits : float
        Of one weight.
    group : int
        Inputs that share a scale; 0: all inputs of an output; -1: the whole matrix.
    group_bits : float
        Scale and zero point of a group.
    block : int
        Outputs that share a scale too; 1: each its own.
    row_bits : float
        Stored for each input row besides.
    compute : str
        Format of the products: "fp16" where weights are widened first, else of weights and activations.
    kept : tuple of str
        Names or patterns of what stays in 16 bits.
    head : bool
        The head is quantised too.
    only : str
        Part of the path of what is quantised at all; "": every linear matrix.
    cache : str
        Format of the key-value cache that the file asks for; "": not stated.
    """

    method: str
    number_bits: float
    group: int = 0
    group_bits: float = 0.0
    block: int = 1
    row_bits: float = 0.0
    compute: str = "fp16"
    kept: tuple[str, ...] = ()
    head: bool = False
    only: str = ""
    cache: str = ""

    @property
    def title(self) -> str:
        """The layout in a few words."""
        shared = {-1: "a matrix", 0: "an output"}.get(self.group, f"{self.group} inputs")
        return f"{self.method} of the file, {self.number_bits:g} bits and {self.group_bits:g} for {shared}" + (
            f" of {self.block} outputs" if self.block > 1 else ""
        )

    def bits(self, path: str, columns: int, rows: int, layers: int) -> float:
        """Bits of a weight of the matrices at `path` in `layers` layers, mean over them; routers stay wide."""
        if path == "lm_head":
            narrow = 1.0 if self.head else 0.0
        elif path == "mlp.gate" or self.only not in path:
            narrow = 0.0
        else:
            narrow = 1 - sum(self._keeps(f"model.layers.{i}.{path}") for i in range(layers)) / layers
        shared = self.group if self.group > 0 else rows if self.group == 0 else rows * columns
        quantised = (
            self.number_bits + self.group_bits / (min(shared, rows * columns) * self.block) + self.row_bits / columns
        )
        return narrow * quantised + (1 - narrow) * WIDE

    def _keeps(self, path: str) -> bool:
        for pattern in self.kept:
            if pattern.startswith("re:"):
                if re.match(pattern[3:], path):
                    return True
            elif "*" in pattern:
                if fnmatch(path, pattern) or fnmatch(path, f"*{pattern.lstrip('*')}*"):
                    return True
            elif path == pattern or f".{pattern.strip('.')}." in f".{path}.":
                return True
        return False


def read_quantization(config: Config) -> Quantization | None:
    """What `quantization_config` (or `compression_config`) states; None without one.

    Raises
    ------
    InputError
        For a method whose layout is not known, naming it.
    """
    part = config.part("quantization_config", "compression_config")
    if part is None or not part.fields:
        return None
    method = part.text("quant_method", default="modelopt" if part.has("quant_algo", "quantization") else "")
    for known, reader in READERS.items():
        if method.replace("_", "-").lower() == known:
            return reader(part)
    raise InputError(
        f"quant_method of {config.name} must be one whose layout is known ({', '.join(READERS)}), not {method!r}"
    )


def _kept(part: Config, *names: str) -> tuple[str, ...]:
    return tuple(str(item) for item in part.items(*names, default=[]))


def _group(part: Config, *names: str, default: int) -> int:
    """Inputs that share a scale as `Quantization` counts them; files write -1 for all."""
    if part.get(*names, default=default) == -1:
        return 0
    return part.whole(*names, default=default)


def _blocks(part: Config, name: str, default: list[int]) -> tuple[int, int]:
    """Outputs and inputs that share a scale."""
    value = part.items(name, default=default)
    if len(value) != 2 or any(isinstance(v, bool) or not isinstance(v, int) or v < 1 for v in value):
        raise InputError(f"{name} of {part.name} must be two integers of at least 1, outputs and inputs, not {value!r}")
    return value[0], value[1]


def _awq(part: Config) -> Quantization:
    bits = part.whole("bits", "w_bit", default=4)
    zero = bits if part.flag("zero_point", default=True) else 0
    group = _group(part, "group_size", "q_group_size", default=128)
    return Quantization(
        method="awq",
        number_bits=bits,
        group=group,
        group_bits=16 + zero,
        kept=_kept(part, "modules_to_not_convert"),
    )


def _gptq(part: Config) -> Quantization:
    bits = part.whole("bits")
    group = _group(part, "group_size", default=-1)
    return Quantization(
        method="gptq",
        number_bits=bits,
        group=group,
        group_bits=16 + bits,
        row_bits=32,
        head=part.flag("lm_head"),
        kept=_kept(part, "modules_to_not_convert"),
    )


def _fp8(part: Config) -> Quantization:
    kept = _kept(part, "modules_to_not_convert", "ignored_layers")
    if part.has("weight_block_size"):
        outputs, inputs = _blocks(part, "weight_block_size", [])
        return Quantization(
            method="fp8",
            number_bits=8,
            group=inputs,
            block=outputs,
            group_bits=32,
            compute="fp8_e4m3",
            kept=kept,
        )
    return Quantization(method="fp8", number_bits=8, group=-1, group_bits=32, compute="fp8_e4m3", kept=kept)


def _fbgemm(part: Config) -> Quantization:
    return Quantization(
        method="fbgemm_fp8",
        number_bits=8,
        group_bits=32,
        compute="fp8_e4m3",
        kept=_kept(part, "modules_to_not_convert"),
    )


def _mxfp4(part: Config) -> Quantization:
    return Quantization(
        method="mxfp4",
        number_bits=4,
        group=32,
        group_bits=8,
        only="experts",
        kept=_kept(part, "modules_to_not_convert"),
    )


_STRATEGIES = ("tensor", "channel", "group", "tensor_group", "block")


def _compressed(part: Config) -> Quantization:
    groups = part.get("config_groups")
    if not isinstance(groups, dict) or not groups:
        raise InputError(f"config_groups of {part.name} must hold at least one group of matrices, not {groups!r}")
    first = Config(part.name, next(iter(groups.values())))
    weights = first.part("weights")
    if weights is None:
        raise InputError(f"the configuration of {part.name} must have the field 'weights' in its config_groups; add it")
    bits = weights.whole("num_bits")
    kind, strategy = weights.text("type", default="int"), weights.text("strategy", default="channel")
    activations = first.part("input_activations")
    zero = 0 if weights.flag("symmetric", default=True) else bits
    if strategy not in _STRATEGIES:
        raise InputError(f"strategy of {part.name} must be one of {', '.join(_STRATEGIES)}, not {strategy!r}")
    group = -1 if strategy == "tensor" else 0 if strategy == "channel" else _group(weights, "group_size", default=128)
    block = 1
    if strategy == "block":
        block, group = _blocks(weights, "block_structure", [128, 128])
    scale = 8 if kind == "float" and bits == 4 else 32 if strategy in ("tensor", "block") else 16
    compute = "fp16"
    if activations is not None:
        compute = "int8" if kind == "int" and bits == 8 else "fp8_e4m3"
    scheme = part.part("kv_cache_scheme")
    return Quantization(
        method="compressed-tensors",
        number_bits=bits,
        group=group,
        group_bits=scale + zero,
        block=block,
        compute=compute,
        kept=tuple(k for k in _kept(part, "ignore") if k != "lm_head"),
        cache="fp8_e4m3" if scheme is not None and scheme.whole("num_bits", default=8) == 8 else "",
    )


def _modelopt(part: Config) -> Quantization:
    inner = part.part("quantization") or part
    algorithm = inner.text("quant_algo").upper()
    kept = _kept(inner, "exclude_modules", "ignore") or _kept(part, "ignore")
    kept = tuple(k for k in kept if k != "lm_head")
    cache = "fp8_e4m3" if "FP8" in str(inner.get("kv_cache_quant_algo", "kv_cache_scheme", default="")).upper() else ""
    if "NVFP4" in algorithm:
        return Quantization(
            method="modelopt", number_bits=4, group=16, group_bits=8, compute="fp8_e4m3", kept=kept, cache=cache
        )
    if algorithm.startswith("W4A16") or algorithm.startswith("W4A8"):
        return Quantization(method="modelopt", number_bits=4, group=128, group_bits=16, kept=kept, cache=cache)
    if "FP8" in algorithm:
        return Quantization(
            method="modelopt", number_bits=8, group=-1, group_bits=32, compute="fp8_e4m3", kept=kept, cache=cache
        )
    raise InputError(f"quant_algo of {part.name} must be FP8, NVFP4 or W4A16, not {algorithm!r}")


def _bitsandbytes(part: Config) -> Quantization:
    kept = _kept(part, "llm_int8_skip_modules")
    narrow = part.flag("load_in_4bit", "_load_in_4bit")
    if part.flag("load_in_8bit", "_load_in_8bit"):
        if narrow:
            raise InputError(f"{part.name} must be loaded in 4 or in 8 bits, not in both; leave one out")
        return Quantization(method="bitsandbytes", number_bits=8, group_bits=32, kept=kept)
    twice = part.flag("bnb_4bit_use_double_quant")
    # a maximum of FP32 for 64 weights, or of 8 bits and for 256 of them one of FP32
    return Quantization(
        method="bitsandbytes", number_bits=4, group=64, group_bits=8 + 32 / 256 if twice else 32, kept=kept
    )


def _hqq(part: Config) -> Quantization:
    weights = part.part("quant_config") or part
    inner = weights.part("weight_quant_params") or weights
    bits = inner.whole("nbits", default=4)
    return Quantization(
        method="hqq",
        number_bits=bits,
        group=_group(inner, "group_size", default=64),
        group_bits=32,
        kept=_kept(part, "skip_modules"),
    )


def _eetq(part: Config) -> Quantization:
    return Quantization(method="eetq", number_bits=8, group_bits=16, kept=_kept(part, "modules_to_not_convert"))


READERS: dict[str, Callable[[Config], Quantization]] = {
    "awq": _awq,
    "gptq": _gptq,
    "fp8": _fp8,
    "fbgemm-fp8": _fbgemm,
    "mxfp4": _mxfp4,
    "compressed-tensors": _compressed,
    "modelopt": _modelopt,
    "modelopt-fp4": _modelopt,
    "bitsandbytes": _bitsandbytes,
    "hqq": _hqq,
    "eetq": _eetq,
}
"""Method -> reader of its fields."""
