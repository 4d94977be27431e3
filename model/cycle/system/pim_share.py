"""Who multiplies what: the share of the channel that the cycle model finds fastest."""

from hw.base import place
from hw.base.digest import digest
from hw.base.file import write_atomically
from hw.spec.system import SystemSpec
from model.cycle.system.decoding import predict_decoding
from model.lowering.decoder.lowered import Lowered, shares
from model.reference.decoder import StoredWeights
from model.work.decoder_workload import DecoderWorkload


def share_of(spec: SystemSpec, workload: DecoderWorkload) -> str:
    """What `workload` asks for, else the fastest share. Found once for a system and a workload and kept below `build`,
    as several processes of one run need it."""
    if workload.pim:
        return workload.pim
    key = digest({"system": spec, "workload": workload.digest})
    path = place.build() / "pim_share" / f"{key}.txt"
    if path.is_file() and (kept := path.read_text().strip()) in shares(spec):
        return kept
    found = fastest(spec, workload)
    write_atomically(path, found + "\n")
    return found


def fastest(spec: SystemSpec, workload: DecoderWorkload) -> str:
    """The share with the fewest cycles for a second token behind the prompt."""
    short = DecoderWorkload(title=workload.title, model=workload.model, tokens=2, prompt=workload.prompt)

    def cycles(pim: str) -> int:
        ends = predict_decoding(short.lowered(spec, pim)[0]).ends
        return ends[-1] - ends[-2]

    return min(shares(spec), key=cycles)


def lowered_of(spec: SystemSpec, workload: DecoderWorkload) -> tuple[Lowered, StoredWeights]:
    """The program with the share that is asked for or fastest, and the weights as stored."""
    return workload.lowered(spec, share_of(spec, workload))
