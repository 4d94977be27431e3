"""Events of the core in committed language runs that were made before records had them: by the stepped model.

The model's labels of these runs are the RTL's, cycle by cycle; its events are compared with the RTL's on random
programs (`tests/test_system.py`). `python -m model.crossbar` makes the file.
"""

import json
from pathlib import Path

from hw.base.error import InputError
from model.language.run_record import LanguageRun

FILE = Path(__file__).with_suffix(".json")


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
