"""Networks written down layer by layer, for those that come without a file."""

from math import prod

from hw.base.integer import ceil_div
from model.network.layer import Layer, Network, Window
from model.work.workload import Gemm


class Builder:
    """Collects layers; each method adds one and returns the shape (height, width, channels) it leaves."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source
        self.layers: list[Layer] = []

    def network(self) -> Network:
        """What was built."""
        return Network(name=self.name, source=self.source, layers=tuple(self.layers))

    def convolution(
        self,
        name: str,
        shape: tuple[int, int, int],
        channels: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        groups: int = 1,
        pads: tuple[tuple[int, int], tuple[int, int]] | None = None,
        dilation: int = 1,
    ) -> tuple[int, int, int]:
        """A convolution of one image by im2col; `pads` None means SAME: output = ceil(input / stride).

        SAME puts the odd element after (below, right), as TensorFlow does.
        """
        height, width, inputs = shape
        kernels = (kernel, kernel) if isinstance(kernel, int) else kernel
        pads = pads or (_same(height, kernels[0], stride, dilation), _same(width, kernels[1], stride, dilation))
        reach = [dilation * (k - 1) + 1 for k in kernels]
        out = tuple((s + sum(p) - r) // stride + 1 for s, p, r in zip((height, width), pads, reach, strict=True))
        k = prod(kernels) * inputs // groups
        gemm = Gemm(name=name, m=prod(out), n=channels // groups, k=k, count=groups)
        self.layers.append(
            Layer(
                name=name,
                operator="Conv",
                kind="gemm",
                gemms=(gemm,),
                operations=2 * gemm.macs,
                input_elements=prod(shape),
                weight_elements=k * channels,
                output_elements=prod(out) * channels,
                window=Window(
                    size=(height, width),
                    kernel=kernels,
                    strides=(stride, stride),
                    dilations=(dilation, dilation),
                    pads=pads,
                    groups=groups,
                ),
            )
        )
        return out[0], out[1], channels

    def product(
        self,
        name: str,
        m: int,
        n: int,
        k: int,
        *,
        count: int = 1,
        stationary: bool = True,
        weight_bits: float | None = None,
    ) -> None:
        """A matrix product; `stationary` if its right operand is weights, of `weight_bits` or the run's format."""
        gemm = Gemm(name=name, m=m, n=n, k=k, count=count)
        right = n * k * count
        self.layers.append(
            Layer(
                name=name,
                operator="MatMul",
                kind="gemm",
                gemms=(gemm,),
                operations=2 * gemm.macs,
                input_elements=m * k * count + (0 if stationary else right),
                weight_elements=right if stationary else 0,
                output_elements=m * n * count,
                stationary=stationary,
                weight_bits=weight_bits,
            )
        )

    def vector(self, name: str, operator: str, elements: int, *, inputs: int = 1, weights: int = 0) -> None:
        """Element-wise work: `inputs` operands of `elements` each, one result; `weights` known beforehand."""
        self.layers.append(
            Layer(
                name=name,
                operator=operator,
                kind="vector",
                operations=elements,
                input_elements=inputs * elements,
                weight_elements=weights,
                output_elements=elements,
            )
        )

    def pool(
        self, name: str, operator: str, shape: tuple[int, int, int], kernel: int, *, stride: int = 1, pad: int = 0
    ) -> tuple[int, int, int]:
        """Pooling of one image, `pad` on every side."""
        height, width, channels = shape
        out = tuple((s + 2 * pad - kernel) // stride + 1 for s in (height, width))
        elements = prod(out) * channels
        self.layers.append(
            Layer(
                name=name,
                operator=operator,
                kind="vector",
                operations=elements * kernel**2,
                input_elements=prod(shape),
                output_elements=elements,
                window=Window(
                    size=(height, width),
                    kernel=(kernel, kernel),
                    strides=(stride, stride),
                    dilations=(1, 1),
                    pads=((pad, pad), (pad, pad)),
                ),
            )
        )
        return out[0], out[1], channels


def _same(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    total = max(0, (ceil_div(size, stride) - 1) * stride + dilation * (kernel - 1) + 1 - size)
    return total // 2, total - total // 2
