"""What GDDR6-AiM commands do, as plain arithmetic on exact fractions.

Written from the commands' descriptions, not from their micro-operations; knows neither the command set nor the devices
that are checked against it. Words are uint16 codes, one per lane.
"""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

NAN_BF16, NAN_FP32 = 0x7FC0, 0x7FC00000
LANES = 16

Words = np.ndarray
"""uint16 codes, (lanes,)."""

ALIGN = 27
"""Bits below the largest exponent that an aligned sum keeps."""

FP32, BF16 = 23, 7
"""Fraction bits of the two formats with 8 exponent bits."""


def value_of(code: int, fraction: int = BF16) -> float:
    """The value of a code of a format with 8 exponent bits."""
    return float(np.array([code << FP32 - fraction], np.uint32).view(np.float32)[0])


def rounded(value: Fraction, fraction: int) -> int:
    """Code of `value`, rounded to nearest even once; of zero +0."""
    size, sign = abs(value), (value < 0) << fraction + 8
    if not size:
        return 0
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent = max(exponent - (size < Fraction(2) ** exponent), -126)
    scaled = size / Fraction(2) ** (exponent - fraction)
    whole = round(scaled)  # Python rounds halves to even
    # below the normal range the exponent field is 0; a carry out of the fraction moves it on by itself
    return sign | min(whole + (exponent + 126 << fraction), 0xFF << fraction)


def aligned_sum(accumulator: int, x: list[int], y: list[int]) -> int:
    """FP32 code of accumulator + sum of x y (BF16 codes): terms cut `ALIGN` bits below the largest, one rounding.

    The exponent of a product is the sum of its operands' exponents; that of the accumulator is at least -126.
    """
    c = value_of(accumulator, FP32)
    pairs = [(value_of(a), value_of(b)) for a, b in zip(x, y, strict=True)]
    with np.errstate(all="ignore"):
        special = [t for t in (np.float64(c), *(np.float64(a) * np.float64(b) for a, b in pairs)) if not np.isfinite(t)]
        if special:
            total = sum(special)
            return NAN_FP32 if np.isnan(total) else 0xFF800000 if total < 0 else 0x7F800000
    largest = max([_exponent(c), -126] + [_exponent(a) + _exponent(b) for a, b in pairs if a and b])
    unit = Fraction(2) ** (largest - ALIGN)
    terms = [Fraction(c), *(Fraction(a) * Fraction(b) for a, b in pairs)]
    return rounded(sum(int(t / unit) for t in terms) * unit, FP32)  # int() cuts towards zero


def _exponent(value: float) -> int:
    """floor(log2 |value|); of zero below every other."""
    return int(np.frexp(np.float64(value))[1]) - 1 if value else -1000


def narrow(code: int) -> int:
    """BF16 code of an FP32 code; NaN keeps its sign and loses its payload."""
    value = value_of(code, FP32)
    if np.isnan(value):
        return code >> 16 & 0x8000 | NAN_BF16
    if np.isinf(value) or not value:
        return code >> 16
    return rounded(Fraction(value), BF16)


def bf16_multiply(x: int, y: int) -> int:
    """BF16 code of x y, one rounding."""
    with np.errstate(all="ignore"):
        product = np.float64(value_of(x)) * np.float64(value_of(y))
    if np.isnan(product):
        return NAN_BF16
    if np.isinf(product) or not product:
        return (0x8000 if np.signbit(product) else 0) | (0x7F80 if product else 0)
    return rounded(Fraction(float(product)), BF16)  # exact in binary64


def activate(kind: str, slope: int, limit: int, table: np.ndarray, code: int) -> int:
    """BF16 code of f(x): "relu"; "leaky_relu" with BF16 `slope`; "table" of linear pieces over [-limit, limit), pairs
    (slope, offset) of BF16 codes, evaluated as FP32 and rounded again to BF16."""
    x = value_of(code)
    if np.isnan(x):
        return NAN_BF16
    if kind != "table":
        if not x < 0:
            return code
        return 0 if kind == "relu" else narrow(_line(slope, x, 0x8000))
    held = min(max(x, -limit), limit)
    pieces = len(table)
    piece = min(int(np.floor(held * pieces / (2 * limit))) + pieces // 2, pieces - 1)
    return narrow(_line(int(table[piece][0]), held, int(table[piece][1])))


def _line(slope: int, x: float, offset: int) -> int:
    """FP32 code of slope x + offset (slope and offset BF16 codes), one rounding."""
    a, b = value_of(slope), value_of(offset)
    if np.isinf(x):
        return 0xFF800000 if x * a < 0 else 0x7F800000
    total = Fraction(a) * Fraction(x) + Fraction(b)
    if total:
        return rounded(total, FP32)
    return 0x80000000 if np.signbit(a * x) and np.signbit(b) else 0


@dataclass(slots=True)
class AimState:
    """A channel: accumulators (units, 32) FP32 codes, activations (units, 32) BF16 codes, the global buffer (64,
    lanes); `rows`: (bank, row) -> uint16 (columns, lanes); `open`: the open row of each bank. Unit u is beside bank u.

    `function`: kind, slope and limit of the activation chosen, as `activate` takes them.

    Parameters
    ----------
    accumulators : uint32 array (units, 32)
        FP32 codes of the sums.
    activations : uint16 array (units, 32)
        BF16 codes that AF16 gave.
    buffer : uint16 array (64, lanes)
        The global buffer, a word for each column; what a MAC multiplies by unless it is paired.
    """

    accumulators: np.ndarray
    activations: np.ndarray
    buffer: np.ndarray
    rows: dict[tuple[int, int], np.ndarray]
    open: dict[int, int] = field(default_factory=dict)
    function: tuple[str, int, int] = ("relu", 0, 0)


def aim_step(
    s: AimState,
    name: str,
    *,
    bank: int = 0,
    row: int = 0,
    column: int = 0,
    accumulator: int = 0,
    paired: bool = False,
    data: Words | None = None,
) -> Words | None:
    """One legal command; the word it drives on the data bus, if it drives one."""
    units = len(s.accumulators)
    every = range(units)
    word = np.zeros(LANES, np.uint16) if data is None else data

    def cell(b: int) -> np.ndarray:
        return s.rows[b, s.open[b]][column]

    def accumulate(unit: int, x: Words, y: Words) -> None:
        s.accumulators[unit, accumulator] = aligned_sum(int(s.accumulators[unit, accumulator]), x.tolist(), y.tolist())

    four = range(bank - bank % 4, bank - bank % 4 + 4)
    if name in ("ACT", "ACT4", "ACT16"):
        s.open.update(dict.fromkeys({"ACT": [bank], "ACT4": four, "ACT16": every}[name], row))
    elif name in ("PRE", "PRE4", "PREA"):
        for b in {"PRE": [bank], "PRE4": four, "PREA": every}[name]:
            s.open.pop(b, None)
    elif name == "RD":
        return cell(bank).copy()
    elif name == "WR":
        cell(bank)[:] = word
    elif name == "WRA16":
        for b in every:
            cell(b)[:] = word
        s.open.clear()
    elif name == "MAC":
        accumulate(bank, s.buffer[column], cell(bank))
    elif name == "MAC16":
        for b in range(0, units, 2) if paired else every:
            accumulate(b, cell(b + 1) if paired else s.buffer[column], cell(b))
    elif name == "AF16":
        kind, slope, limit = s.function
        for u in every:
            table = s.rows[u, s.open[u]].reshape(-1, 2)
            x = narrow(int(s.accumulators[u, accumulator]))
            s.activations[u, accumulator] = activate(kind, slope, limit, table, x)
    elif name == "EWMUL16":
        for b in range(0, units, 4):
            pairs = zip(cell(b).tolist(), cell(b + 1).tolist(), strict=True)
            cell(b + 2)[:] = [bf16_multiply(x, y) for x, y in pairs]
    elif name == "RDCP":
        s.buffer[column] = cell(bank)
    elif name == "WRCP":
        cell(bank)[:] = s.buffer[column]
    elif name == "WRGB":
        s.buffer[column] = word
    elif name == "WRMAC16":
        s.accumulators[:, accumulator] = word.astype(np.uint32) << np.uint32(16)
    elif name == "RDMAC16":
        return np.array([narrow(int(code)) for code in s.accumulators[:, accumulator]], np.uint16)
    elif name == "RDAF16":
        return s.activations[:, accumulator].copy()
    elif name not in ("REF", "TMOD"):
        raise ValueError(f"{name} is no AiM command")
    return None
