"""Records and scenarios found for a report, and the projection they make."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from hw.base import place
from hw.base.error import InputError
from hw.spec.chip import Chip
from model import record
from model.energy.table import EnergyTable
from model.language.run_record import RUNS, LanguageRun, read_run
from model.projection import scenarios, services
from model.projection.fewest import fleet
from model.projection.programme import Programme, project
from model.projection.served import WORKLOAD as SERVED
from model.projection.served_day import served_day
from model.projection.service import token_rate
from model.record import Measurement, NoRecordError

ROOTS = (record.RECORDS, place.measurements())
"""Where records are looked for: fresh ones first, then the committed ones."""

TABLE = "tpuv4i_7nm"
"""The energy table that feeds the projection."""

NETWORK = ("furiosa_warboy", "resnet50", 1)
"""Chip, workload and seed of the model record of the network the sites run."""

LANGUAGE, CURVE, PIMS = "llama31_8b_decode", "llama31_8b_batches", ("", "hbm_pim", "aim")
"""Records of the chip model: the language service; decode rates against the batch, without and with PIM memories."""

SERVED_CARDS = ("sapeon_x330_compact", "rebellions_atom", "sapeon_x330_prime", "furiosa_rngd")
"""Cards of the sites, and of the counting rules, without whose served requests a site's tokens would be left out."""

SERVICE = "language_model"
"""The service whose records those are."""

CURVES = ("furiosa_rngd", "rebellions_atom_max", "nvidia_h100_sxm", "nvidia_h200_sxm", "nvidia_l40s")
"""Chips with a record of decode rates against the batch."""

ARRAYS = ("rebellions_atom", "sapeon_x330_compact")
"""Chips, besides that of `NETWORK`, with a record of the network on the arrays alone."""

INCUMBENTS = ("nvidia_",)
"""What the names of overseas cards begin with."""

TASK = ("npu_16", "digits", 1)
"""Chip, workload and seed of the RTL record whose counts price a MAC."""

TASK_SERVICES = {"images": "image_processing", "tokens": "language_model"}
"""Unit of a service -> the file in model/projection/services that the prose of a report names."""

FIRST_SITE = "gwangju"
"""The site whose assumptions are the shared ones, if there is one of this name."""


def locate(
    chip: str,
    workload: str,
    seed: int,
    witness: str,
    roots: Sequence[Path] = ROOTS,
    *,
    chip_digest: str | None = None,
    workload_digest: str | None = None,
) -> Measurement:
    """The record of a run: of this very chip and workload if their digests are given and one root has it, else of an
    earlier description in the first root that has one. `NoRecordError` naming the command that writes it if none has.
    """
    for chip_is, workload_is in dict.fromkeys([(chip_digest, workload_digest), (None, None)]):
        for root in roots:
            try:
                found = record.find(
                    chip, workload, seed, witness, root, chip_digest=chip_is, workload_digest=workload_is
                )
            except NoRecordError:
                continue
            return found
    return record.find(chip, workload, seed, witness, roots[0])


def agreed(found: Measurement, roots: Sequence[Path]) -> Measurement:
    """`found`; `InputError` if the other witness, of the same chip and workload in one of `roots`, contradicts it."""
    result = found.result
    other = "model" if result.witness == "rtl" else "rtl"
    for root in roots:
        try:
            beside = record.find(
                result.chip,
                result.workload,
                result.seed,
                other,
                root,
                chip_digest=result.chip_digest,
                workload_digest=result.workload_digest,
            )
        except NoRecordError:
            continue
        rtl, model = (found, beside) if other == "model" else (beside, found)
        reason = record.disagreement(rtl.result, model.result)
        if reason is not None:
            raise InputError(
                f"RTL and model must count the same for {result.chip} and {result.workload}, not {reason};"
                " delete both records and run make sim again"
            )
    return found


def recorded(chip: str, workload: str, seed: int, witness: str, roots: Sequence[Path] = ROOTS) -> bool:
    """Whether one of `roots` has a record of the run."""
    return any(record.paths_of(chip, workload, seed, witness, root) for root in roots)


def needed(chips: Mapping[str, Chip]) -> list[tuple[str, str, str]]:
    """Figure, chip and workload of the records without which a figure would lose its origin or silently be left out.

    Every product has one of the network offline, and one of the language service where the service fits it.
    """
    service = services.load(SERVICE)
    found = [
        *((f"ledger.{name}.int8.arrays", name, NETWORK[1]) for name in ARRAYS),
        *((f"decode.{name}.batch_1", name, CURVE) for name in CURVES),
        *((f"stage.2_{pim}_batch_1.tokens_per_s", CURVES[0], f"{CURVE}_{pim}") for pim in PIMS if pim),
    ]
    for name, chip in chips.items():
        if name in SERVED_CARDS:
            found.append((f"card.{name}.tokens_per_s", name, SERVED))
        if {"tdp", "peak_int8"} <= chip.facts.keys():
            found.append((f"ledger.{name}.int8.achievable", name, f"{NETWORK[1]}_offline"))
            if token_rate(name, chip, service)[0] is not None:
                found.append((f"ledger.{name}.int8.delivered_tokens", name, LANGUAGE))
    return found


def load_programme(chips: Mapping[str, Chip], roots: Sequence[Path] = ROOTS) -> Programme:
    """The projection of all sites from the records below `roots`; `InputError` naming site and record if one lacks.

    `chips` holds the chips of `TASK`, `NETWORK` and all cards. Cards with a model record of the network are bounded
    by it, the others by their nominal peak.
    """
    absent = left_out(chips, roots)
    chips = {name: chip for name, chip in chips.items() if name not in absent}
    measurements = []
    for (chip, workload, seed), witness in ((TASK, "rtl"), (NETWORK, "model")):
        try:
            known = chips[chip].digest if chip in chips else None
            found = locate(chip, workload, seed, witness, roots, chip_digest=known)
            measurements.append(agreed(found, roots))
        except InputError as error:
            sites = " and ".join(scenarios.names())
            raise InputError(f"the projection of {sites} cannot be made: {error}") from None
    for what, chip, workload in needed(chips):
        if not recorded(chip, workload, NETWORK[2], "model", roots):
            path = record.path_of(chip, workload, NETWORK[2], "model", roots[-1])
            command = f"predict --chip {chip} --workload {workload} --seed {NETWORK[2]}"
            if workload != NETWORK[1]:
                command = f"records --chips {chip} --write"
            raise InputError(f"{what} cannot be projected: there is no record {path}; run kcloud-cosim {command}")
    sites = {name: scenarios.load(name) for name in sorted(scenarios.names(), key=lambda name: name != FIRST_SITE)}
    cards = {share.card for site in sites.values() for share in site.shares} - {NETWORK[0]}
    further = {
        card: locate(card, *NETWORK[1:], "model", roots, chip_digest=chips[card].digest)
        for card in sorted(cards)
        if recorded(card, *NETWORK[1:], "model", roots)
    }
    return project(
        core_record=measurements[0],
        random_record=random_reference(TASK[0], roots),
        network_record=measurements[1],
        card_records=further,
        chips=chips,
        table_name=TABLE,
        language_records=of_all_chips(chips, LANGUAGE, roots),
        served_records=of_all_chips(chips, SERVED, roots),
        offline_records=of_all_chips(chips, f"{NETWORK[1]}_offline", roots),
        curve_records={
            (name, pim): record
            for pim in PIMS
            for name, record in of_all_chips(chips, f"{CURVE}_{pim}" if pim else CURVE, roots).items()
        },
        days={
            site: day for site in sites for root in reversed(roots) if (day := served_day(site, Path(root))) is not None
        },
        fleet=next((kept for root in roots if (kept := fleet(Path(root))) is not None), None),
        compose=partial(prices_of, TABLE),
        scenarios=sites,
        crossbar_run=crossbar_run(),
    )


def crossbar_run() -> LanguageRun | None:
    """The committed text of the system with crossbars, attention on the core, if every tensor was equal."""
    path = RUNS / "npu_crossbar" / "small_llm.off.json"
    run = read_run(path) if path.is_file() else None
    return run if run is not None and run.equal else None


def left_out(chips: Mapping[str, Chip], roots: Sequence[Path] = ROOTS) -> list[str]:
    """Products that no record was ever made of and no site or fixed figure rests on: a chip that is being added."""
    held = {TASK[0], NETWORK[0], *CURVES, *ARRAYS}
    held |= {share.card for name in scenarios.names() for share in scenarios.load(name).shares}
    return [
        name
        for name, chip in chips.items()
        if {"tdp", "peak_int8"} <= chip.facts.keys()
        and name not in held
        and not any((Path(root) / name).is_dir() for root in roots)
    ]


def of_all_chips(chips: Mapping[str, Chip], workload: str, roots: Sequence[Path]) -> dict[str, Measurement]:
    """The model records of one workload that there are, by chip."""
    return {
        name: locate(name, workload, NETWORK[2], "model", roots, chip_digest=chip.digest)
        for name, chip in chips.items()
        if recorded(name, workload, NETWORK[2], "model", roots)
    }


def random_reference(chip_name: str, roots: Sequence[Path] = ROOTS) -> Measurement | None:
    """The record of the largest RTL run on uniformly random operands, for which published energies hold.

    The GEMM workloads are such runs; None if none was recorded with toggles.
    """
    paths = [path for root in roots for path in sorted((Path(root) / chip_name).glob("gemm_*.rtl.*json"))]
    usable = [m for m in map(record.read, paths) if m.result.toggles and m.result.verdict == "pass"]
    return max(usable, key=lambda m: (m.result.counts.get("mac_array.mac", 0), m.result.run), default=None)


def prices_of(table: str, chip: Chip) -> EnergyTable | None:
    """The energies of the events of the chip's machine in the table of that name; None if it does not price them."""
    if chip.machine is None:
        return None
    prices = chip.kind.door("prices")
    return prices.table(table, chip.machine) if table in prices.TABLES else None
