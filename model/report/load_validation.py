"""The validation from the records there are: predictions beside published results."""

from collections.abc import Mapping

from hw.spec.chip import Chip
from model.projection import published
from model.projection.check import PADDED, SCENARIOS, TASKS, Validation
from model.projection.published_pim import predicted_gains
from model.projection.published_serving import predicted_checks
from model.projection.validate import validate
from model.report.load import NETWORK, locate, recorded


def load_validation(chips: Mapping[str, Chip]) -> Validation:
    """All checks of `chips` by committed records and predictions; `InputError` if the network's record is missing."""
    _, workload, seed = NETWORK
    records = {name: locate(name, workload, seed, "model") for name in chips if recorded(name, workload, seed, "model")}
    if NETWORK[0] not in records:
        locate(*NETWORK, "model")
    runs = {}
    others = {row.model for row in published.rows(published.OTHER)}
    tasks = {*TASKS.values(), *PADDED.values(), *others, "retinanet", "llama31_8b_128_4096_fp16_cache"}
    for name in chips:
        for task in tasks:
            for run_name in (task, *(f"{task}_{scenario}" for scenario in SCENARIOS.values())):
                if recorded(name, run_name, seed, "model"):
                    runs[name, run_name] = locate(name, run_name, seed, "model")
    return validate(chips, records, runs=runs, language=predicted_checks(), memories=predicted_gains())
