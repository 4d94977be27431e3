"""ONNX import: what shapes follow from, what hides work, what contradicts itself; the same answer from every verb."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import model.cli
from hw.base.command_line import main
from hw.base.error import InputError
from model.network.layer import Network
from model.network.onnx_file import read
from model.other_simulators import scalesim1
from model.work.workload import Gemm
from tests.support.onnx_graph import FLOAT, graph, node, saved


def branching(condition: dict) -> tuple[list, dict]:
    """first -> If (then: two products, else: one) -> last, sizes 8, 16, 32, 64 at 4 rows."""
    then = graph([node("MatMul", "h w1", "a")], {}, ["a"])
    other = graph([node("MatMul", "h w2", "b1"), node("MatMul", "b1 w3", "b")], {}, ["b"])
    nodes = [
        node("MatMul", "x w0", "h"),
        node("If", "c", "i", then_branch=then, else_branch=other),
        node("MatMul", "i w4", "y"),
    ]
    return nodes, {"w0": (8, 16), "w1": (16, 32), "w2": (16, 16), "w3": (16, 32), "w4": (32, 64)} | condition


@pytest.mark.parametrize(("taken", "extra"), [(True, 0), (False, 4 * 16 * 16)])
def test_a_branch_of_a_known_condition_is_counted(tmp_path: Path, taken: bool, extra: int) -> None:
    nodes, constants = branching({"c": np.array(taken)})
    assert read(saved(tmp_path, nodes, {"x": [4, 8]}, ["y"], constants)).macs == 10_752 + extra


def test_a_branch_that_the_run_chooses_is_refused_by_name(tmp_path: Path) -> None:
    nodes, constants = branching({})
    with pytest.raises(InputError, match=r"node 'n_i' \(If\) holds 3 in a body that the run chooses or repeats"):
        read(saved(tmp_path, nodes, {"x": [4, 8], "c": [1]}, ["y"], constants))


def test_a_loop_with_a_product_is_refused_and_one_without_is_named(tmp_path: Path) -> None:
    def loop(inner: list) -> Path:
        kinds = {"i": TensorProto.INT64, "go": TensorProto.BOOL}
        i, go = (helper.make_tensor_value_info(name, kind, []) for name, kind in kinds.items())
        v, o = (helper.make_tensor_value_info(n, FLOAT, [4, 4]) for n in "vo")
        body = helper.make_graph(inner, "body", [i, go, v], [go, o])
        nodes = [node("Loop", "m - x", "z", body=body), node("MatMul", "x w", "y")]
        return saved(tmp_path, nodes, {"x": [4, 4]}, ["z", "y"], {"m": np.array(7), "w": (4, 4)})

    with pytest.raises(InputError, match=r"node 'n_z' \(Loop\) holds 1 in a body"):
        read(loop([node("MatMul", "v w", "o")]))
    found = read(loop([node("Relu", "v", "o")]))
    assert found.macs == 64
    assert list(found.unsupported()) == ["Loop"]


def test_functions_of_the_file_are_written_out(tmp_path: Path) -> None:
    function = helper.make_function(
        "own",
        "Twice",
        ["a", "b"],
        ["d"],
        [node("MatMul", "a b", "c"), node("MatMul", "c b", "d")],
        [helper.make_opsetid("", 17)],
    )
    call = helper.make_node("Twice", ["x", "w"], ["y"], domain="own")
    path = saved(
        tmp_path,
        [call],
        {"x": [3, 8]},
        ["y"],
        {"w": (8, 8)},
        functions=[function],
        opsets=[helper.make_opsetid("own", 1)],
    )
    assert read(path).macs == 2 * 3 * 8 * 8


def test_shapes_that_follow_from_constants_and_shapes_are_worked_out(tmp_path: Path) -> None:
    nodes = [
        node("Concat", "p0 p1", "pc", axis=0),
        node("Cast", "pc", "p32", to=TensorProto.INT32),
        node("Cast", "p32", "p", to=TensorProto.INT64),
        node("Pad", "x p", "xp"),
        node("Conv", "xp w", "c"),
        node("Shape", "c", "s"),
        node("Gather", "s zero", "b", axis=0),
        node("Unsqueeze", "b front", "b1"),
        node("Concat", "b1 rest", "t", axis=0),
        node("Reshape", "c t", "flat"),
        node("MatMul", "flat v", "y"),
    ]
    constants = {
        "p0": np.array([0, 0, 2]),
        "p1": np.array([0, 0, 2]),
        "w": (4, 1, 5),
        "zero": np.array(0),
        "front": np.array([0]),
        "rest": np.array([-1]),
        "v": (256, 10),
    }
    found = read(saved(tmp_path, nodes, {"x": [3, 1, 64]}, ["y"], constants))
    assert [(g.m, g.n, g.k) for g in found.gemms()] == [(3 * 64, 4, 5), (3, 10, 256)]
    assert [layer.operator for layer in found.layers] == ["Pad", "Conv", "Reshape", "MatMul"]  # shapes are no work


def external(path: Path, name: str, location: str, **where: str) -> None:
    """Move the constant `name` of a saved model into the file `location` beside it."""
    proto = onnx.load(path)
    (tensor,) = [t for t in proto.graph.initializer if t.name == name]
    content = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "0", "length": str(len(content))}.items():
        tensor.external_data.add(key=key, value=where.get(key, value))
    path.write_bytes(proto.SerializeToString())
    if "/" not in location:
        (path.parent / location).write_bytes(content)


def reshaping(folder: Path) -> Path:
    nodes = [node("Reshape", "x s", "r"), node("MatMul", "r w", "y")]
    return saved(folder, nodes, {"x": [8, 4, 16]}, ["y"], {"s": np.array([32, 16]), "w": (16, 40)})


def test_a_constant_beside_the_file_is_read(tmp_path: Path) -> None:
    path = reshaping(tmp_path)
    external(path, "s", "shape.bin")
    (gemm,) = read(path).gemms()
    assert (gemm.m, gemm.n, gemm.k) == (32, 40, 16)


@pytest.mark.parametrize(
    ("location", "where", "reason"),
    [
        ("../shape.bin", {}, r"must lie in a file beside the model, not in '\.\./shape\.bin'"),
        ("/etc/hostname", {}, "must lie in a file beside the model"),
        ("shape.bin", {"length": "64"}, "must hold the 64 bytes of the constant 's' of net.onnx, it ends after 16"),
        ("shape.bin", {"offset": "x"}, "must have an offset and a length in bytes"),
        ("gone.bin", {}, r"gone\.bin, which holds the constant 's' of net\.onnx, must lie beside the model"),
    ],
)
def test_a_constant_that_a_shape_needs_says_what_is_wrong_with_it(
    tmp_path: Path, location: str, where: dict[str, str], reason: str
) -> None:
    path = reshaping(tmp_path)
    external(path, "s", location, **where)
    if location == "gone.bin":
        (tmp_path / "gone.bin").unlink()
    with pytest.raises(InputError, match=reason):
        read(path)


def test_axes_without_a_real_name_are_given_one_by_one(tmp_path: Path) -> None:
    path = saved(
        tmp_path, [node("Conv", "x w", "y", pads=[1, 1, 1, 1])], {"x": [1, 3, "?", "?"]}, ["y"], {"w": (8, 3, 3, 3)}
    )
    with pytest.raises(InputError, match=r"x\.2, x\.3 have none, give them, e\.g\. --dimension x\.2=1"):
        read(path)
    assert read(path, {"x.2": 48, "x.3": 192}).macs == 48 * 192 * 8 * 27


@pytest.mark.parametrize("operator", ["GRU", "LSTM", "RNN"])
def test_layout_1_is_the_same_work_with_the_batch_first(tmp_path: Path, operator: str) -> None:
    gates = {"GRU": 3, "LSTM": 4, "RNN": 1}[operator]

    def one(shape: list[int], **layout: int) -> Network:
        recurrent = node(operator, "x W R", "y", hidden_size=16, **layout)
        constants = {"W": (1, gates * 16, 8), "R": (1, gates * 16, 16)}
        return read(saved(tmp_path, [recurrent], {"x": shape}, ["y"], constants))

    assert one([5, 100, 8], layout=1).gemms() == one([100, 5, 8]).gemms()
    assert one([100, 5, 8]).gemms()[0].count == 100


def test_products_of_onnx_runtime_are_products(tmp_path: Path) -> None:
    nodes = [
        node("MatMul", "x w", "a"),
        node("MatMulNBits", "a packed scales", "b", domain="com.microsoft", K=256, N=96, bits=4, block_size=32),
        node("SimplifiedLayerNormalization", "b gain", "c", domain="com.microsoft"),
        node("FusedMatMul", "c v", "d", domain="com.microsoft", transB=1),
    ]
    constants = {
        "w": (16, 256),
        "packed": np.zeros((96, 8, 16), np.uint8),
        "scales": (96 * 8,),
        "gain": (96,),
        "v": (12, 96),
    }
    found = read(saved(tmp_path, nodes, {"x": [2, 5, 16]}, ["d"], constants))
    assert [(g.m, g.n, g.k) for g in found.gemms()] == [(10, 256, 16), (10, 96, 256), (10, 12, 96)]
    assert found.unsupported() == {}
    assert found.layers[1].weight_elements == 96 * 256


def test_grouped_attention_is_its_two_products(tmp_path: Path) -> None:
    attention = node(
        "GroupQueryAttention", "q k v past_k past_v", "y", domain="com.microsoft", num_heads=8, kv_num_heads=2
    )
    inputs = {"q": [1, 1, 128], "k": [1, 1, 32], "v": [1, 1, 32], "past_k": [1, 2, 99, 16], "past_v": [1, 2, 99, 16]}
    found = read(saved(tmp_path, [attention], inputs, ["y"]))
    assert [(g.m, g.n, g.k, g.count) for g in found.gemms()] == [(1, 100, 16, 8), (1, 16, 100, 8)]


def test_an_unknown_operator_with_weights_is_not_taken_for_one_operation_per_element(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "a"), node("Secret", "a v", "y", domain="vendor")]
    path = saved(
        tmp_path,
        nodes,
        {"x": [4, 16]},
        ["y"],
        {"w": (16, 256), "v": (256, 256)},
        opsets=[helper.make_opsetid("vendor", 1)],
    )
    proto = onnx.load(path)
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", FLOAT, [4, 256]))
    path.write_bytes(proto.SerializeToString())
    nodes_of, share = read(path).unsupported()["vendor.Secret"]
    assert (nodes_of, share) == (1, pytest.approx(256 / (256 + 16)))


CONTRADICTIONS = [
    (node("MatMul", "x w", "y"), [1, 8], {"w": (9, 8)}, "terms of both operands must be as many, not 8 and 9"),
    (node("MatMul", "x w", "y"), [2, 3, 8], {"w": (4, 8, 8)}, "leading axes must be equal or 1"),
    (node("MatMul", "x w", "y"), [1, 8], {"w": ()}, "at least one axis"),
    (node("Gemm", "x w", "y"), [4, 8], {"w": ()}, "both operands must have two axes"),
    (node("Gemm", "x w", "y"), [4, 8], {"w": (9, 3)}, "not 8 and 9"),
    (node("Gemm", "x w b", "y"), [4, 8], {"w": (8, 3), "b": (5,)}, r"spread over the result \[4, 3\]"),
    (node("Conv", "x w", "y", kernel_shape=[5, 5]), [1, 3, 8, 8], {"w": (4, 3, 3, 3)}, "kernel_shape must be that of"),
    (node("Conv", "x w", "y", group=7), [1, 3, 8, 8], {"w": (4, 3, 3, 3)}, "3 channels must be the weights' 3 times 7"),
    (node("Conv", "x w", "y", group=0), [1, 3, 8, 8], {"w": (4, 3, 3, 3)}, "group must be at least 1, not 0"),
    (node("Conv", "x w", "y", group=3), [1, 3, 8, 8], {"w": (4, 1, 3, 3)}, "must fall into 3 equal groups"),
    (node("Conv", "x w", "y", auto_pad="WRONG"), [1, 3, 8, 8], {"w": (4, 3, 3, 3)}, "auto_pad must be one of"),
    (node("Conv", "x w", "y", strides=[0, 1]), [1, 3, 8, 8], {"w": (4, 3, 3, 3)}, "strides must be at least 1"),
    (node("Conv", "x w", "y", pads=[1, 1]), [1, 3, 8, 8], {"w": (4, 3, 3, 3)}, "pads must have 4 values"),
    (node("Conv", "x w", "y"), [1, 3, 8, 8], {"w": (4, 3, 3)}, "as many axes as the data"),
    (node("Conv", "x", "y", kernel_shape=[3, 3]), [1, 3, 8, 8], {}, "must have at least 2 inputs, not 1"),
    (node("ConvTranspose", "x w", "y"), [1, 5, 8, 8], {"w": (4, 3, 3, 3)}, "data's 5 channels"),
    (node("MaxPool", "x", "y", kernel_shape=[2, 2, 2]), [1, 3, 8, 8], {}, "kernel_shape must have 2 values"),
    (node("GRU", "x w r", "y", hidden_size=16), [9, 1, 8], {"w": (1, 48, 7), "r": (1, 48, 16)}, "take the data's 8"),
    (node("GRU", "x w r", "y", hidden_size=15), [9, 1, 8], {"w": (1, 48, 8), "r": (1, 48, 16)}, "3 x hidden_size 15"),
    (node("Einsum", "x w", "y", equation="ab,bc->ac"), [4, 8], {"w": (9, 3)}, "must have one size, not 8 and 9|[Ii]nc"),
    (node("Add", "x w", "y"), [4, 8], {"w": (3,)}, "Incompatible dimensions"),
    (node("Concat", "x w", "y", axis=0), [4, 8], {"w": (4, 9)}, "n_y"),
    (node("Reshape", "x w", "y"), [4, 8], {"w": np.array([5, 7])}, "32 elements must stay as many, not become 35"),
    (node("BatchNormalization", "x w w w w", "y"), [1, 3, 8, 8], {"w": (4,)}, "must be 3 as the channels"),
    (
        node("MatMulNBits", "x w s", "y", domain="com.microsoft", K=9, N=4),
        [4, 8],
        {"w": (4, 1, 16), "s": (4,)},
        "K must be the data's 8",
    ),
]


@pytest.mark.parametrize(("wrong", "shape", "constants", "reason"), CONTRADICTIONS)
def test_shapes_that_contradict_each_other_are_refused_by_name(
    tmp_path: Path, wrong: onnx.NodeProto, shape: list[int], constants: dict, reason: str
) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        read(saved(tmp_path, [wrong], {"x": shape}, ["y"], constants))
    assert "'n_y'" in str(caught.value)


def test_a_declared_shape_that_nothing_makes_is_refused(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        [node("MatMul", "x w", "h"), node("Relu", "h", "y")],
        {"x": [4, 8]},
        ["y"],
        {"w": (8, 3)},
        value_info=[helper.make_tensor_value_info("h", FLOAT, [4, 5])],
    )
    with pytest.raises(InputError, match=r"'n_h' \(MatMul\) makes 'h' \[4, 3\], the file declares it \[4, 5\]"):
        read(path)


def test_circles_and_missing_and_doubled_tensors_are_refused_by_name(tmp_path: Path) -> None:
    nodes = [node("Relu", "b", "a"), node("Relu", "a", "b"), node("Relu", "x", "y")]
    with pytest.raises(InputError, match=r"'n_a' \(Relu\), 'n_b' \(Relu\) do, in a circle"):
        read(saved(tmp_path, nodes, {"x": [4]}, ["y"]))
    with pytest.raises(InputError, match=r"node 'n_y' .* nothing makes 'gone'"):
        read(saved(tmp_path, [node("Add", "x gone", "y")], {"x": [4]}, ["y"]))
    with pytest.raises(InputError, match="'y' is made again by node 'n_y'"):
        read(saved(tmp_path, [node("Relu", "x", "y"), node("Abs", "x", "y")], {"x": [4]}, ["y"]))


def test_nodes_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    nodes = [node("MatMul", "h v", "y"), node("MatMul", "x w", "h")]
    found = read(saved(tmp_path, nodes, {"x": [2, 3]}, ["y"], {"w": (3, 4), "v": (4, 5)}))
    assert [layer.name for layer in found.layers] == ["n_h", "n_y"]


def test_every_verb_takes_the_same_file_with_the_same_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = [node("MatMul", "x w", "h"), node("Softmax", "h", "s"), node("Secret", "s v", "y", domain="vendor")]
    path = saved(
        tmp_path,
        nodes,
        {"x": ["batch", 64]},
        ["y"],
        {"w": (64, 32), "v": (32, 32)},
        opsets=[helper.make_opsetid("vendor", 1)],
    )
    monkeypatch.chdir(tmp_path)
    for verb in (["network"], ["cycles"], ["predict"]):
        assert main("model", model.cli, [*verb, "--network", str(path)]) == 2
        assert "--dimension batch=1" in capsys.readouterr().err
        assert main("model", model.cli, [*verb, "--network", str(path), "--dimension", "batch=4"]) == 0
        assert "vendor.Secret (1 node" in capsys.readouterr().out
    assert main("model", model.cli, ["device", "--network", str(path), "--dimension", "batch=4"]) == 2
    assert "vendor.Secret is not" in capsys.readouterr().err
    assert main("model", model.cli, ["network", str(path), "--dimension", "batch=4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["macs"] == 4 * 64 * 32


def test_a_network_without_a_product_and_files_of_other_kinds_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path, [node("Relu", "x", "y")], {"x": [4]}, ["y"])
    for verb in ("cycles", "predict"):
        assert main("model", model.cli, [verb, "--network", str(path)]) == 2
        assert "must hold a matrix product or a convolution" in capsys.readouterr().err
    layers = tmp_path / "layers.csv"
    layers.write_text("name,m,n,k\n")
    assert main("model", model.cli, ["cycles", "--network", str(layers)]) == 2
    assert "must list at least one layer" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["cycles", "--gemm", f"{10**40},8,8"],
        ["cycles", "--gemm", f"8,{10**40},8"],
        ["cycles", "--conv", f"9,9,{10**40},1,1,1"],
        ["cycles", "--conv", f"9,9,1,1,1,1,{10**40}"],
        ["cycles", "--gemm", "8,8,8", "--rows", str(10**40)],
    ],
)
def test_sizes_have_bounds(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main("model", model.cli, words) == 2
    assert "must be" in capsys.readouterr().err


def test_the_largest_sizes_end(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--gemm", f"{2**40},{2**40 - 1},1000", "--rows", "2", "--columns", "2"]
    assert main("model", model.cli, ["cycles", *words]) == 0


def test_scale_sim_1_counts_its_column_folds_as_its_loop_does() -> None:
    """The tool's own loop over column folds, beside the closed form."""
    for m, n, k, rows, columns in ((7, 70, 3, 4, 8), (70, 33, 1, 16, 16), (100, 5, 40, 8, 2), (9, 65, 9, 16, 4)):
        load = skew = drain = stream = 0
        windows = max(1, rows // k)
        for v in range(-(-n // (windows * columns if rows >= k else columns))):
            width = windows * columns if rows >= k else columns
            left = n - v * width
            used = min(windows, -(-left // columns)) if rows >= k else 1
            count = 1 if rows >= k else -(-k // rows)
            load, skew, stream = load + k * used, skew + k, stream + count * m
            drain += (columns if used > 1 else min(left, columns)) * count
        found = {t.label: t.cycles for t in scalesim1.rule(Gemm(name="", m=m, n=n, k=k), rows, columns, "ws").terms}
        assert found == {"load": load, "stream": stream, "fill": skew, "drain": drain}
