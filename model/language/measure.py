"""How well the small language model predicts unseen text, beside what needs no network and in every format.

`python -m model.language.measure` writes `quality.json` beside this file; the report and the documentation read it.
Bits per character over the test text; a window of 128 tokens counts its second half (`floating.windows`).
Fixed formats are slow to reproduce bit for bit: they are measured on `WINDOWS` windows spread over the test text, and
FP32 on the same ones beside them.
"""

import json
import lzma
import time
from collections.abc import Callable

import numpy as np

from hw.base.file import write_atomically
from model.language import corpus, floating
from model.language.bytepair import BytePair
from model.language.config import DecoderConfig, read_config
from model.language.ngram import NGram
from model.lowering.decoder.checkpoint import read_weights
from model.reference.decoder import Decoder, store_weights
from model.reference.products import Product, aim_product, core_product, hbm_pim_product

QUALITY = corpus.FOLDER / "quality.json"
WINDOWS = 24
CALIBRATION = 32
"""Windows of the training text from which the ranges of INT8 activations come."""

FORMATS: dict[str, tuple[str, Product]] = {
    "bf16_npu": ("bf16", core_product("bf16")),
    "fp16_npu": ("fp16", core_product("fp16")),
    "bf16_aim": ("bf16", aim_product),
    "fp16_hbm_pim": ("fp16", hbm_pim_product),
}
"""Name -> storage format and the order of additions of all products."""


def baselines(training: str, test: str) -> dict[str, float]:
    """Bits per character without a network."""
    found = {f"kneser_ney_{order}": NGram(training, order).bits_per_character(test) for order in (3, 5, 7)}
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 1 << 26}]
    sizes = [len(lzma.compress(t.encode(), lzma.FORMAT_RAW, filters=filters)) for t in (training, training + test)]
    found["xz_primed"] = 8 * (sizes[1] - sizes[0]) / len(test)
    found["xz_alone"] = 8 * len(lzma.compress(test.encode(), lzma.FORMAT_RAW, filters=filters)) / len(test)
    return found | ppmd(training, test)


def ppmd(training: str, test: str, order: int = 16) -> dict[str, float]:
    """PPMd variant H, primed with the training text and adapting as it goes; nothing without the extra `train`."""
    try:
        import pyppmd  # pyright: ignore[reportMissingImports]
    except ImportError:
        return {}

    def size(text: str) -> int:
        encoder = pyppmd.Ppmd7Encoder(order, 1 << 28)
        return len(encoder.encode(text.encode()) + encoder.flush())

    return {f"ppmd_{order}_primed": 8 * (size(training + test) - size(training)) / len(test)}


def int8_product(config: DecoderConfig, weights: dict[str, np.ndarray], tokens: np.ndarray) -> Product:
    """Products with static INT8: weights by output row, activations by one range per matrix seen in calibration."""
    ranges: dict[bytes, float] = {}

    def watch(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        key = w.tobytes()
        ranges[key] = max(ranges.get(key, 0.0), float(np.quantile(np.abs(x), 0.9999)))
        return x @ w.T

    inputs, _, _ = floating.windows(tokens, config.max_position_embeddings)
    floating.forward(config, weights, inputs[:: max(1, len(inputs) // CALIBRATION)][:CALIBRATION], watch)
    stored: dict[bytes, tuple[np.ndarray, np.ndarray, float]] = {}
    for w in weights.values():
        if w.ndim == 2:
            step = np.abs(w).max(1, keepdims=True) / 127
            key = w.tobytes()
            stored[key] = np.rint(w / step).astype(np.float32), step[:, 0], ranges[key] / 127

    def product(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        codes, step, scale = stored[w.tobytes()]
        rounded = np.clip(np.rint(x / scale), -127, 127).astype(np.float32)
        return (rounded @ codes.T) * (step * scale)  # sums below 2**24: exact in FP32

    return product


def in_format(
    config: DecoderConfig, weights: dict[str, np.ndarray], name: str, product: Product, windows: np.ndarray
) -> Callable[[int], np.ndarray]:
    """Logits (positions, vocabulary) of a window, bit for bit as the hardware has them."""
    stored = store_weights(config, weights, name)

    def logits(window: int) -> np.ndarray:
        decoder = Decoder(config, stored, name)
        out = decoder.read([int(t) for t in windows[window]], product, product, last=False)
        return decoder.logits(out["residual2", config.num_hidden_layers - 1], product)

    return logits


def measure() -> dict[str, object]:
    """Every figure, with what it was measured on."""
    config = read_config(corpus.FOLDER / "weights" / "config.json")
    weights = read_weights(corpus.FOLDER / "weights" / "model.safetensors", config)
    tokens = BytePair.stored()
    training, test = corpus.split(corpus.text())
    ids = np.array(tokens.encode(test))
    found: dict[str, object] = {"text": corpus.digest(corpus.text()), "test_characters": len(test)}
    found["baselines"] = baselines(training, test)
    found["fp32"] = floating.bits_per_character(config, weights, ids, tokens.pieces)
    int8 = int8_product(config, weights, np.array(tokens.encode(training[:400_000])))
    found["int8_npu"] = floating.bits_per_character(config, weights, ids, tokens.pieces, int8)

    inputs, targets, counted = floating.windows(ids, config.max_position_embeddings)
    chosen = np.linspace(1, len(inputs) - 1, WINDOWS).astype(int)
    lengths = np.array([len(piece) for piece in tokens.pieces])
    characters = sum(int(lengths[targets[w][counted[w]]].sum()) for w in chosen)

    def of_windows(logits: Callable[[int], np.ndarray]) -> float:
        return sum(float(floating.bits(logits(w), targets[w])[counted[w]].sum()) for w in chosen) / characters

    sample: dict[str, float] = {"fp32": of_windows(lambda w: floating.forward(config, weights, inputs[w : w + 1])[0])}
    sample["int8_npu"] = of_windows(lambda w: floating.forward(config, weights, inputs[w : w + 1], int8)[0])
    for what, (name, product) in FORMATS.items():
        begun = time.process_time()
        sample[what] = of_windows(in_format(config, weights, name, product, inputs))
        print(f"{what}: {sample[what]:.4f} ({time.process_time() - begun:.0f} CPU seconds)", flush=True)
    return found | {"sample_windows": WINDOWS, "sample_characters": characters, "sample": sample}


if __name__ == "__main__":
    write_atomically(QUALITY, json.dumps(measure(), indent=1) + "\n")
