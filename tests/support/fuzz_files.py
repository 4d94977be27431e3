"""Files for `tests.support.fuzz`: right ones, and the same with something wrong in them."""

import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
SIZES = (1, 2, 3, 4, 7, 8, 16, 33, 64)
HUGE = (0, -1, 2**31, 2**40, 2**62, 2**63 - 1)
JUNK: tuple[Any, ...] = (None, True, "", "no", [], {}, [1], -1, 0, 1e308, "12", 2**70, float("nan"), 10**12, "\u0000")

CONFIG = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 100,
    "tie_word_embeddings": False,
}
CHIP = {
    "title": "drawn",
    "core": {
        "array": {"rows": 8, "columns": 8},
        "activation_words": 4096,
        "weight_words": 4096,
        "accumulator_rows": 256,
        "output_words": 4096,
    },
    "clock": {"nominal": 1.0, "unit": "GHz", "confidence": "assumed", "source": "drawn"},
}


def damaged(rng: random.Random, content: bytes) -> bytes:
    """`content` cut, with bytes changed, doubled or as it is."""
    kind = rng.randrange(5)
    if not content or kind == 0:
        return content[: rng.randrange(len(content) + 1)]
    if kind == 1:
        changed = bytearray(content)
        for _ in range(rng.randrange(1, 6)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed)
    if kind == 2:
        at = rng.randrange(len(content))
        return content[:at] + content[at : at + 40] * 3 + content[at:]
    if kind == 3:
        return rng.randbytes(rng.randrange(200))
    return content


def onnx_model(rng: random.Random) -> bytes:
    """A chain of nodes whose shapes fit, or nearly."""
    off = lambda size: size if rng.random() < 0.97 else rng.choice((*HUGE, *SIZES))  # noqa: E731
    nodes: list[onnx.NodeProto] = []
    weights: dict[str, np.ndarray | list[int]] = {}
    shape: list[Any] = [off(rng.choice(SIZES)) for _ in range(rng.choice((2, 2, 3, 4, 4)))]
    first: list[Any] = [s if rng.random() < 0.9 else rng.choice(("n", "?", None)) for s in shape]
    at = "x"
    for index in range(rng.randrange(1, 6)):
        out, kind = (
            f"t{index}",
            rng.choice(("MatMul", "Gemm", "Conv", "Relu", "Add", "Reshape", "GRU", "Odd", "If", "Pad")),
        )
        inputs, extra, domain = [at], {}, ""
        width = off(rng.choice(SIZES))
        if kind in ("MatMul", "Gemm"):
            weights[f"w{index}"] = [off(shape[-1] if shape else 1), width]
            inputs.append(f"w{index}")
            shape = [*shape[:-1], width]
        elif kind == "Conv":
            k = rng.choice((1, 3))
            weights[f"w{index}"] = [width, off(shape[1] if len(shape) > 1 else 1), *[k] * max(0, len(shape) - 2)]
            inputs.append(f"w{index}")
            extra = rng.choice(({}, {"group": rng.choice((0, 1, 2, -3))}, {"auto_pad": "SAME_UPPER"},
                                {"strides": [rng.choice((0, 1, 2))] * 2}, {"kernel_shape": [k, 5]}))  # fmt: skip
        elif kind == "Reshape":
            weights[f"w{index}"] = np.array([rng.choice((-1, 0, 1, 8, 10**9)) for _ in range(rng.randrange(1, 4))])
            inputs.append(f"w{index}")
        elif kind == "GRU":
            hidden = rng.choice((4, 8))
            weights[f"w{index}"] = [1, 3 * hidden, off(shape[-1] if shape else 1)]
            weights[f"r{index}"] = [1, 3 * hidden, hidden]
            inputs += [f"w{index}", f"r{index}"]
            extra = {"hidden_size": hidden, "layout": rng.choice((0, 1, 2))}
        elif kind == "Odd":
            domain = rng.choice(("vendor", "com.microsoft"))
            kind = rng.choice(("Odd", "MatMulNBits", "FusedMatMul", "MultiHeadAttention", "Attention"))
            extra = rng.choice(({}, {"K": shape[-1] if shape else 1, "N": 8}, {"num_heads": rng.choice((0, 2))}))
        elif kind == "If":
            weights["c"] = np.array(rng.random() < 0.5)
            inner = helper.make_graph([helper.make_node("Relu", [at], ["i"])], "b", [],
                                      [helper.make_tensor_value_info("i", FLOAT, None)])  # fmt: skip
            inputs, extra = [rng.choice(("c", at))], {"then_branch": inner, "else_branch": inner}
        elif kind == "Add":
            inputs.append(rng.choice((at, "x")))
        elif kind == "Pad":
            weights[f"w{index}"] = np.array([rng.choice((0, 1, 10**15))] * 2 * len(shape), np.int64)
            inputs.append(f"w{index}")
        if rng.random() < 0.03:
            inputs = rng.choice(([], [""], [*inputs, "gone"], [out]))
        nodes.append(helper.make_node(kind, inputs, [out], domain=domain, **extra))
        at = out
    stored = []
    for name, value in weights.items():
        if isinstance(value, np.ndarray):
            stored.append(numpy_helper.from_array(value, name))
        else:
            tensor = TensorProto(name=name, data_type=FLOAT)
            tensor.dims.extend(value)
            if all(0 <= v <= 64 for v in value) and rng.random() < 0.3:
                tensor.raw_data = bytes(4 * int(np.prod(value)))
            stored.append(tensor)
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", FLOAT, first)],
                              [helper.make_tensor_value_info(at, FLOAT, None)], stored)  # fmt: skip
    opsets = [helper.make_opsetid("", rng.choice((9, 13, 17, 21))), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets).SerializeToString()


def array(rng: random.Random) -> bytes:
    """A .npy file: of numbers, of the wrong kind, or one whose header promises too much."""
    kind = rng.randrange(6)
    if kind == 0:
        shape = f"({10 ** rng.randrange(6, 15)}, {rng.choice(SIZES)})"
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
        content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
        return content + bytes(64)
    axes = [rng.choice(SIZES) for _ in range(rng.choice((1, 2, 2, 3)))]
    value = np.random.default_rng(rng.randrange(2**31)).normal(size=axes)
    if kind == 1:
        value = value * rng.choice((1e300, np.inf, np.nan, 0.0))
    buffer = io.BytesIO()
    with np.errstate(all="ignore"):
        value = value.astype(rng.choice(("f4", "f2", "f8", "i4", "u2", "c8", "?", "S3")))
    np.save(buffer, value)
    return buffer.getvalue()


def changed(rng: random.Random, fields: dict[str, Any]) -> str:
    """JSON of `fields` with some replaced, removed or added at any depth."""
    if rng.random() < 0.02:
        return "[" * 100_000
    made = json.loads(json.dumps(fields))
    for _ in range(rng.randrange(3)):
        at = made
        while isinstance(at, dict) and at:
            key = rng.choice(sorted(at))
            if isinstance(at[key], dict) and at[key] and rng.random() < 0.7:
                at = at[key]
                continue
            action = rng.randrange(4)
            if action == 0:
                del at[key]
            elif action == 1:
                at[key + rng.choice("sx_")] = at.pop(key)
            else:
                at[key] = rng.choice((*JUNK, *SIZES))
            break
    return json.dumps(made)


def write(rng: random.Random, folder: Path, kind: str) -> Path:
    """A drawn file of a kind: onnx, npy, config, chip, hex or text."""
    names = {"onnx": "net.onnx", "npy": "a.npy", "config": "config.json", "chip": "drawn.json", "python": "drawn.py",
             "hex": "words.hex", "text": "program.txt"}  # fmt: skip
    path = folder / names[kind]
    if kind == "onnx":
        content = onnx_model(rng)
    elif kind == "npy":
        content = array(rng)
    elif kind in ("config", "chip"):
        content = changed(rng, CONFIG if kind == "config" else CHIP).encode()
    elif kind == "python":
        line = rng.choice(("CHIP = 5", "CHIP = Chip(", "1/0", "import nothing_here", "CHIP = Chip(title=None)",
                           "import sys; sys.exit(0)", "CHIP = Chip(titel='x')", "raise KeyError(3)"))  # fmt: skip
        content = f"from hw.spec.chip import Chip\n{line}\n".encode()
    else:
        content = "\n".join(rng.choice(("0x00000000", "fffffffff", "MAC", "JUMP 1 2", "zz", "NOP", "ADD GRF_A[1]"))
                            for _ in range(rng.randrange(9))).encode()  # fmt: skip
    path.write_bytes(damaged(rng, content) if rng.random() < 0.25 else content)
    return path
