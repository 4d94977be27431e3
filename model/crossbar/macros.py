"""Published non-volatile compute-in-memory macros whose structure is known.

Source: UIUC-IMC-Benchmarking database (MIT licence, commit 1d3f0ae), read in 2026; efficiency normalised to one-bit
operands (two operations a multiply-accumulate, times the bits of both operands). `cells` is its column of cell types
and the titles of the papers. Where its columns per converter times converters exceed the columns of the array
(Spetalnick 2022, Choi 2023), its columns of a read cycle are those of all converters together, one each.
"""

from dataclasses import dataclass
from typing import Literal

Cells = Literal["bars", "boosted bars", "phase change", "crossbar", "flash"]
Sensing = Literal["read", "pulse", "magnetic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """One published operating point.

    Parameters
    ----------
    name, device : str
        First author, where and when it was published; technology of the cells, e.g. ReRAM.
    cells : str
        "bars": a transistor and a resistive cell each, on parallel bit lines, as a memory has; "boosted bars": with
        a circuit that raises their resistance; "crossbar": analogue cells of many levels; "phase change"; "flash".
    sensing : str
        "read": as a memory is read; "pulse": eight bits of input at once on all rows, as widths of pulses; "magnetic":
        many cells whose two resistances are near each other.
    node_nm : float
        Technology node in nanometres.
    supply_v : float or None
        Supply voltage; None if it is not published.
    rows : float
        Rows that are added in one access.
    merged_columns : float
        Physical columns whose sums one code holds.
    converters : float
        Converters that work at once.
    adc_bits : float
        Bits of a converter.
    input_bits, weight_bits : float
        Bits of an input put in during one access, and of a weight.
    accesses : float
        Accesses of one product.
    access_ns : float
        Time of one access.
    tops_per_w_1b : float
        Efficiency, normalised to one-bit operands.
    remark : str
        What is known of this macro that its structure does not say.
    """

    name: str
    device: str
    cells: Cells
    sensing: Sensing
    node_nm: float
    supply_v: float | None
    rows: float
    merged_columns: float
    converters: float
    adc_bits: float
    input_bits: float
    weight_bits: float
    accesses: float
    access_ns: float
    tops_per_w_1b: float
    remark: str

    @property
    def conversion_fj(self) -> float:
        """Energy of one code with its part of array and drivers: two operations a row, input bit and weight bit."""
        return 2 * self.rows * self.input_bits * self.weight_bits * 1e3 / self.tops_per_w_1b

    @property
    def cell_uw(self) -> float:
        """Microwatts of one conducting cell with its part of everything else: of a code, over its cells and time."""
        return self.conversion_fj / (self.rows * self.merged_columns * self.access_ns)

    @property
    def product_bits(self) -> float:
        """Bits of an input in all accesses of one product."""
        return self.input_bits * self.accesses

    @property
    def ns_per_product(self) -> float:
        """Time of one product: all accesses."""
        return self.access_ns * self.accesses


# fmt: off
MACROS: tuple[Macro, ...] = (
    Macro(
        name="Peter Deaville, ESSCRIC 2021", device="MRAM",
        cells="bars", sensing="magnetic", node_nm=22, supply_v=0.8, rows=128, merged_columns=1,
        converters=128, adc_bits=4, input_bits=1, weight_bits=1, accesses=1, access_ns=315.8,
        tops_per_w_1b=5.1,
        remark="maximally row-parallel reading of 128 cells"),
    Macro(
        name="Cheng-Xin Xue, ISSCC 2021", device="ReRAM",
        cells="bars", sensing="read", node_nm=22, supply_v=0.8, rows=4, merged_columns=1,
        converters=64, adc_bits=4, input_bits=1, weight_bits=1, accesses=1, access_ns=4.9,
        tops_per_w_1b=395,
        remark="inputs of several bits by one circuit, idle at one bit; sparsity not given"),
    Macro(
        name="Cheng-Xin Xue, ISSCC 2021", device="ReRAM",
        cells="bars", sensing="read", node_nm=22, supply_v=0.8, rows=4, merged_columns=1,
        converters=64, adc_bits=4, input_bits=4, weight_bits=1, accesses=1, access_ns=10.3,
        tops_per_w_1b=756.16,
        remark="inputs of several bits by one circuit; sparsity of the operands not given"),
    Macro(
        name="Cheng-Xin Xue, ISSCC 2021", device="ReRAM",
        cells="bars", sensing="read", node_nm=22, supply_v=0.8, rows=4, merged_columns=1,
        converters=64, adc_bits=4, input_bits=8, weight_bits=1, accesses=1, access_ns=14.8,
        tops_per_w_1b=762.24,
        remark="inputs of several bits by one circuit; sparsity of the operands not given"),
    Macro(
        name="R. Khaddam-Aljameh, VLSI Circuits 2021", device="PCM",
        cells="phase change", sensing="pulse", node_nm=14, supply_v=0.8, rows=256, merged_columns=1,
        converters=256, adc_bits=12, input_bits=8, weight_bits=4, accesses=1, access_ns=130,
        tops_per_w_1b=336,
        remark="256 converters of 12 bits, each with a digital unit; one other macro of phase change"),
    Macro(
        name="Wantong Li, CICC 2021", device="ReRAM",
        cells="bars", sensing="read", node_nm=40, supply_v=0.9, rows=7, merged_columns=1,
        converters=8, adc_bits=3, input_bits=1, weight_bits=1, accesses=1, access_ns=70,
        tops_per_w_1b=8.48,
        remark="70 ns an access, ten times those alike; a security unit is on it"),
    Macro(
        name="Jong-Hyeok Yoon, JSSC 2021", device="ReRAM",
        cells="bars", sensing="read", node_nm=40, supply_v=0.9, rows=9, merged_columns=1,
        converters=8, adc_bits=4, input_bits=1, weight_bits=1, accesses=1, access_ns=10,
        tops_per_w_1b=56.67,
        remark="voltage sensing, where most others sense currents"),
    Macro(
        name="Qi Liu, ISSCC 2020", device="ReRAM",
        cells="crossbar", sensing="read", node_nm=130, supply_v=4.2, rows=784, merged_columns=1,
        converters=100, adc_bits=1, input_bits=1, weight_bits=1.5, accesses=1, access_ns=51.1,
        tops_per_w_1b=117.6,
        remark="784 rows at once at 4.2 V and 130 nm; the figure is of a whole chip"),
    Macro(
        name="Cheng-Xin Xue, ISSCC 2020", device="ReRAM",
        cells="bars", sensing="read", node_nm=22, supply_v=0.8, rows=1, merged_columns=2,
        converters=16, adc_bits=6, input_bits=1, weight_bits=2, accesses=1, access_ns=9.8,
        tops_per_w_1b=242.76,
        remark="one row a time: a memory read rather than a sum"),
    Macro(
        name="Cheng-Xin Xue, ISSCC 2020", device="ReRAM",
        cells="bars", sensing="read", node_nm=22, supply_v=0.8, rows=1, merged_columns=4,
        converters=16, adc_bits=6, input_bits=2, weight_bits=4, accesses=1, access_ns=13.1,
        tops_per_w_1b=364.16,
        remark="one row a time: a memory read rather than a sum"),
    Macro(
        name="Cheng-Xin Xue, ISSCC 2020", device="ReRAM",
        cells="bars", sensing="read", node_nm=22, supply_v=0.8, rows=1, merged_columns=4,
        converters=16, adc_bits=6, input_bits=4, weight_bits=4, accesses=1, access_ns=18.3,
        tops_per_w_1b=462.88,
        remark="one row a time: a memory read rather than a sum; 2.8 ns a further bit, its successor 1.4"),
    Macro(
        name="Cheng-Xin Xue, JSSC 2019", device="ReRAM",
        cells="bars", sensing="read", node_nm=55, supply_v=1, rows=9, merged_columns=1,
        converters=4, adc_bits=4, input_bits=1, weight_bits=3, accesses=1, access_ns=11.75,
        tops_per_w_1b=159.51,
        remark="half the power of the same macro with inputs of two bits"),
    Macro(
        name="Cheng-Xin Xue, JSSC 2019", device="ReRAM",
        cells="bars", sensing="read", node_nm=55, supply_v=1, rows=9, merged_columns=1,
        converters=4, adc_bits=4, input_bits=2, weight_bits=3, accesses=1, access_ns=14.6,
        tops_per_w_1b=131.4,
        remark="twice the power of the same macro with inputs of one bit"),
    Macro(
        name="Shihui Yin, TED 2020", device="ReRAM",
        cells="bars", sensing="read", node_nm=90, supply_v=1.2, rows=64, merged_columns=1,
        converters=8, adc_bits=3, input_bits=1, weight_bits=1, accesses=1, access_ns=6.5,
        tops_per_w_1b=24.1,
        remark="1.2 V and cells monolithic on 90 nm; 6.5 ns with eight converters of 3 bits"),
    Macro(
        name="Win-San Khwa, ISSCC 2022", device="PCM",
        cells="phase change", sensing="read", node_nm=40, supply_v=0.85, rows=8, merged_columns=1,
        converters=130, adc_bits=4, input_bits=1, weight_bits=1.6, accesses=8, access_ns=2.21,
        tops_per_w_1b=1312,
        remark="hybrid of one-bit and multi-bit cells; one other macro of phase change"),
    Macro(
        name="Je-Min Hung, ISSCC 2022", device="ReRAM",
        cells="bars", sensing="read", node_nm=22, supply_v=0.8, rows=8, merged_columns=1,
        converters=32, adc_bits=3, input_bits=1, weight_bits=1, accesses=8, access_ns=1.8,
        tops_per_w_1b=1382.4,
        remark="time-space readout without direct current"),
    Macro(
        name="Samuel D. Spetalnick, ISSCC 2022", device="ReRAM",
        cells="bars", sensing="read", node_nm=40, supply_v=0.83, rows=9, merged_columns=1,
        converters=8, adc_bits=4, input_bits=1, weight_bits=1, accesses=1, access_ns=15.6,
        tops_per_w_1b=26.56,
        remark="structure and node of Yoon 2021, 0.47 of its efficiency and 1.6 of its time: made for density"),
    Macro(
        name="Justin M. Correll, VLSI 2022", device="ReRAM",
        cells="crossbar", sensing="pulse", node_nm=65, supply_v=None, rows=256, merged_columns=1,
        converters=32, adc_bits=8, input_bits=8, weight_bits=4, accesses=1, access_ns=143,
        tops_per_w_1b=1324.8,
        remark="multi-level cells; pulse widths are assumed, no supply published; one other crossbar"),
    Macro(
        name="Peter Deaville, VLSI 2022", device="MRAM",
        cells="boosted bars", sensing="magnetic", node_nm=22, supply_v=0.8, rows=128, merged_columns=4,
        converters=128, adc_bits=6, input_bits=1, weight_bits=4, accesses=1, access_ns=400,
        tops_per_w_1b=41.6,
        remark="resistance boosting: a tenth of the power of the same cells without it"),
    Macro(
        name="Samuel D. Spetalnick, VLSI 2023", device="ReRAM",
        cells="bars", sensing="read", node_nm=40, supply_v=1.05, rows=64, merged_columns=1,
        converters=16, adc_bits=6, input_bits=1, weight_bits=1, accesses=1, access_ns=11.11,
        tops_per_w_1b=63.3,
        remark="offset and leakage cancelling"),
    Macro(
        name="Muya Chang, ISSCC 2023", device="ReRAM",
        cells="bars", sensing="read", node_nm=40, supply_v=0.9, rows=32, merged_columns=1,
        converters=32, adc_bits=6, input_bits=1, weight_bits=2, accesses=1, access_ns=10,
        tops_per_w_1b=147.06,
        remark="of a system of 160 macros"),
    Macro(
        name="Edward Choi, CICC 2023", device="eFlash",
        cells="flash", sensing="read", node_nm=65, supply_v=0.75, rows=64, merged_columns=1,
        converters=32, adc_bits=6, input_bits=1, weight_bits=3, accesses=4, access_ns=12.5,
        tops_per_w_1b=3996,
        remark="flash whose cells conduct a tenth of others, and dual-slope conversion; no other macro is alike"),
)
"""Twenty-two operating points of sixteen macros."""

UNSEEN: tuple[Macro, ...] = (
    Macro(
        name="Reiji Mochida, VLSI 2018", device="ReRAM",
        cells="bars", sensing="read", node_nm=40, supply_v=1.1, rows=196, merged_columns=1,
        converters=16, adc_bits=1, input_bits=1, weight_bits=8, accesses=1, access_ns=9.56,
        tops_per_w_1b=532,
        remark="as those of bars"),
    Macro(
        name="Reiji Mochida, VLSI 2018", device="ReRAM",
        cells="bars", sensing="read", node_nm=180, supply_v=1.8, rows=196, merged_columns=1,
        converters=16, adc_bits=1, input_bits=1, weight_bits=8, accesses=1, access_ns=19.18,
        tops_per_w_1b=165.6,
        remark="the cells of its 40 nm at 180 nm: power as the supply, 1.6, not as the node's square, 20"),
)
"""Two of the same database that nothing was chosen or fitted with."""
# fmt: on
