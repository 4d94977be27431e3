"""Who multiplies what: the share of the channel that the cycle model finds fastest."""

from model.cycle.system.decoding import predict_decoding
from model.lowering.decoder.lower import shares
from model.work.decoding import lowered_of, system_of, work_of


def fastest(chip: str, work_name: str, text: str | None = None) -> str:
    """The share with the fewest cycles for a second token behind a prompt."""
    work = work_of(work_name, 2, text=text)

    def cycles(pim: str) -> int:
        lowered, _ = lowered_of(chip, work, pim)
        ends = predict_decoding(lowered).ends
        return ends[-1] - ends[-2]

    return min(shares(system_of(chip)), key=cycles)
