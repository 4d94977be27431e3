"""Values at the very end of a limit, and counts with a list of their own: specs, models and measurements."""

import re
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.cells import MINI45_LIBERTY
from hw.gates import liberty_text, synthesis
from hw.gates.blocks import Adder
from hw.spec.crossbar import CrossbarSpec
from hw.spec.crossbar_unit import PRODUCT_FIELDS, CrossbarUnitSpec
from hw.spec.pim import PimSpec
from hw.spec.register import REGISTER_MAP
from hw.spec.register_text import c_header
from model.language.channel_counts import dram_counts
from model.network import llm
from model.network.family import head_norms
from model.reference import crossbar as reference
from model.report import figure
from model.report.summary import Summary
from model.work.decoding import TINY_NPU
from tb.gates.core import Core
from tests.support.crossbar import draw_spec


def test_planes_of_any_crossbar_count_what_their_weights_add_up_to() -> None:
    rng = np.random.default_rng(1)
    signs = Counter[bool]()
    for number in range(40):
        spec = draw_spec(rng, digital=bool(number % 2))
        assert reference.plane_weights(spec).sum() == spec.plane_count_sum
        signs[spec.input_signed] += 1
    assert len(signs) == 2


def test_a_product_may_end_with_the_last_word_of_the_shared_memory() -> None:
    core = replace(chips.machine(chips.load("tiny_crossbar"), CrossbarSpec, "this test"), columns=16, lanes=16, rows=16)
    spec = CrossbarUnitSpec(core=core, shared_words=64, scale_words=64)
    opcode = next(code for code in range(256) if spec.refusal(code) != 1)

    def refusal(source: int, destination: int) -> int:
        fields = {
            "opcode": opcode, "source": source, "words": 1, "destination": destination, "outputs": 2, "row_tiles": 1,
            "column_tiles": 2, "groups": 1,
        }  # fmt: skip
        word = at = 0
        for name, bits in PRODUCT_FIELDS.items():
            word |= fields.get(name, 0) << at
            at += bits
        return spec.refusal(word)

    assert (refusal(63, 0), refusal(64, 0)) == (0, 3)
    assert (refusal(0, 62), refusal(0, 63)) == (0, 3)


def test_masks_of_the_header_are_the_bits_of_the_fields_and_never_overlap() -> None:
    text = c_header("npu", {})
    defined = {name: int(value, 0) for name, value in re.findall(r"#define NPU_(\w+) (\w+?)u", text)}
    checked = 0
    for register in REGISTER_MAP:
        taken = 0
        for field in register.fields:
            name = f"{register.name}_{field.name}".upper()
            mask, shift = defined[f"{name}_MASK"], defined[f"{name}_SHIFT"]
            assert mask.bit_count() == field.bits
            assert mask & -mask == 1 << shift
            assert not mask & taken
            taken |= mask
            checked += 1
    assert checked > 5


def test_a_library_without_a_body_is_refused() -> None:
    assert liberty_text.parse(MINI45_LIBERTY.read_text(), "mini45").kind == "library"
    with pytest.raises(InputError, match="the library group of mine must have a body in braces"):
        liberty_text.parse("library (mine)", "mine")
    with pytest.raises(InputError, match="mine must close its groups"):
        liberty_text.parse("library (mine) { define (a, b, c)", "mine")


@pytest.mark.parametrize("chip", ["aim", "hbm_pim"])
def test_a_row_that_is_opened_is_all_its_bytes(chip: str) -> None:
    pim = chips.machine(chips.load(chip), PimSpec, "this test")
    counts = dram_counts(pim, Counter({"activate": 4096}), 0.0)
    assert counts["dram.activate_kilobyte"] * 1024 == 4096 * pim.dram.organisation.row_bytes


@pytest.mark.parametrize(("chip", "number"), [("npu_16_bf16", "bf16"), ("npu_16_fp8", "fp8_e4m3"), ("npu_16", "int8")])
def test_operands_of_a_summary_have_the_format_of_its_machine(chip: str, number: str) -> None:
    of: Any = Summary.number.fget
    assert of(SimpleNamespace(chip=chips.load(chip))).name == number
    without = next(name for name in chips.names() if chips.load(name).machine is None)
    assert of(SimpleNamespace(chip=chips.load(without))).name == "int8"


def test_a_component_that_one_table_lacks_has_no_bar_there() -> None:
    def priced(**components: float) -> Any:
        parts = tuple(SimpleNamespace(component=c, energy_j=SimpleNamespace(nominal=j)) for c, j in components.items())
        total = sum(components.values())
        return SimpleNamespace(
            components=parts, total_j=SimpleNamespace(low=total / 2, nominal=total, high=2 * total), activity="",
            table=SimpleNamespace(node_nm=45, title="mine", gates=None, leaves_out="x"), unpriced=(),
        )  # fmt: skip

    record = SimpleNamespace(result=SimpleNamespace(figures={}, witness="rtl"))
    energies = [("one", priced(array=2.0, memory=1.0)), ("other", priced(array=4.0))]
    summary: Any = SimpleNamespace(energies=energies, record=record, chip_name="mine", workload="mine")
    canvas: Any = figure.energy(summary)
    bars = [bar.get_width() for bar in canvas.figure.axes[0].patches]
    assert sorted(bars) == [0.0, 1.0, 2.0, 4.0]


def test_vectors_of_a_gemma_3n_layer_are_those_of_its_modules() -> None:
    model = llm.load("gemma3n_e4b")
    hidden, streams = 2048, 4
    modules = {
        "input_layernorm": hidden, "post_attention_layernorm": hidden, "pre_feedforward_layernorm": hidden,
        "post_feedforward_layernorm": hidden, "laurel.post_laurel_norm": hidden,
        "post_per_layer_input_norm": hidden, "altup.router_norm": hidden, "altup.correct_output_scale": hidden,
        "altup.correction_coefs": streams * streams, "altup.prediction_coefs": streams * streams * streams,
        "self_attn.q_norm and k_norm": 2 * 256,
    }  # fmt: skip
    for block, _ in model.groups:
        assert block.attention is not None
        assert head_norms(block.attention) == 2 * 256
        assert block.vectors == sum(modules.values())


def test_microscaled_numbers_of_four_bits_take_four_and_a_quarter() -> None:
    """OCP Microscaling Formats (MX) 1.0: 32 elements share a scale of eight bits."""
    config = {**CONFIG, "quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": []}}
    stored = llm.from_config("mine", config).quantization
    assert stored is not None
    assert stored.bits("mlp.experts.down_proj", 2880, 2880, 1) == 4 + 8 / 32


def test_tiny_npu_has_the_sizes_of_its_readme() -> None:
    """harishsg993010/tiny-NPU, README, memory maps: bytes of INT8 weights, by name."""
    stated = {"Wq": 4096, "W1": 16384, "WTE": 16384, "WPE": 1024}
    assert stated == {
        "Wq": TINY_NPU.hidden_size * TINY_NPU.num_attention_heads * TINY_NPU.head_dim,
        "W1": TINY_NPU.hidden_size * TINY_NPU.intermediate_size,
        "WTE": TINY_NPU.vocab_size * TINY_NPU.hidden_size,
        "WPE": TINY_NPU.max_position_embeddings * TINY_NPU.hidden_size,
    }
    assert (TINY_NPU.num_attention_heads, TINY_NPU.head_dim, TINY_NPU.num_hidden_layers) == (4, 16, 4)


CONFIG: dict[str, Any] = {
    "model_type": "gpt_oss", "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
    "num_hidden_layers": 2, "intermediate_size": 64, "num_local_experts": 4, "num_experts_per_tok": 2,
    "vocab_size": 100, "sliding_window": 32, "max_position_embeddings": 128,
}  # fmt: skip


def test_streams_without_a_duty_requantise_in_every_cycle(monkeypatch: pytest.MonkeyPatch) -> None:
    duties: list[float] = []
    monkeypatch.setattr("tb.gates.core.measured", lambda blocks, streams, build, clock, duty: duties.append(duty) or [])
    core: Any = SimpleNamespace(blocks=(), build=None, clock_ghz=1.0)
    Core.measure(core, {})
    Core.measure(core, {}, 0.5)
    assert duties == [1.0, 0.5]


def test_a_block_is_mapped_as_a_whole_unless_it_is_asked_for(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    apart: list[str] = []
    monkeypatch.setattr(synthesis.hierarchy, "apart", lambda text, recipe: apart.append(text) or (text, recipe))
    monkeypatch.setattr(synthesis, "synthesise_rtlil", lambda *given: None)
    process: Any = None
    synthesis.synthesise(Adder(8), "adder", process, tmp_path)
    assert not apart
    synthesis.synthesise(Adder(8), "adder", process, tmp_path, by_module=True)
    assert len(apart) == 1
