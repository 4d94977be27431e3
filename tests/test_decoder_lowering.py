"""A decoder lowered to descriptors: every tensor the reference's, whoever multiplies; what does not fit is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from hw import chips
from hw.base.error import InputError
from hw.spec.system import Program, SystemSpec
from model.functional.decoding import ReferenceRun, differences
from model.functional.system import SystemMemories
from model.functional.vector_unit import SystemVectorUnit
from model.language.config import DecoderConfig
from model.language.run_record import read_run
from model.lowering.decoder.checkpoint import check_finite, read_weights
from model.lowering.decoder.lower import lower
from model.lowering.decoder.lowered import Lowered
from model.reference.decoder import StoredWeights, store_weights
from model.work.decoding import Decoding, random_decoding, small_llm, timing_of, vector_spec, work_of

SMALL = DecoderConfig(
    hidden_size=48,
    intermediate_size=80,
    num_hidden_layers=1,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=16,
    vocab_size=70,
    max_position_embeddings=40,
)
"""Sizes that fill no row, no group of banks and no batch."""


def lowered(spec: SystemSpec, work: Decoding, pim: str) -> tuple[Lowered, StoredWeights]:
    weights = store_weights(work.config, work.weights, spec.pim.number)
    return lower(spec, work.config, weights, work.prompt, work.count, pim), weights


@pytest.mark.parametrize(
    ("pim", "device"),
    [
        *((pim, device) for device in ("npu_aim", "npu_hbm_pim") for pim in ("off", "weights", "attention", "both")),
        ("off", "npu_crossbar"),
        ("attention", "npu_crossbar"),
    ],
)
def test_every_tensor_of_every_token_is_the_references(pim: str, device: str) -> None:
    work = random_decoding(np.random.default_rng(5), SMALL, prompt=17, count=2)
    made, weights = lowered(chips.load(device).machine_as(SystemSpec), work, pim)
    spec = made.spec
    memories = SystemMemories(spec, timing_of(spec), SystemVectorUnit(vector_spec(spec)), made.crossbars)
    for (bank, row), cells in made.channels["memory"].bank_rows().items():
        memories.contents.device.row(bank, row)[:] = cells
    reference, done = ReferenceRun(made, work, weights), 0
    for step in made.steps:
        memories.run(Program(commands=made.program.commands[done : step.commands], units=spec.units))
        done = step.commands
        expected = reference.step(step)
        found = next(differences(step, lambda first, count: memories.shared[first : first + count], expected), None)
        assert found is None, str(found)
    assert memories.shared[made.ids + 17 : made.ids + 19, 0].tolist() == reference.answer


def small_system() -> tuple[SystemSpec, Decoding]:
    return chips.load("npu_aim").machine_as(SystemSpec), random_decoding(
        np.random.default_rng(5), SMALL, prompt=4, count=2
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": []}, "at least one token"),
        ({"count": 0}, "at least 1"),
        ({"count": 37}, r"context of 40 tokens, not 4 \+ 37 = 41"),
        ({"prompt": [70]}, "from 0 to 69"),
        ({"config": replace(SMALL, hidden_size=40)}, "hidden_size must be a multiple of 16"),
        ({"config": replace(SMALL, head_dim=48)}, "head_dim must be 16, 32, 64 or 128"),
    ],
)
def test_work_that_cannot_be_lowered_is_refused(change: dict[str, object], message: str) -> None:
    spec, work = small_system()
    work = replace(work, **change)  # pyright: ignore[reportArgumentType]
    if "config" in change:
        work = replace(random_decoding(np.random.default_rng(5), work.config, prompt=4, count=2))
    with pytest.raises(InputError, match=message):
        lowered(spec, work, "both")


def test_unknown_shares_of_the_channel_are_refused() -> None:
    spec, work = small_system()
    with pytest.raises(InputError, match="pim must be one of off, weights, attention, both, not 'on'"):
        lowered(spec, work, "on")


def test_models_beyond_the_memories_are_refused_with_the_arithmetic() -> None:
    spec, work = small_system()
    with pytest.raises(InputError, match=r"must fit the 2 rows of each bank .*it needs \d+ rows"):
        lowered(replace(spec, rows=2), work, "both")
    core = spec.core
    assert core.dma is not None
    tight = replace(core, activation_words=256, dma=replace(core.dma, external_beats=512))
    with pytest.raises(InputError, match=r"shared memory of 512 words.*they need at least \d+"):
        lowered(replace(spec, core=tight), work, "both")
    with pytest.raises(InputError, match=r"program must have at most 100 descriptors.*not \d+"):
        lowered(replace(spec, program_words=100), work, "both")
    with pytest.raises(InputError, match="weight_words of the core must be at least"):
        lowered(replace(spec, core=replace(core, weight_words=64)), work, "both")


def test_bad_checkpoints_are_refused(tmp_path: Path) -> None:
    weights = random_decoding(np.random.default_rng(5), SMALL, prompt=4, count=2).weights
    path = tmp_path / "model.safetensors"
    save_file(weights, path)
    assert set(read_weights(path, SMALL)) == set(weights)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1000])
    with pytest.raises(InputError, match="must be a whole safetensors file"):
        read_weights(path, SMALL)
    path.write_bytes(b"not weights")
    with pytest.raises(InputError, match="must be a whole safetensors file"):
        read_weights(path, SMALL)
    with pytest.raises(InputError, match="there is none"):
        read_weights(tmp_path / "missing.safetensors", SMALL)
    save_file({k: v for k, v in weights.items() if "norm" not in k}, path)
    with pytest.raises(InputError, match=r"must hold the tensor 'model.layers.0.input_layernorm.weight'"):
        read_weights(path, SMALL)
    save_file(weights | {"model.norm.weight": np.ones(7, np.float32)}, path)
    with pytest.raises(InputError, match=r"must have the shape \(48,\)"):
        read_weights(path, SMALL)
    with pytest.raises(InputError, match=r"finite numbers, but model.norm.weight has nan at \(3,\)"):
        check_finite(weights | {"model.norm.weight": np.where(np.arange(48) == 3, np.nan, 1).astype(np.float32)})
    save_file(weights | {"model.norm.weight": np.full(48, np.inf, np.float32)}, path)
    with pytest.raises(InputError, match="finite numbers"):
        read_weights(path, SMALL)


def test_the_small_models_prompt_has_32_tokens() -> None:
    work = small_llm()
    assert (len(work.prompt), work.count) == (32, 64)
    assert (
        work.text(work.prompt) == "If the iterator is exhausted, the method raises an exception. The default "
        "value of this argument is used when the file is not"
    )


def test_a_format_that_the_core_lacks_is_refused() -> None:
    spec, work = small_system()
    core = chips.load("npu_hbm_pim").machine_as(SystemSpec).core
    with pytest.raises(
        InputError, match="must compute in the channel's format bf16 throughout, not fp16 x fp16 to fp16"
    ):
        lowered(replace(spec, core=core), work, "both")


def test_a_folder_is_a_model(tmp_path: Path) -> None:
    import json
    from dataclasses import asdict

    weights = random_decoding(np.random.default_rng(5), SMALL, prompt=4, count=2).weights
    save_file(weights, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(asdict(SMALL)))
    work = work_of(str(tmp_path), 3, text="5, 6,7")
    assert (work.config, work.prompt, work.count) == (SMALL, [5, 6, 7], 3)
    assert work.text([1, 2]) == "1 2"
    with pytest.raises(InputError, match="numbers of tokens with commas"):
        work_of(str(tmp_path), 3, text="five")
    with pytest.raises(InputError, match="needs a prompt"):
        work_of(str(tmp_path), 3)
    (tmp_path / "merges.txt").write_text("0 1\n")
    with pytest.raises(InputError, match=r"must make the 70 tokens of config.json, not 97"):
        work_of(str(tmp_path), 3, text="a")


def test_one_wrong_bit_anywhere_is_a_difference() -> None:
    spec, work = small_system()
    made, weights = lowered(spec, work, "both")
    memories = SystemMemories(spec, timing_of(spec), SystemVectorUnit(vector_spec(spec)))
    for (bank, row), cells in made.channels["memory"].bank_rows().items():
        memories.contents.device.row(bank, row)[:] = cells
    step = made.steps[0]
    memories.run(Program(commands=made.program.commands[: step.commands]))
    expected = ReferenceRun(made, work, weights).step(step)

    def words(first: int, count: int) -> np.ndarray:
        return memories.shared[first : first + count]

    assert not list(differences(step, words, expected))
    for place in step.places:
        region = place.region
        memories.shared[region.row(region.rows - 1), 0] ^= 1
        found = list(differences(step, words, expected))
        memories.shared[region.row(region.rows - 1), 0] ^= 1
        assert place in [difference.place for difference in found]
        assert place.name in str(found[0]) or len(found) > 1


def test_what_does_not_fit_the_crossbars_is_refused() -> None:
    _, work = small_system()
    spec = chips.load("npu_crossbar").machine_as(SystemSpec)
    assert spec.crossbar is not None
    with pytest.raises(InputError, match="pim of a system with crossbars must be one of off, attention, not 'both'"):
        lowered(spec, work, "both")
    with pytest.raises(InputError, match=r"the weights must fit the 2 arrays of a tile, with .* they need 3"):
        lowered(replace(spec, crossbar=replace(spec.crossbar, arrays=2, tiles=4)), work, "off")
    with pytest.raises(InputError, match=r"must fit the rows of 1 tiles of 32, .* has 48"):
        lowered(replace(spec, crossbar=replace(spec.crossbar, rows=32, tiles=1)), work, "off")
    with pytest.raises(InputError, match="crossbars of a system take and give BF16"):
        replace(chips.load("npu_hbm_pim").machine_as(SystemSpec), crossbar=spec.crossbar)


def test_crossbars_write_the_text_of_the_other_stages() -> None:
    """At zero noise the committed model's 64 tokens are those that stages 1 and 2 wrote on RTL, from its reference."""
    work = small_llm(64)
    made, weights = lowered(chips.load("npu_crossbar").machine_as(SystemSpec), replace(work, count=1), "off")
    reference = ReferenceRun(made, work, weights)
    for step in made.steps:
        reference.step(step)
    last = made.steps[-1]
    for position in range(len(work.prompt), len(work.prompt) + 63):
        reference.step(replace(last, first=position, tokens=1))
    root = Path(__file__).parents[1] / "measurements" / "language_runs" / "npu_aim"
    for pim in ("off", "both"):
        assert reference.answer == read_run(root / f"small_llm.{pim}.json").tokens
