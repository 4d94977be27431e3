"""Language models from a Hugging Face style `config.json`, by family (`model.network.families`).

Of a file that describes images or sound too, the language part is read (`text_config` and its other names).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hw.base import json_text
from hw.base.catalog import nearest
from hw.base.error import InputError
from model.network.config import Config
from model.network.families import families
from model.network.language import LanguageModel

__all__ = ["CONFIGS", "LanguageModel", "from_config", "load", "names", "read_config"]

CONFIGS = Path(__file__).parent / "configs"
"""The configurations that come with this package, one file per model."""

INNER = ("text_config", "language_config", "llm_config", "thinker_config")
"""Where files of models that see or hear keep their language part."""

OTHER_KINDS = {
    "an encoder, which writes no tokens": (
        "bert",
        "roberta",
        "xlm-roberta",
        "distilbert",
        "deberta",
        "deberta-v2",
        "electra",
        "albert",
        "mpnet",
        "modernbert",
        "nomic_bert",
        "clip",
        "siglip",
        "vit",
        "wav2vec2",
        "hubert",
        "dinov2",
    ),
    "an encoder and a decoder: its decoder reads the encoder's cache too": (
        "t5",
        "mt5",
        "umt5",
        "t5gemma",
        "bart",
        "mbart",
        "m2m_100",
        "marian",
        "pegasus",
        "whisper",
        "seamless_m4t",
        "switch_transformers",
        "led",
    ),
    "a recurrent network of another kind": ("rwkv", "rwkv5", "rwkv6", "rwkv7", "retnet", "xlstm"),
}
"""Reason -> kinds of files that are refused for it."""


def from_config(name: str, config: Mapping[str, Any]) -> LanguageModel:
    """The model described by the fields of a `config.json`.

    Raises
    ------
    InputError
        Naming a missing, impossible or unknown field.
    """
    outer, defaults = config, None
    for _ in range(2):
        place = next((p for p in INNER if isinstance(config.get(p), Mapping) and config[p]), None)
        if place is None:
            break
        inner = dict(config[place])
        for kept in ("quantization_config", "compression_config", "tie_word_embeddings", "torch_dtype", "dtype"):
            if inner.get(kept) is None and outer.get(kept) is not None:
                inner[kept] = outer[kept]
        inner.setdefault("model_type", config.get("model_type"))
        config, defaults = inner, {}
    kind = config.get("model_type")
    if not isinstance(kind, str):
        kind = _kind_of(config)
    if kind not in families():
        raise InputError(_unknown(name, kind))
    module = families()[kind]
    if defaults is not None:
        defaults = getattr(module, "DEFAULTS", {})
    reader = Config(name, {**config, "model_type": kind}, defaults)
    model = module.read(reader)
    left = () if config is outer else ("the part that sees or hears",)
    return replace(model, unread=model.unread + left)


def _kind_of(config: Mapping[str, Any]) -> str | None:
    """The kind of a file without `model_type`: that of its architecture's name, e.g. MixtralForCausalLM."""
    architectures = config.get("architectures")
    if isinstance(architectures, list) and architectures and isinstance(architectures[0], str):
        stem = architectures[0].partition("For")[0].removesuffix("LMHeadModel").lower()
        return next((kind for kind in families() if kind.replace("_", "").replace("-", "").lower() == stem), None)
    return None


def _unknown(name: str, kind: object) -> str:
    for reason, kinds in OTHER_KINDS.items():
        if kind in kinds:
            return f"{name} must be a decoder-only language model; {kind} is {reason}"
    near = nearest(kind, sorted(families())) if isinstance(kind, str) else ""
    return (
        f"model_type of {name} must be a known family, not {kind!r}; {near}a family is one file in "
        f"model/network/families, known are {', '.join(sorted(families()))}"
    )


def read_config(path: Path | str) -> LanguageModel:
    """The model in the file `path`; one called `config.json` is named after its folder."""
    path = Path(path)
    try:
        # files edited on Windows begin with a byte order mark
        config = json_text.loads(path.read_text(encoding="utf-8-sig"))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise InputError(f"{path} must be a model configuration; there is no such file, check the path") from None
    except OSError as error:
        raise InputError(f"{path} must be a readable file ({error.strerror}); check the path") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path} must be complete JSON; it is truncated or another kind of file") from None
    if not isinstance(config, dict):
        raise InputError(f"{path} must hold one JSON object, not {type(config).__name__}")
    return from_config(path.absolute().parent.name if path.stem == "config" else path.stem, config)


def names() -> list[str]:
    """The models whose configurations come with this package."""
    return sorted(path.stem for path in CONFIGS.glob("*.json"))


def load(name: str) -> LanguageModel:
    """The model called `name`; raises `InputError` listing the known ones."""
    if name not in names():
        hint = nearest(name, names())
        raise InputError(f"a language model must be a known one, not {name!r}; {hint}known are {', '.join(names())}")
    return read_config(CONFIGS / f"{name}.json")
