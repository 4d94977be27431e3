"""Published non-volatile compute-in-memory macros whose structure is known.

Source: UIUC-IMC-Benchmarking database (MIT licence, commit 1d3f0ae), read in 2026; efficiency normalised to one-bit
operands (two operations a multiply-accumulate, times the bits of both operands).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """One published operating point.

    Parameters
    ----------
    name, device : str
        First author, where and when it was published; technology of the cells, e.g. ReRAM.
    node_nm : float
        Technology node in nanometres.
    rows : float
        Rows that are added in one access.
    input_bits, weight_bits : float
        Bits of an input put in during one access, and of a weight.
    adc_bits : float
        Bits of a converter.
    accesses : float
        Accesses of one product.
    access_ns : float
        Time of one access.
    tops_per_w_1b : float
        Efficiency, normalised to one-bit operands.
    merged_columns : float
        Physical columns whose sums one code holds.
    columns_per_converter : float
        Columns that share a converter.
    converters : float
        Converters that work at once.
    supply_v : float or None
        Supply voltage; None if it is not published.
    remark : str
        What is known of this macro that its structure does not say.
    """

    name: str
    device: str
    node_nm: float
    rows: float
    input_bits: float
    weight_bits: float
    adc_bits: float
    accesses: float
    access_ns: float
    tops_per_w_1b: float
    merged_columns: float
    columns_per_converter: float
    converters: float
    supply_v: float | None
    remark: str

    @property
    def conversion_fj(self) -> float:
        """Energy of one code with its part of array and drivers: two operations a row, input bit and weight bit."""
        return self.operation_fj * 2 * self.rows * self.input_bits * self.weight_bits

    @property
    def operation_fj(self) -> float:
        """Energy of one operation on one-bit operands."""
        return 1e3 / self.tops_per_w_1b

    @property
    def ns_per_product(self) -> float:
        """Time of one product: all accesses."""
        return self.access_ns * self.accesses


MACROS: tuple[Macro, ...] = (
    Macro(
        name="Peter Deaville, ESSCRIC 2021",
        device="MRAM",
        node_nm=22,
        rows=128,
        input_bits=1,
        weight_bits=1,
        adc_bits=4,
        accesses=1,
        access_ns=315.8,
        tops_per_w_1b=5.1,
        merged_columns=1,
        columns_per_converter=4,
        converters=128,
        supply_v=0.8,
        remark="all 128 rows conduct for the 316 ns of an access",
    ),
    Macro(
        name="Cheng-Xin Xue, ISSCC 2021",
        device="ReRAM",
        node_nm=22,
        rows=4,
        input_bits=1,
        weight_bits=1,
        adc_bits=4,
        accesses=1,
        access_ns=4.9,
        tops_per_w_1b=395,
        merged_columns=1,
        columns_per_converter=8,
        converters=64,
        supply_v=0.8,
        remark="sparsity of the operands it was measured with is not given",
    ),
    Macro(
        name="Cheng-Xin Xue, ISSCC 2021",
        device="ReRAM",
        node_nm=22,
        rows=4,
        input_bits=4,
        weight_bits=1,
        adc_bits=4,
        accesses=1,
        access_ns=10.3,
        tops_per_w_1b=756.16,
        merged_columns=1,
        columns_per_converter=8,
        converters=64,
        supply_v=0.8,
        remark="sparsity of the operands it was measured with is not given",
    ),
    Macro(
        name="Cheng-Xin Xue, ISSCC 2021",
        device="ReRAM",
        node_nm=22,
        rows=4,
        input_bits=8,
        weight_bits=1,
        adc_bits=4,
        accesses=1,
        access_ns=14.8,
        tops_per_w_1b=762.24,
        merged_columns=1,
        columns_per_converter=8,
        converters=64,
        supply_v=0.8,
        remark="sparsity of the operands it was measured with is not given",
    ),
    Macro(
        name="R. Khaddam-Aljameh, VLSI Circuits 2021",
        device="PCM",
        node_nm=14,
        rows=256,
        input_bits=8,
        weight_bits=4,
        adc_bits=12,
        accesses=1,
        access_ns=130,
        tops_per_w_1b=336,
        merged_columns=1,
        columns_per_converter=1,
        converters=256,
        supply_v=0.8,
        remark="256 converters of 12 bits and a digital unit behind each; no other macro has either",
    ),
    Macro(
        name="Wantong Li, CICC 2021",
        device="ReRAM",
        node_nm=40,
        rows=7,
        input_bits=1,
        weight_bits=1,
        adc_bits=3,
        accesses=1,
        access_ns=70,
        tops_per_w_1b=8.48,
        merged_columns=1,
        columns_per_converter=8,
        converters=8,
        supply_v=0.9,
        remark="70 ns an access, ten times those alike; a security unit is on it",
    ),
    Macro(
        name="Jong-Hyeok Yoon, JSSC 2021",
        device="ReRAM",
        node_nm=40,
        rows=9,
        input_bits=1,
        weight_bits=1,
        adc_bits=4,
        accesses=1,
        access_ns=10,
        tops_per_w_1b=56.67,
        merged_columns=1,
        columns_per_converter=8,
        converters=8,
        supply_v=0.9,
        remark="voltage sensing, where most others sense currents",
    ),
    Macro(
        name="Qi Liu, ISSCC 2020",
        device="ReRAM",
        node_nm=130,
        rows=784,
        input_bits=1,
        weight_bits=1.5,
        adc_bits=1,
        accesses=1,
        access_ns=51.1,
        tops_per_w_1b=117.6,
        merged_columns=1,
        columns_per_converter=1,
        converters=100,
        supply_v=4.2,
        remark="supply of 4.2 V; the figure is of a whole chip",
    ),
    Macro(
        name="Cheng-Xin Xue, ISSCC 2020",
        device="ReRAM",
        node_nm=22,
        rows=1,
        input_bits=1,
        weight_bits=2,
        adc_bits=6,
        accesses=1,
        access_ns=9.8,
        tops_per_w_1b=242.76,
        merged_columns=2,
        columns_per_converter=32,
        converters=16,
        supply_v=0.8,
        remark="one row a time: a memory read rather than a sum, few outputs in parallel",
    ),
    Macro(
        name="Cheng-Xin Xue, ISSCC 2020",
        device="ReRAM",
        node_nm=22,
        rows=1,
        input_bits=2,
        weight_bits=4,
        adc_bits=6,
        accesses=1,
        access_ns=13.1,
        tops_per_w_1b=364.16,
        merged_columns=4,
        columns_per_converter=32,
        converters=16,
        supply_v=0.8,
        remark="one row a time: a memory read rather than a sum, few outputs in parallel",
    ),
    Macro(
        name="Cheng-Xin Xue, ISSCC 2020",
        device="ReRAM",
        node_nm=22,
        rows=1,
        input_bits=4,
        weight_bits=4,
        adc_bits=6,
        accesses=1,
        access_ns=18.3,
        tops_per_w_1b=462.88,
        merged_columns=4,
        columns_per_converter=32,
        converters=16,
        supply_v=0.8,
        remark="one row a time: a memory read rather than a sum, few outputs in parallel",
    ),
    Macro(
        name="Cheng-Xin Xue, JSSC 2019",
        device="ReRAM",
        node_nm=55,
        rows=9,
        input_bits=1,
        weight_bits=3,
        adc_bits=4,
        accesses=1,
        access_ns=11.75,
        tops_per_w_1b=159.51,
        merged_columns=1,
        columns_per_converter=128,
        converters=4,
        supply_v=1.0,
        remark="four converters to a megabit",
    ),
    Macro(
        name="Cheng-Xin Xue, JSSC 2019",
        device="ReRAM",
        node_nm=55,
        rows=9,
        input_bits=2,
        weight_bits=3,
        adc_bits=4,
        accesses=1,
        access_ns=14.6,
        tops_per_w_1b=131.4,
        merged_columns=1,
        columns_per_converter=128,
        converters=4,
        supply_v=1.0,
        remark="four converters to a megabit",
    ),
    Macro(
        name="Shihui Yin, TED 2020",
        device="ReRAM",
        node_nm=90,
        rows=64,
        input_bits=1,
        weight_bits=1,
        adc_bits=3,
        accesses=1,
        access_ns=6.5,
        tops_per_w_1b=24.1,
        merged_columns=1,
        columns_per_converter=8,
        converters=8,
        supply_v=1.2,
        remark="64 cells conduct at once at 1.2 V; monolithic on 90 nm",
    ),
    Macro(
        name="Win-San Khwa, ISSCC 2022",
        device="PCM",
        node_nm=40,
        rows=8,
        input_bits=1,
        weight_bits=1.6,
        adc_bits=4,
        accesses=8,
        access_ns=2.21,
        tops_per_w_1b=1312,
        merged_columns=1,
        columns_per_converter=8,
        converters=130,
        supply_v=0.85,
        remark="hybrid of one-bit and multi-bit cells, an access of 2.2 ns",
    ),
    Macro(
        name="Je-Min Hung, ISSCC 2022",
        device="ReRAM",
        node_nm=22,
        rows=8,
        input_bits=1,
        weight_bits=1,
        adc_bits=3,
        accesses=8,
        access_ns=1.8,
        tops_per_w_1b=1382.4,
        merged_columns=1,
        columns_per_converter=8,
        converters=32,
        supply_v=0.8,
        remark="time-space readout without direct current",
    ),
    Macro(
        name="Samuel D. Spetalnick, ISSCC 2022",
        device="ReRAM",
        node_nm=40,
        rows=9,
        input_bits=1,
        weight_bits=1,
        adc_bits=4,
        accesses=1,
        access_ns=15.6,
        tops_per_w_1b=26.56,
        merged_columns=8,
        columns_per_converter=256,
        converters=8,
        supply_v=0.83,
        remark="256 columns share a converter, eight of them in one code",
    ),
    Macro(
        name="Justin M. Correll, VLSI 2022",
        device="ReRAM",
        node_nm=65,
        rows=256,
        input_bits=8,
        weight_bits=4,
        adc_bits=8,
        accesses=1,
        access_ns=143,
        tops_per_w_1b=1324.8,
        merged_columns=1,
        columns_per_converter=2,
        converters=32,
        supply_v=None,
        remark="multi-level cells, 8 x 4 bits in one code; the supply is not published",
    ),
    Macro(
        name="Peter Deaville, VLSI 2022",
        device="MRAM",
        node_nm=22,
        rows=128,
        input_bits=1,
        weight_bits=4,
        adc_bits=6,
        accesses=1,
        access_ns=400,
        tops_per_w_1b=41.6,
        merged_columns=4,
        columns_per_converter=4,
        converters=128,
        supply_v=0.8,
        remark="resistance boosting, 400 ns an access",
    ),
    Macro(
        name="Samuel D. Spetalnick, VLSI 2023",
        device="ReRAM",
        node_nm=40,
        rows=64,
        input_bits=1,
        weight_bits=1,
        adc_bits=6,
        accesses=1,
        access_ns=11.11,
        tops_per_w_1b=63.3,
        merged_columns=1,
        columns_per_converter=16,
        converters=16,
        supply_v=1.05,
        remark="offset and leakage cancelling",
    ),
    Macro(
        name="Muya Chang, ISSCC 2023",
        device="ReRAM",
        node_nm=40,
        rows=32,
        input_bits=1,
        weight_bits=2,
        adc_bits=6,
        accesses=1,
        access_ns=10,
        tops_per_w_1b=147.06,
        merged_columns=1,
        columns_per_converter=16,
        converters=32,
        supply_v=0.9,
        remark="of a system of 160 macros",
    ),
    Macro(
        name="Edward Choi, CICC 2023",
        device="eFlash",
        node_nm=65,
        rows=64,
        input_bits=1,
        weight_bits=3,
        adc_bits=6,
        accesses=4,
        access_ns=12.5,
        tops_per_w_1b=3996,
        merged_columns=32,
        columns_per_converter=32,
        converters=32,
        supply_v=0.75,
        remark="multi-level flash, 32 columns in a dual-slope code: the least energy of all, no other is alike",
    ),
)
