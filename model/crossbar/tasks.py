"""Whole tasks with their static weights in crossbars: digits, convolutional digits, bits per character of text.

`python -m model crossbar --task NAME` runs one point; `python -m model.crossbar` runs the sweeps and writes
`tasks.json`, which the plots are drawn from.
"""

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np

from hw.base.error import InputError
from hw.spec.crossbar import CrossbarSpec
from model.crossbar.cells import CellErrors
from model.crossbar.converter import Policy
from model.crossbar.layer import ProgrammedMatrix
from model.reference.npu import requantise

Task = Literal["digits", "digits_cnn", "text"]

Sums = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(inputs (B, K) int8, weights (K, N) int8) -> integer sums (B, N)."""


def crossbar_sums(spec: CrossbarSpec, errors: CellErrors, policy: Policy, seed: int) -> Sums:
    """Sums through cells that are programmed when a matrix is first used; each gets a seed of its own."""
    held: dict[tuple[tuple[int, ...], bytes], ProgrammedMatrix] = {}

    def sums(inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
        key = weights.shape, weights.tobytes()
        if key not in held:
            held[key] = ProgrammedMatrix(spec, weights.T, errors, policy, seed * 1000 + len(held))
        return np.rint(held[key].multiply(inputs)).astype(np.int64)

    return sums


def exact_sums(inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What the NPU computes."""
    return (inputs.astype(np.float64) @ weights.astype(np.float64)).astype(np.int64)


def digits(sums: Sums, images: int = 360) -> tuple[float, np.ndarray]:
    """Share of digits read right, and the INT8 outputs."""
    from model import workloads

    workload = workloads.load("digits")
    jobs = workload.jobs(1)
    x = jobs[0].activations[:images] if jobs[0].activations is not None else np.zeros((0, 0), np.int8)
    for job in jobs:
        x = requantise(sums(x, job.weights), job.output)
    from model.train.digits import data

    return float((x.argmax(axis=1) == data()[3][:images]).mean()), x


def digits_cnn(sums: Sums, images: int = 360) -> tuple[float, np.ndarray]:
    """The same of the convolutional network; convolutions as products of patches."""
    from model.train.digits import data
    from model.train.digits_cnn import outputs, pixels
    from model.work.digits_network import PARAMETERS, read

    found = outputs(
        read(PARAMETERS), pixels(data()[2][:images]), lambda x, layer: requantise(sums(x, layer.weights), layer.output)
    )
    return float((found.argmax(axis=1) == data()[3][:images]).mean()), found


def int8_product(sums: Sums) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Projections (..., in) x (out, in) -> (..., out) by INT8 `sums`: weights scaled by output row, activations by the
    largest of each vector."""
    stored: dict[tuple[tuple[int, ...], bytes], tuple[np.ndarray, np.ndarray]] = {}

    def product(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        key = w.shape, w.tobytes()
        if key not in stored:
            step = np.abs(w).max(1, keepdims=True) / 127
            stored[key] = np.rint(w / step).astype(np.int8).T.copy(), step[:, 0]
        codes, step = stored[key]
        flat = x.reshape(-1, x.shape[-1])
        scale = np.abs(flat).max(1, keepdims=True) / 127 + 1e-12
        rounded = np.rint(flat / scale).astype(np.int8)
        found = sums(rounded, codes) * scale * step
        return found.reshape(*x.shape[:-1], -1).astype(np.float32)

    return product


def language_model() -> tuple[Any, dict[str, np.ndarray], Any]:
    """Configuration, weights and tokens of the small language model that comes with this package."""
    from model.language import corpus
    from model.language.bytepair import BytePair
    from model.language.config import read_config
    from model.lowering.decoder.checkpoint import read_weights

    config = read_config(corpus.FOLDER / "weights" / "config.json")
    return config, read_weights(corpus.FOLDER / "weights" / "model.safetensors", config), BytePair.stored()


def text(sums: Sums, windows: int = 4) -> float:
    """Bits per character of the small language model on `windows` windows of unseen text.

    All projections are INT8 (`int8_product`); attention, normalisation and residuals stay in FP32 beside the crossbars.
    """
    from model.language import corpus, floating

    config, weights, pairs = language_model()
    tokens = np.array(pairs.encode(corpus.split(corpus.text())[1]))
    pieces = [pairs.decode([token]) for token in range(pairs.vocabulary)]
    inputs, targets, counted = floating.windows(tokens, config.max_position_embeddings)
    chosen = np.linspace(0, len(inputs) - 1, windows).astype(int)
    lengths = np.array([len(piece) for piece in pieces])
    logits = floating.forward(config, weights, inputs[chosen], int8_product(sums))
    found, mask = floating.bits(logits, targets[chosen]), counted[chosen]
    return float(found[mask].sum() / lengths[targets[chosen][mask]].sum())


def write(sums: Sums | None, prompt: str, count: int) -> str:
    """`count` tokens after `prompt`, the likeliest each time; in FP32 if `sums` is None."""
    from model.language import floating

    config, weights, pairs = language_model()
    product = floating.plain_product if sums is None else int8_product(sums)
    tokens = pairs.encode(prompt)
    for _ in range(count):
        seen = np.array([tokens[-config.max_position_embeddings :]])
        tokens.append(int(floating.forward(config, weights, seen, product)[0, -1].argmax()))
    return pairs.decode(tokens[-count:])


def quality(task: Task, spec: CrossbarSpec, errors: CellErrors, policy: Policy, seed: int) -> float:
    """Accuracy of a digits task, bits per character of text."""
    if task not in get_args(Task):
        raise InputError(f"task must be one of {', '.join(get_args(Task))}, not {task!r}; choose one")
    sums = crossbar_sums(spec, errors, policy, seed)
    if task == "text":
        return text(sums)
    return (digits if task == "digits" else digits_cnn)(sums)[0]
