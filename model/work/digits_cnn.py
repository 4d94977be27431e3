"""Handwritten digits through the stored convolutional network: a program for a core with convolution, and its score."""

import zlib
from dataclasses import dataclass

import numpy as np

from hw.base.error import InputError
from hw.spec.core import CoreSpec
from model.network.quantised import QuantisedNetwork, read
from model.work.digits import Digits
from model.work.digits_network import PARAMETERS, build
from model.work.workload import Gemm, GemmJob, PlacedProgram

PIXELS = (64, 64, 64, 16, 1)
"""Output pixels per image of each layer: two convolutions, their sum, a convolution after pooling, the dense layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitsCnn(Digits):
    """The first `images` images of the digits' test split.

    Layers follow one another inside the core, so there are no jobs to hand out one by one. The seed changes nothing:
    images and parameters are data. They are read when first asked for.
    """

    def network(self) -> QuantisedNetwork:
        """The stored layers."""
        return read(PARAMETERS)

    def gemms(self) -> list[Gemm]:
        """One GEMM per layer as implicit im2col would make it: output pixels x channels out x taps x channels in."""
        return [
            Gemm(name=f"layer_{i}", m=self.images * pixels, n=layer.weights.shape[1], k=layer.weights.shape[0])
            for i, (pixels, layer) in enumerate(zip(PIXELS, self.network().layers, strict=True))
        ]

    def jobs(self, seed: int) -> list[GemmJob]:
        """None: pooling and padding lie between the layers."""
        raise InputError(
            f"a workload must be a list of GEMMs for the core bench, {self.title!r} is one program with pooling "
            "between its layers; choose the network bench and a chip with convolution, npu_16_cnn"
        )

    def program(self, core: CoreSpec) -> PlacedProgram:
        """The program for `core`; `InputError` if it is not the core the network is laid out for."""
        return build(core, self.images)

    def expected(self, core: CoreSpec) -> np.ndarray:
        """INT8 outputs (images, 10) by the integer reference, which knows no program."""
        from model.train.digits import data
        from model.train.digits_cnn import outputs, pixels

        return outputs(self.network(), pixels(data()[2][: self.images]))

    def score(self, outputs: list[np.ndarray]) -> dict[str, float]:
        """{"images", "correct", "outputs_crc32"}: the largest of ten outputs is the digit, the first of equals."""
        from model.train.digits import data

        found = np.ascontiguousarray(outputs[-1][:, :10])
        correct = int((found.argmax(axis=1) == data()[3][: self.images]).sum())
        return {"images": self.images, "correct": correct, "outputs_crc32": zlib.crc32(found.tobytes())}
