"""Sizes of a decoder, read from a `config.json` with the field names of published Llama configurations."""

import math
from dataclasses import dataclass
from pathlib import Path

from hw.base import json_text
from hw.base.error import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderConfig:
    """A decoder: RMSNorm before each part, rotary positions, grouped-query attention, SwiGLU.

    Parameters
    ----------
    hidden_size : int
        Elements of the residual stream; even.
    intermediate_size : int
        Elements of the feed-forward part.
    num_hidden_layers : int
        Decoder blocks, each of attention and feed-forward part.
    num_attention_heads, num_key_value_heads : int
        Query heads share the key and value heads in equal groups.
    head_dim : int
        Elements of one head; even, since positions rotate pairs (i, i + head_dim / 2).
    vocab_size : int
        Different tokens; rows of the embedding.
    max_position_embeddings : int
        Tokens of prompt and answer together.
    rms_norm_eps : float
        Added to the mean square of the elements before its root is taken.
    rope_theta : float
        Base of the rotary angles: position p turns pair i by p * theta ** (-2 i / head_dim).
    tie_word_embeddings : bool
        The output matrix is the embedding.
    """

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    vocab_size: int
    max_position_embeddings: int
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0
    tie_word_embeddings: bool = True

    def __post_init__(self) -> None:
        for field in (
            "hidden_size",
            "intermediate_size",
            "num_hidden_layers",
            "num_attention_heads",
            "num_key_value_heads",
            "head_dim",
            "vocab_size",
            "max_position_embeddings",
        ):
            value = getattr(self, field)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 1 << 24:
                raise InputError(f"{field} must be an integer from 1 to {(1 << 24) - 1}, not {value!r}")
        if self.num_attention_heads % self.num_key_value_heads:
            raise InputError(
                f"num_attention_heads must be a multiple of num_key_value_heads, not "
                f"{self.num_attention_heads} and {self.num_key_value_heads}"
            )
        if self.head_dim % 2:
            raise InputError(f"head_dim must be even (positions rotate pairs), not {self.head_dim}")
        for field in ("rms_norm_eps", "rope_theta"):
            value = getattr(self, field)
            if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
                raise InputError(f"{field} must be a finite number above 0, not {value!r}")

    @property
    def query_size(self) -> int:
        """Elements of all query heads."""
        return self.num_attention_heads * self.head_dim

    @property
    def kv_size(self) -> int:
        """Elements of all key heads, and of all value heads."""
        return self.num_key_value_heads * self.head_dim

    @property
    def group(self) -> int:
        """Query heads that share one key and value head."""
        return self.num_attention_heads // self.num_key_value_heads

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Tensor name -> shape (out, in), by the names of published checkpoints."""
        h, f = self.hidden_size, self.intermediate_size
        shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (self.vocab_size, h)}
        for layer in range(self.num_hidden_layers):
            at = f"model.layers.{layer}."
            shapes |= {
                at + "input_layernorm.weight": (h,),
                at + "self_attn.q_proj.weight": (self.query_size, h),
                at + "self_attn.k_proj.weight": (self.kv_size, h),
                at + "self_attn.v_proj.weight": (self.kv_size, h),
                at + "self_attn.o_proj.weight": (h, self.query_size),
                at + "post_attention_layernorm.weight": (h,),
                at + "mlp.gate_proj.weight": (f, h),
                at + "mlp.up_proj.weight": (f, h),
                at + "mlp.down_proj.weight": (h, f),
            }
        shapes["model.norm.weight"] = (h,)
        if not self.tie_word_embeddings:
            shapes["lm_head.weight"] = (self.vocab_size, h)
        return shapes


def read_config(path: Path) -> DecoderConfig:
    """The configuration in `path`; other fields of a published file are left aside, missing ones refused."""
    try:
        found = json_text.loads(path.read_text(encoding="utf-8-sig"))
    except InputError as e:
        raise InputError(f"{path}: {e}") from e
    except OSError as e:
        raise InputError(f"{path} must be a readable config.json: {e.strerror}") from e
    except (ValueError, RecursionError) as e:
        raise InputError(f"{path} must be complete JSON ({e}); correct it") from None
    if not isinstance(found, dict):
        raise InputError(f"{path} must hold one JSON object, not {type(found).__name__}")
    return decoder_config(found, str(path))


def decoder_config(found: dict[str, object], name: str) -> DecoderConfig:
    """The configuration of the fields `found` of the file `name`."""
    found = dict(found)
    heads, hidden = found.get("num_attention_heads"), found.get("hidden_size")
    if "head_dim" not in found and isinstance(heads, int) and isinstance(hidden, int) and heads and hidden % heads == 0:
        found["head_dim"] = hidden // heads
    found.setdefault("num_key_value_heads", heads)
    fields = DecoderConfig.__dataclass_fields__
    required = [field for field in fields if field not in ("rms_norm_eps", "rope_theta", "tie_word_embeddings")]
    missing = [field for field in required if found.get(field) is None]
    if missing:
        raise InputError(f"{name} must give {', '.join(missing)}; add {'it' if len(missing) == 1 else 'them'}")
    act = found.get("hidden_act", "silu")
    if act != "silu":
        raise InputError(f"{name}: hidden_act must be 'silu' (SwiGLU), not {act!r}")
    return DecoderConfig(**{field: found[field] for field in fields if field in found})  # pyright: ignore[reportArgumentType]
