"""Handwritten digits: a 64-50-30-10 network trained in floating point, quantised to INT8.

Data: the 1,797 8 x 8 images of scikit-learn's `load_digits` (UCI optical recognition of handwritten digits), kept as
arrays in `IMAGES`: importing scikit-learn for them takes seconds in each of three processes of a run.
Every fifth image is test data (360), the rest trains and calibrates (1,437).
"""

import warnings
from pathlib import Path

import numpy as np

from model.network.quantised import QuantisedNetwork, Scale, quantise_layer

IMAGES = Path(__file__).parent.parent / "workloads" / "digits_images.npz"
"""All images (1797, 64), 0 to 16, and their labels (1797,), as uint8, in the order of `load_digits`."""
SEED = 11
HIDDEN = (50, 30)
PIXELS = Scale(step=1 / 255, zero_point=-128)
"""Pixels from 0 (paper) to 1 (ink)."""


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images, training labels, test images, test labels; images are floats (., 64) in [0, 1]."""
    with np.load(IMAGES, allow_pickle=False) as kept:
        images, labels = kept["images"] / 16, kept["labels"].astype(np.int64)
    test = np.arange(len(images)) % 5 == 0
    return images[~test], labels[~test], images[test], labels[test]


def quantise_images(images: np.ndarray) -> np.ndarray:
    """`images` as int8 activations on the scale `PIXELS`."""
    return (np.rint(images / PIXELS.step) + PIXELS.zero_point).astype(np.int8)


def train() -> QuantisedNetwork:
    """Train and quantise. Deterministic on one machine; libraries elsewhere may round differently."""
    weights, biases = fit()
    return quantise(weights, biases, data()[0])


def fit() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights (in, out) and biases of the layers, in floating point."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    images, labels, _, _ = data()
    classifier = MLPClassifier(
        hidden_layer_sizes=HIDDEN,
        activation="relu",
        alpha=1e-2,
        learning_rate_init=3e-3,
        batch_size=64,  # pyright: ignore[reportArgumentType]  (the stubs know only "auto")
        max_iter=60,
        n_iter_no_change=60,
        random_state=SEED,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is fixed on purpose
        classifier.fit(images, labels)
    return classifier.coefs_, classifier.intercepts_


def quantise(coefficients: list[np.ndarray], intercepts: list[np.ndarray], images: np.ndarray) -> QuantisedNetwork:
    """The network in INT8; each layer's activation range is what `images` cause in floating point."""
    layers = []
    values, source = images, PIXELS
    for i, (weights, bias) in enumerate(zip(coefficients, intercepts, strict=True)):
        relu = i < len(coefficients) - 1
        values = values @ weights + bias
        if relu:
            values = np.maximum(values, 0)
        target = Scale.covering(float(values.min()), float(values.max()))
        layers.append(quantise_layer(weights, bias, source, target, relu=relu))
        source = target
    return QuantisedNetwork(layers=tuple(layers))


TASK = train
