"""A decoder over several channels: every tensor the reference's, no word in either order, fewer cycles a token."""

from dataclasses import replace

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.system import Program, SystemCommand, SystemSpec
from model.cycle.system.decoding import predict_decoding
from model.functional.decoding import ReferenceRun, differences
from model.functional.system import SystemMemories
from model.functional.vector_unit import SystemVectorUnit
from model.language.config import DecoderConfig
from model.lowering.decoder.lower import lower
from model.lowering.decoder.lowered import Lowered
from model.reference.decoder import StoredWeights, store_weights
from model.work.decoding import TINY_NPU, Decoding, random_decoding, timing_of, vector_spec
from tests.support.token_order import unordered

ODD = DecoderConfig(
    hidden_size=48,
    intermediate_size=80,
    num_hidden_layers=1,
    num_attention_heads=6,
    num_key_value_heads=3,
    head_dim=16,
    vocab_size=70,
    max_position_embeddings=40,
)
"""Sizes that no number of channels divides."""
COPIED = replace(ODD, num_attention_heads=4, num_key_value_heads=2)
"""With four channels, each head of keys and values lies in two of them."""


def work_of(config: DecoderConfig, prompt: int) -> Decoding:
    return random_decoding(np.random.default_rng(5), config, prompt=prompt, count=2)


def lowered(chip: str, channels: int, pim: str, work: Decoding) -> tuple[Lowered, StoredWeights]:
    spec = replace(chips.load(chip).machine_as(SystemSpec), channels=channels)
    weights = store_weights(work.config, work.weights, spec.pim.number)
    return lower(spec, work.config, weights, work.prompt, work.count, pim), weights


@pytest.mark.parametrize(
    ("device", "channels", "pim"),
    [
        ("npu_aim", 2, "both"),
        ("npu_aim", 2, "off"),
        ("npu_aim", 3, "weights"),
        ("npu_aim", 4, "attention"),
        ("npu_hbm_pim", 2, "weights"),
        ("npu_hbm_pim", 2, "attention"),
        ("npu_hbm_pim", 4, "both"),
        ("npu_crossbar", 2, "attention"),
    ],
)
def test_every_tensor_of_every_token_is_the_references(device: str, channels: int, pim: str) -> None:
    work = work_of(COPIED if channels == 4 else ODD, 17)
    made, weights = lowered(device, channels, pim, work)
    spec = made.spec
    memories = SystemMemories(spec, timing_of(spec), SystemVectorUnit(vector_spec(spec)), made.crossbars)
    for unit, channel in made.channels.items():
        for (bank, row), cells in channel.bank_rows().items():
            memories.channels[unit].device.row(bank, row)[:] = cells
    reference, done = ReferenceRun(made, work, weights), 0
    for step in made.steps:
        memories.run(Program(commands=made.program.commands[done : step.commands], units=spec.units))
        done = step.commands
        expected = reference.step(step)
        found = next(differences(step, lambda first, count: memories.shared[first : first + count], expected), None)
        assert found is None, str(found)
    assert memories.shared[made.ids + 17 : made.ids + 19, 0].tolist() == reference.answer


@pytest.mark.parametrize("device", ["npu_aim", "npu_hbm_pim"])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_tokens_leave_no_word_to_chance(device: str, channels: int) -> None:
    """What one unit writes and another reads or writes is ordered by tokens, whatever a descriptor takes."""
    for pim in ("off", "weights", "attention", "both"):
        made, _ = lowered(device, channels, pim, work_of(COPIED if channels == 4 else ODD, 5))
        found = next(unordered(made.program, vector_spec(made.spec)), None)
        assert found is None, f"{pim}: {[made.program.commands[at] for at in found[:2]]} meet in word {found[2]}"


@pytest.mark.parametrize("device", ["npu_aim", "npu_hbm_pim"])
def test_a_token_left_out_is_noticed(device: str) -> None:
    made, _ = lowered(device, 2, "both", work_of(ODD, 5))
    vector = vector_spec(made.spec)
    for unit, other in (("memory_1", "vector"), ("vector", "memory_1"), ("core", "memory_1"), ("memory_1", "core")):
        commands = [without(item, other) if item.unit == unit else item for item in made.program.commands]
        assert next(unordered(replace(made.program, commands=commands), vector), None) is not None, f"{unit}: {other}"


def without(item: SystemCommand, unit: str) -> SystemCommand:
    return replace(item, waits={other: count for other, count in item.waits.items() if other != unit})


@pytest.mark.parametrize(("device", "pim"), [("npu_aim", "both"), ("npu_hbm_pim", "weights")])
def test_a_token_takes_fewer_cycles_with_more_channels(device: str, pim: str) -> None:
    work, taken = work_of(replace(TINY_NPU, num_hidden_layers=1), 4), []
    for channels in (1, 2, 4):
        made, _ = lowered(device, channels, pim, work)
        run = predict_decoding(made)
        taken.append(run.ends[-1] - run.ends[-2])
        assert all(sum(labels.values()) == run.timing.cycles for labels in run.timing.waits.values())
        assert list(run.timing.controllers) == list(made.spec.memory_units)
        assert all(sum(labels.values()) == run.timing.cycles for labels in run.timing.controllers.values())
    assert taken[0] > 1.2 * taken[1], taken
    assert taken[1] > taken[2], taken


@pytest.mark.parametrize("device", ["npu_aim", "npu_hbm_pim"])
def test_channels_share_the_weights(device: str) -> None:
    """Words of weights and cache of a channel: the fullest has less than one channel alone, all have some."""
    work = work_of(TINY_NPU, 4)
    rows = {
        channels: [channel.used_rows for channel in lowered(device, channels, "both", work)[0].channels.values()]
        for channels in (1, 2, 4)
    }
    assert max(rows[4]) < max(rows[2]) < max(rows[1])
    assert min(rows[4]) > 0


def test_what_does_not_fit_one_of_the_channels_is_refused() -> None:
    work = work_of(TINY_NPU, 4)
    spec = replace(chips.load("npu_aim").machine_as(SystemSpec), rows=8)
    weights = store_weights(work.config, work.weights, "bf16")
    with pytest.raises(InputError, match=r"must fit the 8 rows of each bank .* take a smaller model"):
        lower(spec, work.config, weights, work.prompt, 2, "both")
    assert lower(replace(spec, channels=4), work.config, weights, work.prompt, 2, "both").channels
