"""Handwritten digits through stored floating-point layers, for devices that compute in FP16 or BF16."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.base.digest import digest
from hw.base.error import InputError
from model.number.codec import encode
from model.work.workload import Gemm, GemmJob, Workload

PARAMETERS = Path(__file__).parent.parent / "workloads" / "digits_float.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatDigits:
    """The first `images` images of the digits' test split as vectors of one batch, layer after layer.

    Parameters are FP32 numbers from `model.train.digits.fit`; a device rounds them to its format once. The seed
    changes nothing.

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
        return digest({"images": self.images, "layers": [[w.tolist(), b.tolist()] for w, b in self.layers()]})

    @property
    def work(self) -> dict[str, float]:
        """The images."""
        return {"images": self.images}

    def layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Weights (out, in) and bias (out,) of each layer, float32."""
        with np.load(PARAMETERS) as held:
            return [(held[f"weights_{i}"], held[f"bias_{i}"]) for i in range(len(held.files) // 2)]

    def vectors(self, name: str) -> np.ndarray:
        """The images (images, 64) as codes of format `name`."""
        from model.train.digits import data

        return encode(data()[2][: self.images].astype(np.float32), name).astype(np.uint16)

    def parameters(self, name: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """`layers` as codes of format `name`."""
        return [(encode(w, name).astype(np.uint16), encode(b, name).astype(np.uint16)) for w, b in self.layers()]

    def gemms(self) -> list[Gemm]:
        """One GEMM per layer: images x outputs x inputs."""
        return [
            Gemm(name=f"layer_{i}", m=self.images, n=w.shape[0], k=w.shape[1]) for i, (w, _) in enumerate(self.layers())
        ]

    def jobs(self, seed: int) -> list[GemmJob]:
        """None: the operands are floating-point vectors of a PIM chip."""
        raise InputError("digits_float must run on a PIM chip (hbm_pim, aim), not on an integer core; use digits there")

    def score(self, outputs: list[np.ndarray]) -> dict[str, float]:
        """{"images", "correct"}: the largest output of the last layer is the digit; first on a tie."""
        from model.train.digits import data

        guess = np.asarray(outputs[-1]).argmax(axis=1)
        return {"images": self.images, "correct": int((guess == data()[3][: self.images]).sum())}


def float_workload(device: str, workload: Workload) -> FloatDigits:
    """`workload`, if `device`, a PIM channel, can run it; `InputError` otherwise."""
    if not isinstance(workload, FloatDigits):
        raise InputError(
            f"a workload of {device} must have floating-point layers (digits_float), not "
            f"{workload.title!r}; for kernels of any size use `kcloud-cosim cycles`"
        )
    return workload
