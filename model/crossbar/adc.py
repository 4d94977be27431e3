"""Energy of one conversion: several sources that differ a hundredfold, all shown.

Every energy of a crossbar names the source it takes. Values in pJ by bits; between given bits, and two beyond them, the
logarithm is taken as linear.
"""

import math
from dataclasses import dataclass

from hw.base.error import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class AdcModel:
    """Energy of one conversion by bits.

    Parameters
    ----------
    name : str
        By which `MODELS` has it.
    node_nm : float
        Technology of the source; 0 for a collection over many nodes.
    picojoules : dict of int to float
        Bits -> pJ of one conversion.
    source : str
        Publication or tool with its version, and under which conditions the values hold.
    """

    name: str
    node_nm: float
    picojoules: dict[int, float]
    source: str

    def energy_pj(self, bits: int) -> float:
        """pJ of one conversion of `bits`."""
        known = sorted(self.picojoules)
        if bits in self.picojoules:
            return self.picojoules[bits]
        if len(known) == 1:
            # one point only: the slope of the fitted survey carries it
            fit = MODELS["survey_fit"]
            return self.picojoules[known[0]] * fit.energy_pj(bits) / fit.energy_pj(known[0])
        below = max([k for k in known if k <= bits], default=known[0])
        above = min([k for k in known if k >= bits], default=known[-1])
        if below == above:
            below, above = (known[0], known[1]) if bits < known[0] else (known[-2], known[-1])
        slope = math.log(self.picojoules[above] / self.picojoules[below]) / (above - below)
        return self.picojoules[below] * math.exp(slope * (bits - below))


MODELS: dict[str, AdcModel] = {
    model.name: model
    for model in (
        AdcModel(
            name="circuit",
            node_nm=22,
            picojoules={5: 0.1488, 6: 0.1738, 7: 0.1998, 8: 0.2267},
            source="successive approximation in DNN+NeuroSim V1.4 (commit ac828e6), 22 nm, 256 rows, 2-bit cells, 2026",
        ),
        AdcModel(
            name="survey_fit",
            node_nm=22,
            picojoules={4: 0.3654, 5: 0.3703, 6: 0.4213, 7: 0.5190, 8: 0.6778, 9: 0.9255, 10: 1.309},
            source="hwcomponents-adc 1.0.21, fit through the low edge of the Murmann survey, 22 nm, 100 MS/s, 2026",
        ),
        AdcModel(
            name="isaac",
            node_nm=32,
            picojoules={8: 1.56},
            source="ISAAC, ISCA 2016: 2 mW at 1.28 GS/s, 8 bits, 32 nm (secondary reading)",
        ),
        AdcModel(
            name="survey_median",
            node_nm=0,
            picojoules={5: 1.019, 6: 4.306, 7: 3.093, 8: 5.162, 9: 29.08, 10: 10.6},
            source="Murmann ADC survey, revision 2025-06-09: medians of SAR converters of 50 MS/s to 2 GS/s since 2015 "
            "within half a bit of the effective bits",
        ),
        AdcModel(
            name="mnsim",
            node_nm=32,
            picojoules={8: 15.6},
            source="MNSIM 2.0 (commit ca39ccb), row named ISAAC of its converters: 2 mW for 7.8 ns; the sample rate "
            "is used as an internal clock there",
        ),
    )
}
"""Sources by name, cheapest first at 8 bits."""


def adc_model(name: str) -> AdcModel:
    """The model called `name`; `InputError` listing the known ones."""
    if name not in MODELS:
        raise InputError(f"converter model must be one of {', '.join(MODELS)}, not {name!r}; choose one")
    return MODELS[name]
