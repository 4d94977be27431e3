"""What one layer's attention is on one device, without its projections."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionShape:
    """Scores of every query with the keys before it, and the sum of values they weigh.

    Parameters
    ----------
    heads : int
        Query heads on a device.
    kv_heads : int
        Key-value heads whose keys are read there.
    key_size, value_size : int
        Multiply-accumulates of a head for one pair of query and key: scores, sum of values.
    cache_elements : int
        Elements of the cache for one token in this layer on a device.
    window : bool
        Keys end at the model's window.
    stored : bool
        The cache is the layer's own, not another layer's that it reads.
    prompt : AttentionShape or None
        What the tokens of a prompt do instead, where it differs: latent attention widens its keys for them.
    """

    heads: int
    kv_heads: int
    key_size: int
    value_size: int
    cache_elements: int
    window: bool = False
    stored: bool = True
    prompt: "AttentionShape | None" = None

    @property
    def pair_macs(self) -> int:
        """Multiply-accumulates of all heads for one pair of query and key."""
        return self.heads * (self.key_size + self.value_size)
