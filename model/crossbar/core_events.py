"""Events of the core in committed language runs that were made before records had them: by the stepped model.

The model's labels of these runs are the RTL's, cycle by cycle; its events are compared with the RTL's on random
programs (`tests/test_system.py`). `python -m model.crossbar.core_events` makes the file again, in some minutes.
"""

import json
import sys
from pathlib import Path
from typing import Any

from hw import chips
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.spec.system import SystemSpec
from model import workloads
from model.cycle.system.decoding import DecodingTiming, predict_decoding
from model.cycle.system.pim_share import lowered_of
from model.cycle.system.predict import decoder_of
from model.language.run_record import RUNS, LanguageRun, read_run

FILE = Path(__file__).with_suffix(".json")
MADE = (("npu_aim", "off"), ("npu_crossbar", "off"))
"""System and what its channel multiplies, of the runs whose core works."""
KEPT = (
    "mac_array.mac", "mac_array.pass", "mac_array.weight_load", "accumulator.read", "accumulator.write",
    "accumulator.drain_read", "activation_memory.read", "activation_memory.write", "weight_memory.read",
    "weight_memory.write", "output_memory.read", "output_memory.write", "output_stage.requantise",
    "external_memory.read", "external_memory.write", "parameter_memory.read",
)  # fmt: skip
"""Events that are kept."""


def of_run(run: LanguageRun) -> dict[str, float]:
    """Events of the core a generated token behind the first: counted on the RTL if the record has them, of the stepped
    model otherwise; none if the core did nothing.

    Raises
    ------
    InputError
        If neither is there for a run of so many cycles.
    """
    measured = run.labels_per_token.get("core_events")
    if measured is not None:
        return dict(measured)
    if not any(run.labels_per_token.get("core_labels", {"": 1}).values()):
        return {}
    held = json.loads(FILE.read_text()).get(f"{run.chip}.{run.pim}", {})
    if held.get("cycles") != run.cycles:
        raise InputError(
            f"a language run must have the events of its core to be priced, not only labels, as that of {run.chip} "
            f"({run.pim}); make it again with make sim CHIP={run.chip} WORKLOAD={run.work}"
        )
    return {event: count / held["tokens"] for event, count in held["events"].items()}


def made(run: LanguageRun) -> dict[str, Any]:
    """Cycles of the whole run, and events between its first token and its last."""
    whole, first = _step(run, len(run.tokens)), _step(run, 1)
    counts, before = whole.timing.core.counts, first.timing.core.counts
    events = {event: counts[event] - before[event] for event in KEPT}
    return {"cycles": whole.timing.cycles, "tokens": len(run.tokens) - 1, "events": events}


def _step(run: LanguageRun, tokens: int) -> DecodingTiming:
    workload = workloads.variant(run.work, f"pim={run.pim}", f"tokens={tokens}")
    spec = chips.load(run.chip).machine_as(SystemSpec)
    lowered, _ = lowered_of(spec, decoder_of(workloads.load(workload)))
    return predict_decoding(lowered, run.tokens[:tokens])


def main() -> int:
    """Write the file."""
    found = {f"{chip}.{pim}": made(read_run(RUNS / chip / f"small_llm.{pim}.json")) for chip, pim in MADE}
    write_atomically(FILE, json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
