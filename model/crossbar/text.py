"""Bits per character of the small language model with its weights in the crossbars of npu_crossbar, ideal and real.

`python -m model.crossbar.text` measures what is missing and writes `text.json` beside this file. Products with weights
are those of the machine (`model.reference.block_floating`): BF16 vectors made integers, sums through cells and
converters, rounded to BF16. Attention and norms are FP32 here; that BF16 in them changes the fifth digit only is what
`quality.json` of `model.language` shows for the other stages, on the same windows.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from hw.base.file import write_atomically
from hw.spec.crossbar import CrossbarSpec
from model.crossbar.beside_npu import CROSSBARS
from model.crossbar.cells import CellErrors
from model.crossbar.layer import ProgrammedMatrix
from model.crossbar.measure import DAY_S
from model.crossbar.tasks import language_model
from model.language import corpus, floating
from model.language.measure import WINDOWS
from model.number.codec import decode, encode
from model.reference.block_floating import IntegerProduct, crossbar_product, exact

FILE = Path(__file__).parent / "text.json"
SEEDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Cells and converters of one measurement.

    Parameters
    ----------
    title : str
        In print.
    adc_bits : int
        Calibrated converters of so many bits; 0: lossless ones.
    error : float
        Programming error, a share of the largest conductance.
    drift : float
        Exponent of a day of drift, its spread a fifth of it, compensated in the mean.
    """

    title: str
    adc_bits: int = 0
    error: float = 0.0
    drift: float = 0.0

    @property
    def seeds(self) -> int:
        """Cells drawn: one set if nothing is drawn."""
        return SEEDS if self.error or self.drift else 1


SETTINGS: tuple[Setting, ...] = (
    Setting(title="ideal cells, lossless converters"),
    Setting(title="8-bit converters", adc_bits=8),
    Setting(title="8-bit converters, error 2 % of G_max", adc_bits=8, error=0.02),
    Setting(title="8-bit converters, error 5 % of G_max", adc_bits=8, error=0.05),
    Setting(title="8-bit converters, error 2 %, a day of drift", adc_bits=8, error=0.02, drift=0.05),
)


def cells_product(spec: CrossbarSpec, setting: Setting, seed: int) -> IntegerProduct:
    """Sums through cells that are programmed when a matrix is first used; each gets a seed of its own."""
    if setting == Setting(title=setting.title):
        return exact
    used = replace(spec, adc_bits=setting.adc_bits or spec.adc_bits, range_policy="full")
    errors = CellErrors(
        programming=setting.error,
        drift=setting.drift,
        drift_spread=setting.drift / 5,
        seconds=DAY_S if setting.drift else 1.0,
    )
    held: dict[tuple[tuple[int, ...], bytes], ProgrammedMatrix] = {}

    def product(inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
        key = weights.shape, weights.tobytes()
        if key not in held:
            policy = "pct" if setting.adc_bits else "ideal"
            held[key] = ProgrammedMatrix(used, weights, errors, policy, seed * 1000 + len(held))
        parts = [held[key].multiply(inputs[first : first + 512]) for first in range(0, len(inputs), 512)]
        return np.rint(np.concatenate(parts)).astype(np.int64)

    return product


def bits_per_character(setting: Setting, seed: int, windows: int = WINDOWS) -> float:
    """On `windows` windows of unseen text, those of `model.language.measure`."""
    config, weights, pairs = language_model()
    multiply = crossbar_product(cells_product(CROSSBARS, setting, seed))

    def product(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        codes = multiply(encode(w, "bf16"), encode(x.reshape(-1, x.shape[-1]), "bf16"))
        return decode(codes, "bf16").astype(np.float32).reshape(*x.shape[:-1], -1)

    tokens = np.array(pairs.encode(corpus.split(corpus.text())[1]))
    inputs, targets, counted = floating.windows(tokens, config.max_position_embeddings)
    chosen = np.linspace(1, len(inputs) - 1, windows).astype(int)
    lengths = np.array([len(piece) for piece in pairs.pieces])
    logits = floating.forward(config, weights, inputs[chosen], product)
    found, mask = floating.bits(logits, targets[chosen]), counted[chosen]
    return float(found[mask].sum() / lengths[targets[chosen][mask]].sum())


def key(setting: Setting) -> str:
    """Name of an entry."""
    return json.dumps(asdict(setting), sort_keys=True)


def read() -> dict[str, list[float]]:
    """What has been measured: setting -> bits per character, one a seed."""
    return json.loads(FILE.read_text()) if FILE.is_file() else {}


def measure() -> None:
    """What is missing; each setting is written when it is there."""
    held = read()
    for setting in SETTINGS:
        if key(setting) not in held:
            held[key(setting)] = [bits_per_character(setting, seed) for seed in range(setting.seeds)]
            write_atomically(FILE, json.dumps(held, indent=1, sort_keys=True) + "\n")
            print(setting.title, held[key(setting)], flush=True)


if __name__ == "__main__":
    measure()
