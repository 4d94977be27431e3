"""The layers of a chain that the core's RTL computes, in floating point."""

import math
from dataclasses import dataclass

import numpy as np

Shape = tuple[int, ...]
"""Of one sample: (values,), or (channels, height, width) of an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How a kernel moves over an image.

    Parameters
    ----------
    kernel : (int, int)
        Positions down and across.
    stride, dilation : int
        The same in both directions.
    pads : (int, int)
        Lines above and columns left of the image that count as padding.
    out : (int, int)
        Height and width of the result; padding below and to the right is what they imply.
    """

    kernel: tuple[int, int]
    stride: int = 1
    dilation: int = 1
    pads: tuple[int, int] = (0, 0)
    out: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """One layer in floating point.

    Parameters
    ----------
    name : str
        Of the node in the file, of its output if it has none.
    weights : float64 array (k, n)
        Scaled by the node's alpha.
    bias : float64 array (n,)
        Zeros if the layer adds none.
    relu : bool
        ReLU follows.
    most : float
        Larger results become this, with ReLU: that of Clip; infinity if nothing limits them.
    """

    name: str
    weights: np.ndarray
    bias: np.ndarray
    relu: bool = False
    most: float = math.inf

    @property
    def outputs(self) -> int:
        """Values of a sample that leave."""
        return self.weights.shape[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """One convolution in floating point.

    Parameters
    ----------
    name : str
        As of `Dense`.
    weights : float64 array (n, channels, kernel height, kernel width)
        Of all channels: those of other groups are zeros.
    bias : float64 array (n,)
        Zeros if the layer adds none.
    window : Window
        Of its kernel.
    padded : bool
        Part of a window lies outside the image somewhere.
    relu, most : bool, float
        As of `Dense`.
    """

    name: str
    weights: np.ndarray
    bias: np.ndarray
    window: Window
    padded: bool
    relu: bool = False
    most: float = math.inf

    @property
    def outputs(self) -> int:
        """Channels that leave."""
        return len(self.weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooling:
    """The largest of each window; what lies outside the image is not looked at.

    Parameters
    ----------
    name : str
        As of `Dense`.
    window : Window
        Where it looks.
    """

    name: str
    window: Window


Layer = Dense | Convolution | Pooling
