"""FP32 to FP16, BF16, FP8 E4M3 or FP8 E5M2 at the output of the array."""

from collections.abc import Sequence

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_form import Cuts, storage_format
from hw.rtl.arithmetic.fp_round import round_to_storage
from hw.rtl.arithmetic.fp_sum import unpack
from hw.spec.number import FORMATS

_CUTS = {0: (), 1: (), 2: (2,), 3: (1, 2)}


class FpConvert(wiring.Component):
    """o = RNE(x) in the chosen format, subnormal results kept.

    Beyond the largest finite value: infinity, or NaN with the sign kept for E4M3; with `saturate` the
    largest finite value, infinity included. NaN stays NaN, sign kept, payload dropped.

    Full throughput; `latency` cycles, 0 for a combinational converter.

    Parameters
    ----------
    formats : sequence of str
        8- and 16-bit floating-point formats of the build; `select` is the index into it.
    latency : int
        0 to 3.

    Members
    -------
    x : In, FP32 code
    select : In, index of the format; 0 bits wide if there is one format only
    saturate : In
    o : Out, code, as wide as the widest format; narrower codes in the low bits, zeros above
    """

    def __init__(self, formats: Sequence[str], *, latency: int = 1):
        self.formats = [storage_format(name) for name in formats]
        if not self.formats:
            raise InputError("a converter needs at least one floating-point format, none was given")
        if latency not in _CUTS:
            raise InputError(f"the latency of a converter must be from 0 to 3 cycles, not {latency!r}")
        self.latency = latency
        super().__init__(
            {
                "x": In(32),
                "select": In((len(formats) - 1).bit_length()),
                "saturate": In(1),
                "o": Out(max(f.bits for f in self.formats)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        fp32 = FORMATS["fp32"]
        x = unpack(m, "x", self.x, fp32)
        code = round_to_storage(
            m,
            Cuts(m, _CUTS[self.latency]),
            self.formats,
            self.select,
            sign=x.sign,
            exponent=x.exponent - fp32.bias,
            significand=x.significand,
            infinity=x.infinity,
            nan=x.nan,
            saturate=self.saturate,
        )
        domain = m.d.sync if self.latency else m.d.comb
        domain += self.o.eq(code)
        return m
