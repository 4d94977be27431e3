"""One lane of fused multiply-accumulate from storage codes: decoders and MAC together."""

from collections.abc import Sequence

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp_decode import FpDecode
from hw.rtl.arithmetic.fp_mac import FpMac


class FpLane(wiring.Component):
    """o = RNE_fp32(c + a * b) for codes of any formats of the build, `latency` cycles later.

    What one cell of the array computes with the decoders of its row and column; the arithmetic tests and
    single dot-product engines use it.

    Parameters
    ----------
    activation_formats, weight_formats : sequence of str
        `select_a` and `select_b` are indices into them.
    latency : int
        1 to 8.

    Members
    -------
    a, b : In, codes in the low bits; select_a, select_b : In; c : In, FP32 code; o : Out, FP32 code
    """

    def __init__(self, activation_formats: Sequence[str], weight_formats: Sequence[str], *, latency: int = 1):
        self.latency = latency
        self._decode_a, self._decode_b = FpDecode(activation_formats), FpDecode(weight_formats)
        self._mac = FpMac(self._decode_a.form, self._decode_b.form, latency=latency)
        super().__init__(
            {
                "a": In(len(self._decode_a.code)),
                "b": In(len(self._decode_b.code)),
                "select_a": In(len(self._decode_a.select)),
                "select_b": In(len(self._decode_b.select)),
                "c": In(32),
                "o": Out(32),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.decode_a = self._decode_a
        m.submodules.decode_b = self._decode_b
        m.submodules.mac = self._mac
        m.d.comb += [
            self._decode_a.code.eq(self.a),
            self._decode_a.select.eq(self.select_a),
            self._decode_b.code.eq(self.b),
            self._decode_b.select.eq(self.select_b),
            self._mac.a.eq(self._decode_a.o),
            self._mac.b.eq(self._decode_b.o),
            self._mac.c.eq(self.c),
            self.o.eq(self._mac.o),
        ]
        return m
