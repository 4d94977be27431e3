"""Makes `core_events.json`: events of the core in committed language runs, by the stepped model, in some minutes.

`python -m model.crossbar` adds runs that are missing or of other cycles.
"""

import json
from typing import Any

from hw import chips
from hw.base.file import write_atomically
from hw.spec.system import SystemSpec
from model import workloads
from model.crossbar.core_events import FILE
from model.cycle.system.decoding import DecodingTiming, predict_decoding
from model.cycle.system.pim_share import lowered_of
from model.cycle.system.predict import decoder_of
from model.language.run_record import RUNS, LanguageRun, read_run

MADE = (("npu_aim", "off"), ("npu_crossbar", "off"))
"""System and what its channel multiplies, of the runs whose core works."""
KEPT = (
    "mac_array.mac", "mac_array.pass", "mac_array.weight_load", "accumulator.read", "accumulator.write",
    "accumulator.drain_read", "activation_memory.read", "activation_memory.write", "weight_memory.read",
    "weight_memory.write", "output_memory.read", "output_memory.write", "output_stage.requantise",
    "external_memory.read", "external_memory.write", "parameter_memory.read",
)  # fmt: skip
"""Events that are kept."""


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


def measure() -> None:
    """All runs of `MADE` that are missing."""
    held = json.loads(FILE.read_text()) if FILE.is_file() else {}
    for chip, pim in MADE:
        run = read_run(RUNS / chip / f"small_llm.{pim}.json")
        if held.get(f"{chip}.{pim}", {}).get("cycles") != run.cycles:
            held[f"{chip}.{pim}"] = made(run)
            write_atomically(FILE, json.dumps(held, indent=1) + "\n")
