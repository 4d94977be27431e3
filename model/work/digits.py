"""Handwritten digits through stored INT8 layers: a chain of GEMM jobs with a score."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.base.digest import digest
from model.network.quantised import QuantisedNetwork, read
from model.work.workload import Gemm, GemmJob

PARAMETERS = Path(__file__).parent.parent / "workloads" / "digits.npz"


def layer_content(network: QuantisedNetwork) -> list[dict[str, list[int]]]:
    """All stored numbers of `network`, for a digest."""
    return [
        {
            "weights": layer.weights.tolist(),
            "bias": layer.output.bias.tolist(),
            "multiplier": layer.output.multiplier.tolist(),
            "shift": layer.output.shift.tolist(),
            "range": [layer.output.zero_point, layer.output.low, layer.output.high],
        }
        for layer in network.layers
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """The first `images` images of the digits' test split, all in one batch.

    Each layer needs the one before it, so there is nothing to queue. The seed changes nothing: images and
    parameters are data. They are read when first asked for.

    Parameters
    ----------
    title : str
        One line for people.
    queued : bool
        See `Workload`; the layers depend on one another, so it is False.
    """

    title: str
    images: int
    queued: bool = False

    @property
    def digest(self) -> str:
        """Digest of the number of images and all stored parameters."""
        return digest({"images": self.images, "layers": layer_content(self.network())})

    @property
    def work(self) -> dict[str, float]:
        """The images."""
        return {"images": self.images}

    def network(self) -> QuantisedNetwork:
        """The stored layers."""
        return read(PARAMETERS)

    def gemms(self) -> list[Gemm]:
        """One GEMM per layer: images x channels out x channels in."""
        return [
            Gemm(name=f"layer_{i}", m=self.images, n=layer.weights.shape[1], k=layer.weights.shape[0])
            for i, layer in enumerate(self.network().layers)
        ]

    def jobs(self, seed: int) -> list[GemmJob]:
        """One job per layer; each layer after the first takes its activations from the job before it."""
        from model.train.digits import data, quantise_images

        _, _, images, _ = data()
        activations = quantise_images(images[: self.images])
        return [
            GemmJob(
                gemm=gemm,
                weights=layer.weights,
                output=layer.output,
                activations=activations if i == 0 else None,
                source=None if i == 0 else i - 1,
            )
            for i, (gemm, layer) in enumerate(zip(self.gemms(), self.network().layers, strict=True))
        ]

    def score(self, outputs: list[np.ndarray]) -> dict[str, float]:
        """{"images", "correct"}: the largest output of the last layer is the digit; first on a tie."""
        from model.train.digits import data

        _, _, _, labels = data()
        guess = np.asarray(outputs[-1]).argmax(axis=1)
        return {"images": self.images, "correct": int((guess == labels[: self.images]).sum())}
