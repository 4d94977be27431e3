"""ONNX import: operands beside the product that do not fit, attributes of a wrong type, what ONNX Runtime turns."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import model.cli
from hw.base.command_line import main
from hw.base.error import InputError
from model.network.onnx_file import read
from tests.support.onnx_graph import FLOAT, node, saved

RECURRENT = {"w": (1, 24, 5), "r": (1, 24, 6)}
CONV = {"w": (4, 3, 3, 3)}
BYTES = np.zeros((32, 2, 16), np.uint8)
ONE = np.array(1, np.float32)


def nbits(**attributes: int) -> onnx.NodeProto:
    return node(
        "MatMulNBits", "x b s", "y", domain="com.microsoft", **({"K": 64, "N": 32, "block_size": 32} | attributes)
    )


def quantised(bias: int) -> dict:
    zero = {"z": np.array(0, np.int8), "w": np.zeros((4, 3, 3, 3), np.int8), "b": np.zeros(bias, np.int32)}
    return {"s": ONE} | zero


WRONG = [
    (node("Conv", "x w b", "y"), [1, 3, 8, 8], CONV | {"b": (5,)}, r"bias must have the shape \[4\], not \[5\]"),
    (node("ConvTranspose", "x w b", "y", group=3), [1, 3, 8, 8], {"w": (3, 2, 3, 3), "b": (2,)}, r"the shape \[6\]"),
    (node("DeformConv", "x w o", "y"), [1, 3, 8, 8], CONV | {"o": (1, 17, 6, 6)}, "offsets must have 18 channels"),
    (node("FusedConv", "x w b", "y", domain="com.microsoft"), [1, 3, 8, 8], CONV | {"b": (3,)}, r"shape \[4\]"),
    (node("LSTM", "x w r b", "y"), [3, 2, 5], RECURRENT | {"b": (1, 47)}, r"bias must have the shape \[1, 48\]"),
    (node("LSTM", "x w r - n", "y"), [3, 2, 5], RECURRENT | {"n": np.zeros(3, np.int32)}, r"lengths must have .*\[2\]"),
    (node("LSTM", "x w r - - h", "y"), [3, 2, 5], RECURRENT | {"h": (1, 3, 6)}, r"first state must have .*\[1, 2, 6\]"),
    (
        node("LSTM", "x w r - - - c", "y"),
        [3, 2, 5],
        RECURRENT | {"c": (1, 2, 7)},
        r"first cell must have .*\[1, 2, 6\]",
    ),
    (node("LSTM", "x w r - - h", "y", layout=1), [2, 3, 5], RECURRENT | {"h": (1, 2, 6)}, r"\[2, 1, 6\]"),
    (nbits(N=33), [2, 64], {"b": BYTES, "s": (64,)}, "must hold 1056 bytes, N 33 x 2 blocks of 32 values in 4 bits"),
    (nbits(bits=8), [2, 64], {"b": BYTES, "s": (64,)}, "must hold 2048 bytes"),
    (nbits(block_size=0), [2, 64], {"b": BYTES, "s": (64,)}, "block_size must be a power of two of at least 16, not 0"),
    (nbits(), [2, 64], {"b": BYTES, "s": (65,)}, "scales must be 64, one a block of 32"),
    (node("LayerNormalization", "x s", "y"), [4, 8], {"s": (7,)}, r"scale must spread over the data \[4, 8\]"),
    (node("LayerNormalization", "x s b", "y"), [4, 8], {"s": (8,), "b": (3,)}, "bias must spread over the data"),
    (node("PRelu", "x s", "y"), [1, 4, 8, 8], {"s": (5, 1, 1)}, "slope must spread over the data"),
    (node("DepthToSpace", "x", "y", blocksize=2), [1, 6, 4, 4], {}, "6 channels must be a multiple of blocksize 2 sq"),
    (node("SpaceToDepth", "x", "y", blocksize=2), [1, 6, 5, 4], {}, "multiples of blocksize 2, not 5 and 4"),
    (node("Clip", "x a", "y"), [4, 8], {"a": (3,)}, "lower bound must be one value"),
    (node("LRN", "x", "y", size=-5), [1, 4, 8, 8], {}, "size must be at least 1, not -5"),
    (
        node("QuantizeLinear", "x s", "y", axis=1),
        [1, 4, 8],
        {"s": (5,)},
        "scales must be 4 as the data's axis 1, not 5",
    ),
    (node("QuantizeLinear", "x s", "y", axis=7), [1, 4, 8], {"s": (4,)}, "axis must be one of the data's 3, not 7"),
    (node("MaxPool", "x", "y", kernel_shape=[5, 5]), [1, 1, 4, 4], {}, "window must fit into the data at least once"),
    (node("Conv", "x w", "y", strides=[2, 2]), [1, 3, 8, 2], CONV, "not reach over 3 of 2"),
    (
        node("AveragePool", "x", "y", kernel_shape=[3, 3], strides=[2, 2]),
        [1, 1, 2, 9],
        {},
        "not reach over 3 of 2",
    ),
    (node("Conv", "x w", "y", group=[1]), [1, 3, 8, 8], CONV, r"group must be an integer, not \[1\]"),
    (node("Conv", "x w", "y", group="1"), [1, 3, 8, 8], CONV, "group must be an integer, not '1'"),
    (node("Conv", "x w", "y", kernel_shape=3), [1, 3, 8, 8], CONV, "kernel_shape must be a list of integers, not 3"),
    (node("Conv", "x w", "y", strides=[1.5, 1.0]), [1, 3, 8, 8], CONV, "strides must be a list of integers"),
    (node("Conv", "x w", "y", auto_pad=3), [1, 3, 8, 8], CONV, "auto_pad must be a text, not 3"),
    (node("Einsum", "x", "y", equation="ij->i"), [3, 4], {}, "it must have two operands, not 1"),
]


@pytest.mark.parametrize(("wrong", "shape", "constants", "reason"), WRONG)
def test_operands_that_do_not_fit_are_refused_by_name(
    tmp_path: Path, wrong: onnx.NodeProto, shape: list[int], constants: dict, reason: str
) -> None:
    opset = 19 if wrong.op_type == "DeformConv" else 17
    with pytest.raises(InputError, match=reason) as caught:
        read(saved(tmp_path, [wrong], {"x": shape}, ["y"], constants, opset=opset))
    assert "'n_y'" in str(caught.value)


def test_scales_of_constant_weights_fit_them(tmp_path: Path) -> None:
    nodes = [node("DequantizeLinear", "w s", "f", axis=0), node("MatMul", "x f", "y")]
    with pytest.raises(InputError, match=r"'n_f' .* scales must be 8 as the data's axis 0, not 7"):
        read(saved(tmp_path, nodes, {"x": [4, 8]}, ["y"], {"w": np.zeros((8, 5), np.uint8), "s": (7,)}))
    assert read(saved(tmp_path, nodes, {"x": [4, 8]}, ["y"], {"w": np.zeros((8, 5), np.uint8), "s": (8,)})).macs == 160


ATTENTION = [
    ("Attention", {}, ([2, 4, 16, 8], [2, 4, 16, 9], [2, 4, 16, 8]), "must be as wide, not 8 and 9"),
    ("Attention", {}, ([2, 4, 16, 8], [2, 3, 16, 8], [2, 3, 16, 8]), "4 heads must share the 3 key-value heads evenly"),
    ("Attention", {}, ([2, 4, 16, 8], [2, 4, 16, 8], [2, 4, 17, 8]), "must be a value for each key"),
    ("Attention", {}, ([2, 4, 16, 8], [3, 4, 16, 8], [3, 4, 16, 8]), "as many sequences, not of 2 and 3"),
    ("MultiHeadAttention", {"num_heads": 5}, ([2, 16, 32],) * 3, "32 values of a query must be 5 heads of one width"),
    ("MultiHeadAttention", {"num_heads": 0}, ([2, 16, 32],) * 3, "must be at least 1 of its heads, not 0"),
    (
        "GroupQueryAttention",
        {"num_heads": 4, "kv_num_heads": 2},
        ([1, 1, 32], [1, 1, 12], [1, 1, 12]),
        "2 heads of 8 values as the queries' are, not 12 values",
    ),
    ("Attention", {"num_heads": 4}, ([2, 16, 32], [31, 96], [96]), "weights must take the data's 32 values, not 31"),
    ("Attention", {"num_heads": 5}, ([2, 16, 32], [32, 96], [96]), "5 heads of one width"),
]


@pytest.mark.parametrize(("operator", "attributes", "shapes", "reason"), ATTENTION)
def test_attention_whose_shapes_do_not_fit_is_refused_by_name(
    tmp_path: Path, operator: str, attributes: dict, shapes: tuple, reason: str
) -> None:
    own = {} if operator == "Attention" and not attributes else {"domain": "com.microsoft"}
    inputs = dict(zip(("q", "k", "v"), shapes, strict=True))
    with pytest.raises(InputError, match=reason) as caught:
        read(saved(tmp_path, [node(operator, "q k v", "y", **attributes, **own)], inputs, ["y"], opset=23))
    assert "'n_y'" in str(caught.value)


def test_what_onnx_runtime_turns_is_turned_before_it_is_counted(tmp_path: Path) -> None:
    bytes_of = lambda *shape: np.zeros(shape, np.uint8)  # noqa: E731
    lstm = node("DynamicQuantizeLSTM", "x w r - - - - - s z s z", "y", domain="com.microsoft", hidden_size=6)
    weights = {"w": bytes_of(1, 5, 24), "r": bytes_of(1, 6, 24), "s": (1,), "z": bytes_of(1)}
    assert read(saved(tmp_path, [lstm], {"x": [3, 2, 5]}, ["y"], weights)).macs == 3 * 2 * 24 * (5 + 6)

    batch_last = node("FusedMatMul", "x w", "y", domain="com.microsoft", transBatchA=1)
    assert read(saved(tmp_path, [batch_last], {"x": [4, 2, 3, 5], "w": [2, 3, 5, 6]}, ["y"])).macs == 2 * 3 * 4 * 5 * 6

    fused = [
        node("FusedGemm", "x w", "h", domain="com.microsoft", activation="Relu"),
        node("MatMul", "h v", "y"),
    ]
    assert read(saved(tmp_path, fused, {"x": [3, 5]}, ["y"], {"w": (5, 4), "v": (4, 2)})).macs == 3 * 5 * 4 + 3 * 4 * 2
    conv = node("FusedConv", "x w", "y", domain="com.microsoft", activation="Relu")
    assert read(saved(tmp_path, [conv], {"x": [1, 3, 8, 8]}, ["y"], CONV)).macs == 36 * 4 * 27


@pytest.mark.parametrize(
    ("attributes", "bias", "reason"),
    [({}, 3, r"bias must have the shape \[4\]"), ({"channels_last": 1}, 4, "channels second, not last"), ({}, 4, None)],
)
def test_a_quantised_convolution_of_onnx_runtime(
    tmp_path: Path, attributes: dict, bias: int, reason: str | None
) -> None:
    conv = node("QLinearConv", "x s z w s z s z b", "y", domain="com.microsoft", **attributes)
    path = saved(tmp_path, [conv], {"x": [1, 3, 8, 8]}, ["y"], quantised(bias))
    proto = onnx.load(path)
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.INT8
    path.write_bytes(proto.SerializeToString())
    if reason is None:
        assert read(path).macs == 36 * 4 * 27
    else:
        with pytest.raises(InputError, match=reason):
            read(path)


def test_a_constant_declared_otherwise_one_that_is_there_twice_and_an_output_of_nothing(tmp_path: Path) -> None:
    product = [node("MatMul", "x w", "y")]
    with pytest.raises(InputError, match=r"the constant 'w' has \[8, 5\], the file declares it \[9, 8\]"):
        read(saved(tmp_path, product, {"x": [4, 8], "w": [9, 8]}, ["y"], {"w": (8, 5)}))
    with pytest.raises(InputError, match="nothing makes 'gone'"):
        read(saved(tmp_path, product, {"x": [4, 8]}, ["y", "gone"], {"w": (8, 5)}))
    path = saved(tmp_path, product, {"x": [4, 8]}, ["y"], {"w": (8, 5)})
    proto = onnx.load(path)
    proto.graph.initializer.append(helper.make_tensor("w", FLOAT, [8, 6], np.zeros(48, np.float32)))
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(InputError, match="constant 'w' is there twice"):
        read(path)


def test_what_is_not_known_has_a_share_though_its_result_has_no_shape(tmp_path: Path) -> None:
    routed = node("MoE", "x r a - c", "y", domain="com.microsoft", k=2)
    experts = {"a": (4, 8, 16), "c": (4, 16, 8), "w": (8, 8)}
    path = saved(tmp_path, [routed, node("MatMul", "y w", "z")], {"x": [6, 8], "r": [6, 4]}, ["z"], experts)
    network = read(path)
    assert network.macs == 6 * 8 * 8
    assert network.unsupported()["com.microsoft.MoE"][1] > 0.9
    split = [node("SplitToSequence", "x n", "q"), node("SequenceAt", "q i", "h"), node("MatMul", "h w", "y")]
    parts = {"n": np.array(2), "i": np.array(0), "w": (8, 3)}
    assert read(saved(tmp_path, split, {"x": [4, 8]}, ["y"], parts)).unsupported()["SplitToSequence"][1] > 0.1


def test_a_branch_reads_what_an_unknown_operator_makes(tmp_path: Path) -> None:
    inside = [
        helper.make_graph(
            [node("Relu", "h", f"o{i}")], "b", [], [helper.make_tensor_value_info(f"o{i}", FLOAT, [4, 8])]
        )
        for i in (1, 2)
    ]
    nodes = [
        node("Foo", "x", "h", domain="vendor"),
        node("If", "c", "i", then_branch=inside[0], else_branch=inside[1]),
        node("MatMul", "x w", "y"),
    ]
    opsets = [helper.make_opsetid("vendor", 1)]
    path = saved(tmp_path, nodes, {"x": [4, 8]}, ["y", "i"], {"c": np.array(True), "w": (8, 3)}, opsets=opsets)
    assert read(path).macs == 4 * 8 * 3


@pytest.mark.parametrize("recurrent", [False, True])
def test_cycles_and_predict_count_equal_products_of_a_layer_by_one_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], recurrent: bool
) -> None:
    gru = node("GRU", "x w r", "y", hidden_size=6)
    grouped = node("Conv", "x w", "y", group=4)
    shapes, constants = (
        ([3, 2, 5], {"w": (1, 18, 5), "r": (1, 18, 6)}) if recurrent else ([1, 4, 8, 8], {"w": (8, 1, 3, 3)})
    )
    path = saved(tmp_path, [gru if recurrent else grouped], {"x": shapes}, ["y"], constants)
    monkeypatch.chdir(tmp_path)
    counted = []
    for verb in ("cycles", "predict"):
        assert main("model", model.cli, [verb, "--chip", "npu_16", "--network", str(path), "--json"]) == 0
        counted.append(json.loads(capsys.readouterr().out))
    ours, predicted = counted
    assert ours["cycles"] == predicted["cycles"]
