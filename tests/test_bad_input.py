"""Bad input to the chip model's verbs is one sentence on the screen and exit code 2."""

import json
from pathlib import Path

import pytest

from hw.base.command_line import main
from model import cli
from model.network.workload import shipped_with_onnx


def spoken(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the verb says when it refuses: a single line on the error stream."""
    assert main("model", cli, list(words)) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert "Traceback" not in said
    return said


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps(
            {
                "model_type": "llama",
                "hidden_size": 4096,
                "num_attention_heads": 32,
                "num_hidden_layers": 32,
                "num_key_value_heads": 8,
                "intermediate_size": 14336,
                "vocab_size": 128256,
                "max_position_embeddings": 131072,
            }
        )
    )
    return path


def test_a_truncated_onnx_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(shipped_with_onnx("light_resnet50").read_bytes()[:5000])
    assert "must be a complete ONNX model" in spoken(capsys, "device", "--network", str(path))


def test_an_operator_nobody_knows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import onnx

    value = onnx.helper.make_tensor_value_info
    inside, outside = (value(n, onnx.TensorProto.FLOAT, [1, 8]) for n in ("x", "y"))
    nodes = [
        onnx.helper.make_node("Relu", ["x"], ["r"]),
        onnx.helper.make_node("Whirl", ["r"], ["y"], name="odd", domain="my.own"),
    ]
    graph = onnx.helper.make_graph(nodes, "g", [inside], [outside])
    path = tmp_path / "odd.onnx"
    onnx.save(onnx.helper.make_model(graph), str(path))
    assert "Whirl is not" in spoken(capsys, "device", "--network", str(path))  # my.own has no version
    domains = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("my.own", 1)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=domains), str(path))
    said = spoken(capsys, "device", "--network", str(path))
    assert "Whirl is not" in said
    assert "layer 'odd'" in said


def test_a_dynamic_shape_without_a_value(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import onnx

    inside = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 8])
    outside = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 8])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [inside], [outside])
    path = tmp_path / "open.onnx"
    onnx.save(onnx.helper.make_model(graph), str(path))
    assert "--dimension batch=1" in spoken(capsys, "device", "--network", str(path))
    assert main("model", cli, ["device", "--network", str(path), "--dimension", "batch=2", "--chip", "nvidia_t4"]) == 0


def test_a_configuration_without_a_field(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    fields = json.loads(config.read_text())
    del fields["intermediate_size"]
    config.write_text(json.dumps(fields))
    assert "must have the field 'intermediate_size'" in spoken(capsys, "serve", "--model", str(config))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--chip", "deepx_dx_m1"), "needs 9.2 GB on each of 1, the card has 4.0 GB; use more cards"),
        (("--cards", "3"), "cards must divide the 32 heads"),
        (("--batch", "100000"), "the key-value cache must fit"),
        (("--prompt", "200000"), "must be an integer from 1 to 131072"),
        (("--prompt", "0"), "--prompt must be at least 1 token, not 0"),
        (("--beams", "0"), "--beams must be at least 1 sequence, not 0"),
        (("--longest", "0.001"), "a request must end within 0.001 s"),
        (("--chip", "furiosa_warboy", "--format", "fp16"), "can multiply (int8), not fp16"),
        (("--format", "fp8_e4m3", "--pim", "aim"), "must be of 16 bits for aim"),
        (("--format", "fp16", "--pim", "lpddr5x_pim"), "must be in FP8 for lpddr5x_pim"),
        (("--choose", "energy"), "--choose energy must have a --pim whose events somebody prices (hbm_pim, aim)"),
        (("--chip", "hbm_pim"), "is a memory"),
    ],
)
def test_cards_that_cannot_serve(
    capsys: pytest.CaptureFixture[str], config: Path, words: tuple[str, ...], text: str
) -> None:
    assert text in spoken(capsys, "serve", "--model", str(config), *words)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--batch", "0"), "--batch must be from 1 to 4096, not 0"),
        (("--workload", "digits"), "--workload must be a network, not 'digits'"),
        (("--chip", "warboy"), "furiosa_warboy"),
        (("--format", "fp7"), "a number format must be one of"),
        (("--scenario", "server", "--workload", "mobilenet_v2"), "--limit must be given in milliseconds"),
        (("--scenario", "server", "--limit", "0.01"), "a query must end within 0.01 ms to be served"),
        (("--scenario", "server", "--limit", "-5"), "a latency limit must be a time above 0 s, not -0.005"),
        (("--scenario", "server", "--limit", "nan"), "a latency limit must be a time above 0 s, not nan"),
    ],
)
def test_runs_that_make_no_sense(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], text: str) -> None:
    assert text in spoken(capsys, "device", *words)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--chip", "furiosa_rngd", "--longest", "nan"), "--longest must be a time above 0 s, not nan"),
        (("--chip", "furiosa_rngd", "--rates", "1", "nan"), "nan"),
        (("--site", "gwangju", "--failures", "nan"), "--failures must be from 0 to 365 of a card in a year, not nan"),
        (("--site", "gwangju", "--failures", "inf"), "--failures must be from 0 to 365 of a card in a year, not inf"),
    ],
)
def test_serving_numbers_that_are_none(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], text: str) -> None:
    assert text in spoken(capsys, "serve", *words)


@pytest.mark.parametrize("memory", ["nan", "inf", "0", "-1"])
def test_a_memory_that_is_no_size(capsys: pytest.CaptureFixture[str], memory: str) -> None:
    assert "memory of a card must be more than 0 GB" in spoken(capsys, "language", "gptj_6b", "--memory", memory)


@pytest.mark.parametrize(
    ("field", "value"), [("num_hidden_layers", 10**9), ("hidden_size", 10**12), ("vocab_size", 2**40)]
)
def test_a_configuration_out_of_all_bounds(
    capsys: pytest.CaptureFixture[str], config: Path, field: str, value: int
) -> None:
    fields = json.loads(config.read_text())
    config.write_text(json.dumps(fields | {field: value}))
    assert f"{field} of" in spoken(capsys, "language", str(config))


def test_a_configuration_nested_without_end(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    config.write_text("[" * 100_000)
    assert "must be complete JSON" in spoken(capsys, "language", str(config))


@pytest.mark.parametrize("shape", ["(100000000000000, 8)", "(999999999999, 99)"])
def test_an_array_whose_header_promises_too_much(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, shape: str
) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    path = tmp_path / "w.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(64))
    words = ["pim", "--chip", "aim", "--kernel", "gemv", "--weights", str(path), "--input", str(path), "--output", "y"]
    assert "must be a .npy array of numbers" in spoken(capsys, *words)


def test_wrong_options_of_a_kernel_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main("model", cli, ["cycles", "--kernel", "gemv", "--batch", "x"])
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("option", ["--ranks", "--channels", "--elements"])
def test_sizes_of_a_kernel_have_bounds(capsys: pytest.CaptureFixture[str], option: str) -> None:
    sizes = {"--elements": "64", option: str(10**40)}
    words = [word for pair in sizes.items() for word in pair]
    assert "must be at most" in spoken(capsys, "cycles", "--kernel", "add", *words)
