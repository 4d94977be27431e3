"""Training of the small language model: `python -m model.language.train` writes merges and weights.

Needs the extra `train` (JAX on the CPU). One seed, one cosine, AdamW: about 12 minutes of one core.
"""

import time
from functools import partial
from pathlib import Path

import numpy as np

from model.language import bytepair, corpus
from model.language.config import DecoderConfig, read_config

SEED = 13
STEPS = 3000
SEQUENCES, LENGTH = 8, 128
RATE, LEAST_RATE, WARM_UP = 4e-3, 1e-5, 100
BETA1, BETA2, DECAY, CLIP = 0.9, 0.97, 0.1, 1.0
WEIGHTS = corpus.FOLDER / "weights"


def initial(config: DecoderConfig, seed: int) -> dict[str, np.ndarray]:
    """Normal weights of width 1 / sqrt(in), smaller where they add to the residual stream; gains of 1."""
    rng = np.random.default_rng(seed)
    depth = (2 * config.num_hidden_layers) ** -0.5
    out = {}
    for name, shape in config.shapes().items():
        if len(shape) == 1:
            out[name] = np.ones(shape, np.float32)
            continue
        width = 0.02 if "embed" in name else shape[1] ** -0.5
        if "o_proj" in name or "down_proj" in name:
            width *= depth
        out[name] = (rng.standard_normal(shape) * width).astype(np.float32)
    return out


def train(config: DecoderConfig, tokens: np.ndarray, steps: int = STEPS, seed: int = SEED) -> dict[str, np.ndarray]:
    """Weights after `steps` steps on sequences drawn from `tokens`."""
    import jax  # pyright: ignore[reportMissingImports]
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    def norm(x: jax.Array, gain: jax.Array) -> jax.Array:
        return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + config.rms_norm_eps) * gain

    half = config.head_dim // 2
    angle = np.outer(np.arange(LENGTH), config.rope_theta ** (-np.arange(half) / half))
    cosine, sine = jnp.array(np.cos(angle), jnp.float32)[:, None], jnp.array(np.sin(angle), jnp.float32)[:, None]
    causal = jnp.array(np.tril(np.ones((LENGTH, LENGTH), bool)))

    def rotate(x: jax.Array) -> jax.Array:
        a, b = x[..., :half], x[..., half:]
        return jnp.concatenate([a * cosine - b * sine, b * cosine + a * sine], -1)

    def loss(weights: dict[str, jax.Array], batch: jax.Array) -> jax.Array:
        inputs, targets = batch[:, :-1], batch[:, 1:]
        x = weights["model.embed_tokens.weight"][inputs]
        b, t = inputs.shape
        for layer in range(config.num_hidden_layers):
            w = {k.removeprefix(f"model.layers.{layer}."): v for k, v in weights.items()}
            y = norm(x, w["input_layernorm.weight"])
            q = rotate((y @ w["self_attn.q_proj.weight"].T).reshape(b, t, config.num_attention_heads, -1))
            k = rotate((y @ w["self_attn.k_proj.weight"].T).reshape(b, t, config.num_key_value_heads, -1))
            v = (y @ w["self_attn.v_proj.weight"].T).reshape(b, t, config.num_key_value_heads, -1)
            k, v = jnp.repeat(k, config.group, 2), jnp.repeat(v, config.group, 2)
            scores = jnp.einsum("bihd,bjhd->bhij", q, k) * config.head_dim**-0.5
            chance = jax.nn.softmax(jnp.where(causal, scores, -1e30), -1)
            mixed = jnp.einsum("bhij,bjhd->bihd", chance, v).reshape(b, t, -1)
            x = x + mixed @ w["self_attn.o_proj.weight"].T
            y = norm(x, w["post_attention_layernorm.weight"])
            up = jax.nn.silu(y @ w["mlp.gate_proj.weight"].T) * (y @ w["mlp.up_proj.weight"].T)
            x = x + up @ w["mlp.down_proj.weight"].T
        logits = norm(x, weights["model.norm.weight"]) @ weights["model.embed_tokens.weight"].T
        chosen = jnp.take_along_axis(logits, targets[..., None], -1)[..., 0]
        return (jax.nn.logsumexp(logits, -1) - chosen).mean()

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(weights: dict, first: dict, second: dict, batch: jax.Array, i: jax.Array) -> tuple:
        value, slope = jax.value_and_grad(loss)(weights, batch)
        size = jnp.sqrt(sum((g * g).sum() for g in slope.values()))
        shrink = jnp.minimum(1.0, CLIP / size)
        part = jnp.clip((i - WARM_UP) / (steps - WARM_UP), 0, 1)
        rate = (LEAST_RATE + (RATE - LEAST_RATE) * (1 + jnp.cos(jnp.pi * part)) / 2) * jnp.minimum(
            1.0, (i + 1) / WARM_UP
        )
        out = ({}, {}, {})
        for name, w in weights.items():
            g = slope[name] * shrink
            m = BETA1 * first[name] + (1 - BETA1) * g
            s = BETA2 * second[name] + (1 - BETA2) * g * g
            move = (m / (1 - BETA1 ** (i + 1))) / (jnp.sqrt(s / (1 - BETA2 ** (i + 1))) + 1e-9)
            decay = DECAY if w.ndim > 1 else 0.0
            out[0][name], out[1][name], out[2][name] = w - rate * (move + decay * w), m, s
        return *out, value

    weights = {k: jnp.array(v) for k, v in initial(config, seed).items()}
    first = {k: jnp.zeros_like(v) for k, v in weights.items()}
    second = {k: jnp.zeros_like(v) for k, v in weights.items()}
    rng = np.random.default_rng(seed)
    begun, mean = time.process_time(), 0.0
    for i in range(steps):
        starts = rng.integers(0, len(tokens) - LENGTH - 1, SEQUENCES)
        batch = np.stack([tokens[s : s + LENGTH + 1] for s in starts])
        weights, first, second, value = step(weights, first, second, jnp.array(batch), jnp.float32(i))
        mean = float(value) if i == 0 else 0.98 * mean + 0.02 * float(value)
        if i % 100 == 99:
            print(f"step {i + 1}: loss {mean:.3f}, {time.process_time() - begun:.0f} CPU seconds", flush=True)
    return {k: np.asarray(v) for k, v in weights.items()}


def main(folder: Path = WEIGHTS) -> None:
    """Learn the merges, train, and store both."""
    from safetensors.numpy import save_file

    text, _ = corpus.split(corpus.text())
    tokens = bytepair.learn(text)
    bytepair.write(tokens)
    weights = train(read_config(folder / "config.json"), np.array(tokens.encode(text), np.int32))
    save_file(
        weights,
        folder / "model.safetensors",
        metadata={"format": "np", "seed": str(SEED), "steps": str(STEPS), "text": corpus.digest(corpus.text())},
    )


if __name__ == "__main__":
    main()
