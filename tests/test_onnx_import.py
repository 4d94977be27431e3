"""ONNX import: every shipped model, exact counts, lowering rules, refusals."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from hw.base.error import InputError
from model import workloads
from model.cli._network import parse_dimensions
from model.cli.network import totals
from model.network.layer import Network
from model.network.lower import products
from model.network.onnx_file import read
from model.network.resnet import resnet_50
from model.network.workload import shipped_with_onnx

# Multiply-accumulates at batch 1 with the padding of the files; AlexNet, VGG-19, GoogLeNet and SqueezeNet 1.0
# agree with the counts commonly published for them (0.65, 19.6, 1.43, 0.35 G).
SHIPPED = {
    "light_bvlc_alexnet": (654_560_384, 8),
    "light_densenet121": (2_834_161_664, 121),
    "light_inception_v1": (1_431_556_352, 58),
    "light_inception_v2": (2_018_851_840, 70),
    "light_resnet50": (4_089_184_256, 54),
    "light_shufflenet": (124_664_528, 50),
    "light_squeezenet": (349_151_936, 26),
    "light_vgg19": (19_632_062_464, 19),
    "light_zfnet512": (1_481_727_008, 8),
}


def model(nodes: list, inputs: dict, outputs: dict, weights: dict | None = None, opset: int = 17, **extra) -> bytes:
    """A serialised model; `weights` maps names to shapes of float initialisers."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
        [
            helper.make_tensor(n, TensorProto.FLOAT, s, bytes(4 * _size(s)), raw=True)
            for n, s in (weights or {}).items()
        ],
    )
    opsets = [helper.make_opsetid("", opset), *extra.get("opsets", [])]
    return helper.make_model(graph, opset_imports=opsets).SerializeToString()


def _size(shape) -> int:
    total = 1
    for s in shape:
        total *= s
    return total


def imported(tmp_path: Path, content: bytes, dimensions: dict[str, int] | None = None) -> Network:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    return read(path, dimensions)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_model_inside_the_onnx_package_imports_completely(name: str) -> None:
    network = read(shipped_with_onnx(name))
    macs, layers = SHIPPED[name]
    assert network.macs == macs
    assert len(network.gemms()) == layers
    assert network.unsupported() == {}


def test_all_149_files_inside_the_onnx_package_import_and_name_what_they_cannot() -> None:
    """Small graphs of single operators, PyTorch exports and sequences beside the nine networks."""
    files = sorted(shipped_with_onnx("x").parent.parent.rglob("*.onnx"))
    assert len(files) >= 149
    unknown: dict[str, float] = {}
    for path in files:
        dynamic = {"n": 1} if path.parent.name == "test_sequence_model8" else None
        network = read(path, dynamic)
        assert network.source == path.name
        for operator, (nodes, share) in network.unsupported().items():
            assert nodes >= 1
            assert 0 <= share <= 1
            unknown[operator] = max(share, unknown.get(operator, 0.0))
    # text and sequences are no work for a chip's arrays; every numeric operator of these files is known
    assert {o for o in unknown if "Sequence" not in o} <= {"StringNormalizer", "ai.onnx.preview.training.Gradient"}


def test_the_list_of_shipped_models_is_complete() -> None:
    folder = shipped_with_onnx("x").parent
    assert {p.stem for p in folder.glob("*.onnx")} == set(SHIPPED)


def test_resnet50_of_the_file_is_version_1_5_layer_by_layer() -> None:
    file, built = workloads.load("resnet50").gemms(), resnet_50("3x3").gemms()
    assert [(g.m, g.n, g.k, g.count) for g in file] == [(g.m, g.n, g.k, g.count) for g in built]


def test_resnet50_version_1_has_3_858_gmac_padded_and_3_480_unpadded() -> None:
    network = resnet_50("1x1")
    assert network.macs == 3_857_973_248
    assert sum(layer.macs for layer in network.layers if layer.operator == "Conv") == 3_855_925_248
    # SCALE-Sim 3.0.0's shipped ResNet-50 list (54 layers, no padding)
    assert network.unpadded_macs() == 3_479_536_384
    assert len(network.gemms()) == 54


def test_layers_carry_their_weights_names_and_padding() -> None:
    layers = [layer for layer in read(shipped_with_onnx("light_resnet50")).layers if layer.gemms]
    assert layers[0].name == "gpu_0/conv1"
    assert str(layers[0].window) == "7x7 / 2x2 pad 3,3,3,3"
    assert len({layer.name for layer in layers}) == len(layers)


def test_a_depthwise_convolution_is_one_narrow_product_per_channel(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], group=32, pads=[1, 1, 1, 1], kernel_shape=[3, 3])
    network = imported(tmp_path, model([node], {"x": [1, 32, 14, 14]}, {"y": None}, {"w": [32, 1, 3, 3]}))
    (gemm,) = network.gemms()
    assert (gemm.m, gemm.n, gemm.k, gemm.count) == (196, 1, 9, 32)


@pytest.mark.parametrize(("mode", "pads"), [("SAME_UPPER", (0, 1)), ("SAME_LOWER", (1, 0))])
def test_automatic_padding_puts_the_odd_element_where_its_name_says(
    tmp_path: Path, mode: str, pads: tuple[int, int]
) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], auto_pad=mode, strides=[2, 2], kernel_shape=[3, 3])
    network = imported(tmp_path, model([node], {"x": [1, 3, 300, 300]}, {"y": None}, {"w": [8, 3, 3, 3]}))
    window = network.layers[0].window
    assert window is not None
    assert window.pads == (pads, pads)
    assert network.gemms()[0].m == 150 * 150


def test_a_transposed_convolution_multiplies_every_input_position(tmp_path: Path) -> None:
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], kernel_shape=[2, 2])
    network = imported(tmp_path, model([node], {"x": [1, 16, 8, 8]}, {"y": None}, {"w": [16, 4, 2, 2]}))
    (gemm,) = network.gemms()
    assert (gemm.m, gemm.n, gemm.k) == (64, 16, 16)


def test_attention_products_repeat_per_head_and_are_not_stationary(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["q", "k"], ["s"]), helper.make_node("MatMul", ["s", "w"], ["y"])]
    inputs = {"q": [2, 12, 384, 64], "k": [2, 12, 64, 384]}
    network = imported(tmp_path, model(nodes, inputs, {"y": None}, {"w": [384, 10]}))
    first, second = network.gemms()
    assert (first.m, first.n, first.k, first.count) == (384, 384, 64, 24)
    assert (second.m, second.n, second.k, second.count) == (2 * 12 * 384, 10, 384, 1)
    assert [layer.stationary for layer in network.layers] == [False, True]
    twice = network.batched(2).gemms()
    assert (twice[0].m, twice[0].count) == (384, 48)
    assert (twice[1].m, twice[1].count) == (4 * 12 * 384, 1)


@pytest.mark.parametrize(
    ("operator", "attributes", "left", "right", "output", "expected"),
    [
        ("Gemm", {"transA": 1}, (64, 5), (64, 10), (5, 10), (5, 10, 64, 1)),
        ("Gemm", {"transB": 1}, (5, 64), (10, 64), (5, 10), (5, 10, 64, 1)),
        ("MatMul", {}, (7, 64), (64,), (7,), (7, 1, 64, 1)),
        ("MatMul", {}, (64,), (64, 3), (3,), (1, 3, 64, 1)),
        ("MatMul", {}, (8, 7, 64), (1, 64, 3), (8, 7, 3), (56, 3, 64, 1)),
        ("Einsum", {"equation": b"bhqd,bhkd->bhqk"}, (2, 4, 9, 8), (2, 4, 11, 8), (2, 4, 9, 11), (9, 11, 8, 8)),
        ("LSTM", {"hidden_size": 32}, (10, 2, 16), (1, 128, 16), (10, 1, 2, 32), (2, 128, 48, 10)),
        ("Conv", {"group": 1}, (4, 3, 9), (8, 3, 3), (4, 8, 7), (28, 8, 9, 1)),
    ],
)
def test_shapes_are_lowered_by_the_rule_of_their_operator(operator, attributes, left, right, output, expected) -> None:
    (gemm,) = products("x", operator, attributes, left, right, output)
    assert (gemm.m, gemm.n, gemm.k, gemm.count) == expected


def test_an_einsum_of_three_operands_is_refused() -> None:
    with pytest.raises(InputError, match="must have two operands of named axes and an explicit result"):
        products("x", "Einsum", {"equation": "a,b,c->abc"}, (1,), (1,), (1, 1, 1))


def test_unknown_operators_are_named_with_their_share_of_the_work(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("NonMaxSuppressionLike", ["h"], ["y"], domain="vendor.example"),
    ]
    content = model(
        nodes, {"x": [10, 20]}, {"y": [10, 30]}, {"w": [20, 30]}, opsets=[helper.make_opsetid("vendor.example", 1)]
    )
    network = imported(tmp_path, content)
    # 300 operations of one per output element beside 2 x 10 x 20 x 30 of the product
    assert network.unsupported() == {"vendor.example.NonMaxSuppressionLike": (1, 300 / 12300)}
    assert "vendor.example.NonMaxSuppressionLike (1 node, 2.44%, operator not described)" in totals(network)[-1]


def test_a_dynamic_dimension_needs_a_value_and_takes_it(tmp_path: Path) -> None:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    content = model([node], {"x": ["batch", 64]}, {"y": ["batch", 10]}, {"w": [64, 10]})
    with pytest.raises(InputError, match=r"batch has none, give it, e\.g\. --dimension batch=1$"):
        imported(tmp_path, content)
    assert imported(tmp_path, content, {"batch": 5}).gemms()[0].m == 5
    with pytest.raises(InputError, match="it has no length, leave it out"):
        imported(tmp_path, content, {"batch": 5, "length": 3})
    with pytest.raises(InputError, match="dimension 'batch' must be an integer of at least 1, not 0"):
        imported(tmp_path, content, {"batch": 0})


def test_a_nameless_dynamic_dimension_is_called_input_and_axis(tmp_path: Path) -> None:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    content = model([node], {"x": [None, 64]}, {"y": None}, {"w": [64, 10]})
    with pytest.raises(InputError, match=r"x\.0 has none"):
        imported(tmp_path, content)
    assert imported(tmp_path, content, {"x.0": 3}).gemms()[0].m == 3


def test_a_missing_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file, check the path"):
        read(tmp_path / "nothing.onnx")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a readable ONNX file"):
        read(tmp_path)


@pytest.mark.parametrize("fraction", [0.02, 0.3, 0.7, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, fraction: float) -> None:
    content = shipped_with_onnx("light_resnet50").read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(content[: int(len(content) * fraction)])
    with pytest.raises(InputError, match="truncated or another kind of file"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"\x00" * 100])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match="another kind of file"):
        read(path)


def test_weights_outside_the_file_are_not_needed(tmp_path: Path) -> None:
    proto = onnx.load_from_string(
        model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": [4, 64]}, {"y": None}, {"w": [64, 10]})
    )
    weights = proto.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="absent.bin")
    assert imported(tmp_path, proto.SerializeToString()).gemms()[0].k == 64


def test_shapes_only_workloads_say_so_when_operands_are_asked_for() -> None:
    with pytest.raises(InputError, match="shapes only, use `kcloud-cosim predict`"):
        workloads.load("resnet50").jobs(seed=1)


@pytest.mark.parametrize("text", ["batch", "=3", "batch=x", "batch=-1"])
def test_a_malformed_dimension_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="must be given as NAME=N"):
        parse_dimensions([text])


def test_a_batch_below_one_is_refused() -> None:
    with pytest.raises(InputError, match="a batch must be an integer of at least 1, not 0"):
        resnet_50("1x1").batched(0)


def test_a_dimension_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    """A flipped bit in the name of an open dimension: protobuf then hands out bytes."""
    content = model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": ["batch", 8]}, {"y": ["batch", 4]}, {"w": (8, 4)}
    )
    assert b"\x12\x05batch" in content
    with pytest.raises(InputError, match="must hold names that are text; it is damaged"):
        imported(tmp_path, content.replace(b"\x12\x05batch", b"\x12\x05\xffatch"))
