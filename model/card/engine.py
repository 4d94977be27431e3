"""What a serving engine adds to the card's work, and its limits: stated by its documents, one value for all cards."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from hw.base.error import InputError
from hw.spec.fact import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Overheads and default limits of one engine.

    Parameters
    ----------
    name, title : str
        Key in `ENGINES`, and what it is called for people.
    step : Fact
        Seconds of each iteration in which the devices wait for the host.
    per_sequence : Fact
        Seconds more for every running sequence.
    host, stream : Fact
        Seconds of host work of an iteration that runs beside the devices, and more for every token that is sent to a
        client at once; the longer of devices and host counts.
    wait : Fact
        Seconds that each sum or exchange between devices waits for the processes of all of them, beside what its links
        take, for each doubling of their number.
    graphs : bool
        A decode step is replayed from a recorded graph: its kernels start without the host.
    launch : Fact
        Seconds between the starts of kernels that are launched one by one; hidden behind longer kernels.
    eager : Fact
        Host seconds for each layer of an iteration with prompts, whose program no graph replays; the longer of devices
        and host counts.
    ahead : bool
        The host composes the next iteration while the devices run one: a request that arrives meanwhile waits for the
        one after.
    memory_share : Fact
        Part of the DRAM it takes ...
    share_of : "free" or "all"
        ... of what weights and activations leave, or of everything.
    tokens, sequences : int
        Tokens of one iteration and running sequences, if nothing else is said.
    block : int
        Tokens of a cache block.
    chunked : bool
        A prompt may be cut over iterations.
    evicts : bool
        A request may start before its whole answer has room, and be put back if the cache runs out.
    prefix_cache : bool
        Blocks of equal beginnings are kept, if nothing else is said.
    """

    name: str
    title: str
    step: Fact
    per_sequence: Fact
    host: Fact
    stream: Fact
    wait: Fact
    graphs: bool
    launch: Fact
    eager: Fact
    ahead: bool
    memory_share: Fact
    share_of: Literal["free", "all"]
    tokens: int
    sequences: int
    block: int
    chunked: bool
    evicts: bool
    prefix_cache: bool


_LAUNCH = Fact(
    nominal=5e-6,
    low=3e-6,
    high=8e-6,
    unit="s",
    confidence="secondary",
    source="time of one kernel launch from a framework (PyTorch documentation on CUDA graphs; recalled, not in a "
    "stored copy)",
)

_NOTHING = Fact(nominal=0.0, unit="s", confidence="assumed", source="not known, or in a process of its own")

_EAGER = Fact(
    nominal=5.6e-4,
    low=3e-4,
    high=8e-4,
    unit="s",
    confidence="inferred",
    source="prompts of 1,024 and 2,048 tokens hold up the steps of Llama 3.1 8B (32 layers) cut over 4 and over 8 H100 "
    "by the same 18 ms, at 8 to 32 requests and answers of 128 to 512 tokens (ai-dynamo/aiconfigurator 095f58a, "
    "TensorRT-LLM 1.0): a PyTorch program of some fifteen operators a layer that the host starts one by one",
)

_COMPILED = Fact(
    nominal=2e-4,
    low=1e-4,
    high=4e-4,
    unit="s",
    confidence="assumed",
    source="compiled pieces between the attentions of the layers (docs.vllm.ai, torch.compile integration): a few "
    "starts a layer from Python",
)

ENGINES: Mapping[str, Engine] = {
    "none": Engine(
        name="none",
        title="no engine: the card alone",
        step=Fact(nominal=0.0, unit="s", confidence="assumed", source="no host work"),
        per_sequence=Fact(nominal=0.0, unit="s", confidence="assumed", source="no host work"),
        host=_NOTHING,
        stream=_NOTHING,
        wait=_NOTHING,
        graphs=True,
        launch=_LAUNCH,
        eager=Fact(nominal=0.0, unit="s", confidence="assumed", source="no host work"),
        ahead=False,
        memory_share=Fact(
            nominal=0.95,
            low=0.9,
            high=1.0,
            unit="1",
            confidence="assumed",
            source="what runs beside the model needs some of the memory",
        ),
        share_of="free",
        tokens=8192,
        sequences=4096,
        block=1,
        chunked=True,
        evicts=False,
        prefix_cache=False,
    ),
    "trtllm": Engine(
        name="trtllm",
        title="TensorRT-LLM",
        step=Fact(
            nominal=5.8e-4,
            low=2e-4,
            high=1.2e-3,
            unit="s",
            confidence="measured",
            source="NVIDIA/TensorRT-LLM issue 13957: 580 us of host time an iteration in which the device is "
            "idle (Llama 3.1 8B on B200, 64 requests)",
        ),
        per_sequence=Fact(
            nominal=2e-6,
            low=0.0,
            high=6e-6,
            unit="s",
            confidence="inferred",
            source="NVIDIA/TensorRT-LLM pull request 16313: preparing inputs grows with the batch",
        ),
        host=Fact(
            nominal=2.2e-3,
            low=5e-4,
            high=3e-3,
            unit="s",
            confidence="inferred",
            source="steps of Llama 3.1 8B cut over 4 and over 8 H100 take the same 2.7 to 10 ms at 8 to 128 requests: "
            "the host's, not the cards' (ai-dynamo/aiconfigurator 095f58a, TensorRT-LLM 1.0)",
        ),
        stream=Fact(
            nominal=6e-5,
            low=2e-5,
            high=8e-5,
            unit="s",
            confidence="inferred",
            source="the slope of the same steps over the number of requests",
        ),
        wait=_NOTHING,
        graphs=True,
        launch=_LAUNCH,
        eager=_EAGER,
        ahead=True,
        memory_share=Fact(
            nominal=0.9,
            low=0.85,
            high=0.95,
            unit="1",
            confidence="vendor",
            source="nvidia.github.io/TensorRT-LLM/examples/kvcacheconfig.html: free_gpu_memory_fraction "
            "is 0.9 if not set",
        ),
        share_of="free",
        tokens=8192,
        sequences=2048,
        block=32,
        chunked=False,
        evicts=False,
        prefix_cache=True,
    ),
    "vllm": Engine(
        name="vllm",
        title="vLLM",
        step=Fact(
            nominal=2e-3,
            low=5e-4,
            high=4e-3,
            unit="s",
            confidence="inferred",
            source="vLLM blog 2024-09-05 and 2025-01-27: on H100 with Llama 8B a step of 5 ms of device time is "
            "38 % of the whole before 0.6, and host work is still prominent after it",
        ),
        per_sequence=Fact(
            nominal=2e-5,
            low=0.0,
            high=5e-5,
            unit="s",
            confidence="inferred",
            source="slope of the steps of Llama 3.1 70B on 8 H100 over 4 to 64 requests, beyond the cards' work "
            "(ai-dynamo/aiconfigurator 095f58a)",
        ),
        host=_NOTHING,
        stream=_NOTHING,
        wait=_NOTHING,
        graphs=True,
        launch=_LAUNCH,
        eager=_COMPILED,
        ahead=True,
        memory_share=Fact(
            nominal=0.9,
            low=0.9,
            high=0.95,
            unit="1",
            confidence="vendor",
            source="docs.vllm.ai, engine arguments: gpu_memory_utilization is 0.9 if not set",
        ),
        share_of="all",
        # vLLM's SchedulerConfig, and what the measured run was told; its server raises them where nobody says anything:
        # to 256 sequences, on cards of 70 GiB and more to 8,192 tokens and 1,024 (tests/engine/test_arg_utils.py)
        tokens=2048,
        sequences=128,
        block=16,
        chunked=True,
        evicts=True,
        prefix_cache=True,
    ),
    "sglang": Engine(
        name="sglang",
        title="SGLang",
        step=Fact(
            nominal=8e-4,
            low=2e-4,
            high=2e-3,
            unit="s",
            confidence="assumed",
            source="scheduling overlaps the device (SGLang blog 2024-12-04); what stays is taken as between the "
            "two others",
        ),
        per_sequence=Fact(nominal=3e-6, low=0.0, high=1e-5, unit="s", confidence="assumed", source="as the others"),
        host=_NOTHING,
        stream=_NOTHING,
        wait=_NOTHING,
        graphs=True,
        launch=_LAUNCH,
        eager=_EAGER,
        ahead=True,
        memory_share=Fact(
            nominal=0.88,
            low=0.8,
            high=0.9,
            unit="1",
            confidence="vendor",
            source="docs.sglang.ai, server arguments: mem_fraction_static, 0.88 on one card",
        ),
        share_of="all",
        tokens=8192,
        sequences=1024,
        block=1,
        chunked=True,
        evicts=True,
        prefix_cache=True,
    ),
}


BUILT = replace(
    ENGINES["trtllm"],
    name="trtllm_built",
    title="TensorRT-LLM, engine built ahead",
    eager=_NOTHING,
    wait=Fact(
        nominal=4.5e-5,
        low=2e-5,
        high=8e-5,
        unit="s",
        confidence="inferred",
        source="learnt from the 243 results of v0.14 and v0.15 on 2 to 8 cards: 42 to 46 us whichever of four of their "
        "five chips is left out, 80 us without the fifth; a round for each doubling fits better than one wait for all "
        "numbers of cards, or one for each other card; the steps of v1.0 show none",
    ),
)
"""TensorRT-LLM before 1.0 and in MLPerf: an engine built ahead, whose layers no host program starts; one process a
device, which meet at each sum without a recorded graph."""


def engine(name: str) -> Engine:
    """The engine `name`; `InputError` naming the known ones."""
    if name not in ENGINES:
        raise InputError(f"the engine must be one of {', '.join(ENGINES)}, not {name!r}")
    return ENGINES[name]
