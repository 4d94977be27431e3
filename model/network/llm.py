"""Decoder-only language models from a Hugging Face style `config.json`.

Known families: `gptj` (one normalisation, attention and feed-forward side by side, biases) and those shaped
like Llama (`llama`, `mistral`, `qwen2`, `mixtral`: gated feed-forward, grouped-query attention, experts).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.spec.error import InputError

CONFIGS = Path(__file__).parent / "configs"
"""The configurations that come with this package, one file per model."""

GATED = ("llama", "mistral", "qwen2", "mixtral")
FAMILIES = ("gptj", *GATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModel:
    """Sizes of a decoder-only transformer.

    Parameters
    ----------
    name, family : str
    layers, hidden, heads, head_size : int
    kv_heads : int
        Key and value heads; fewer than `heads` is grouped-query attention.
    intermediate : int
        Width of the feed-forward part (of one expert).
    vocabulary : int
    positions : int
        Longest context.
    experts, experts_per_token : int
        1 and 1 for a dense model.
    tied : bool
        Input and output embeddings are one matrix.
    """

    name: str
    family: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    intermediate: int
    vocabulary: int
    positions: int
    experts: int = 1
    experts_per_token: int = 1
    tied: bool = False

    def __post_init__(self) -> None:
        for field in (
            "layers", "hidden", "heads", "kv_heads", "head_size", "intermediate", "vocabulary", "positions",
            "experts", "experts_per_token",
        ):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{field} of {self.name} must be an integer of at least 1, not {value!r}")
        if self.heads % self.kv_heads:
            raise InputError(
                f"heads of {self.name} must be a multiple of its kv_heads, not {self.heads} and {self.kv_heads}"
            )
        if self.experts_per_token > self.experts:
            raise InputError(
                f"experts_per_token of {self.name} must be at most its {self.experts} experts, "
                f"not {self.experts_per_token}"
            )

    @property
    def gated(self) -> bool:
        """Three feed-forward matrices instead of two."""
        return self.family in GATED

    @property
    def attention_weights(self) -> int:
        """Weights of one layer's query, key, value and output projections."""
        return self.hidden * self.head_size * 2 * (self.heads + self.kv_heads)

    @property
    def expert_weights(self) -> int:
        """Weights of one layer's feed-forward part (of one expert)."""
        return (3 if self.gated else 2) * self.hidden * self.intermediate

    @property
    def router_weights(self) -> int:
        """Weights of one layer's choice of experts."""
        return self.hidden * self.experts if self.experts > 1 else 0

    @property
    def parameters(self) -> int:
        """All parameters, normalisation, biases and embeddings included."""
        if self.gated:
            per_layer = 2 * self.hidden + (self.family == "qwen2") * self.head_size * (
                self.heads + 2 * self.kv_heads
            )
            rest = self.hidden
        else:  # gptj: one normalisation with bias per layer, biases of both feed-forward matrices and the output
            per_layer = 2 * self.hidden + self.intermediate + self.hidden
            rest = 2 * self.hidden + self.vocabulary
        per_layer += self.attention_weights + self.experts * self.expert_weights + self.router_weights
        embeddings = (1 if self.tied else 2) * self.vocabulary * self.hidden
        return self.layers * per_layer + rest + embeddings

    @property
    def kv_elements_per_token(self) -> int:
        """Elements that the key-value cache holds for each token of each sequence."""
        return 2 * self.layers * self.kv_heads * self.head_size


def from_config(name: str, config: dict[str, Any]) -> LanguageModel:
    """The model described by the fields of a `config.json`; `InputError` naming a missing or unknown field."""
    family = config.get("model_type")
    if family not in FAMILIES:
        raise InputError(f"model_type of {name} must be one of {', '.join(FAMILIES)}, not {family!r}")

    def need(field: str) -> Any:
        if config.get(field) is None:
            raise InputError(f"the configuration of {name} must have the field {field!r}; add it")
        return config[field]

    tied = bool(config.get("tie_word_embeddings", False))
    if family == "gptj":
        hidden, heads = need("n_embd"), need("n_head")
        return LanguageModel(
            name=name, family=family, layers=need("n_layer"), hidden=hidden, heads=heads, kv_heads=heads,
            head_size=hidden // heads, intermediate=config.get("n_inner") or 4 * hidden,
            vocabulary=need("vocab_size"), positions=need("n_positions"), tied=tied,
        )
    hidden, heads = need("hidden_size"), need("num_attention_heads")
    mixture = family == "mixtral"
    return LanguageModel(
        name=name, family=family, layers=need("num_hidden_layers"), hidden=hidden, heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads, head_size=config.get("head_dim") or hidden // heads,
        intermediate=need("intermediate_size"), vocabulary=need("vocab_size"),
        positions=need("max_position_embeddings"), tied=tied,
        experts=need("num_local_experts") if mixture else 1,
        experts_per_token=need("num_experts_per_tok") if mixture else 1,
    )


def read_config(path: Path | str) -> LanguageModel:
    """The model in the file `path`; one called `config.json` is named after its folder."""
    path = Path(path)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} must be a model configuration; there is no such file, check the path") from None
    except OSError as error:
        raise InputError(f"{path} must be a readable file ({error.strerror}); check the path") from None
    except ValueError:
        raise InputError(f"{path} must be complete JSON; it is truncated or another kind of file") from None
    if not isinstance(config, dict):
        raise InputError(f"{path} must hold one JSON object, not {type(config).__name__}")
    return from_config(path.parent.name if path.stem == "config" else path.stem, config)


def names() -> list[str]:
    """The models whose configurations come with this package."""
    return sorted(path.stem for path in CONFIGS.glob("*.json"))


def load(name: str) -> LanguageModel:
    """The model called `name`; raises `InputError` listing the known ones."""
    if name not in names():
        raise InputError(f"a language model must be one of {', '.join(names())}, not {name!r}; choose a known one")
    return read_config(CONFIGS / f"{name}.json")
