"""The overhead rules, one set for all chips. None is fitted to a benchmark result.

1. Array: cycles of the weight-stationary core's closed form, the one its RTL confirms; a layer is cut over the cores.
2. Depth: the array's depth holds channels of one position of the kernel, or of one row of it; what they leave of the
   depth is lost (no im2col in front of the array).
3. Feed: a word of activations enters a core once for each tile of columns it meets, or once for `packet_reuse` of
   them; where the fetch is narrower than the word, streaming takes as many times longer.
4. Memory: half of the scratchpads holds activations, half weights, so that the next is loaded while this is used.
   Weights stay from run to run if all of them fit their half; else every run reads each once. A layer whose inputs
   and outputs exceed their half reads and writes them in external memory. A layer takes the longer of arrays and
   memory, and before it the ramp: the first load of the arrays, their drain and the way through all cores.
5. Fusion: normalisation, bias and activation directly behind a product are done by the output stage at no cost;
   other element-wise work, pooling, softmax run on the vector engines after it, VECTOR_STEPS operations an element.
6. Layers follow one another for the whole batch, each after LAYER_START.
7. Host: inputs and outputs cross the link; while the next run computes if there is one (offline), else before and
   after it (single stream). Preparing inputs and choosing outputs on the host is not counted.
8. Dataflow: arrays hold weights; where the array is a hypothesis its high end may hold results, by the closed form of
   the output-stationary core, as is faster in each layer (`mapper.results_cycles`).
9. GPU: multiprocessors take whole tiles of results in waves (`tiles`), each kernel after the latency of global memory
   before its first and behind its last product. A chip with a base clock runs single queries at the clock of its
   peaks and full load halfway between the two (`model.card.multiprocessor`).
10. Server: Poisson arrivals into one queue, batches by the maker's published rule or whatever waits (`server`).
11. Cards: after attention and after the feed-forward part partial sums travel round a ring, 2 (cards - 1) / cards of
   them over each link, in 2 (cards - 1) steps of LINK_STEP.
"""

from hw.spec.fact import Fact

DRAM_EFFICIENCY = Fact(
    nominal=0.907,
    low=0.70,
    high=0.95,
    unit="1",
    confidence="inferred",
    source="plain streams of this project's HBM2 model: 364 of 3,900 cycles go to refresh; low: rows opened per 1 KB",
)

LAYER_START = Fact(
    nominal=1e-6,
    low=2e-7,
    high=2e-6,
    unit="s",
    confidence="assumed",
    source="time between two dependent layers: completion, next commands, barrier over the cores; nobody publishes it",
)

LINK_STEP = Fact(
    nominal=2e-6,
    low=1e-6,
    high=5e-6,
    unit="s",
    confidence="assumed",
    source="one step of a ring between cards: usual latencies of a peer-to-peer transfer over NVLink or PCIe",
)

VECTOR_STEPS = {
    "Softmax": 4,
    "LogSoftmax": 4,
    "LayerNormalization": 4,
    "RMSNormalization": 3,
    "RotaryEmbedding": 3,
    "Gelu": 4,
    "Swish": 3,
    "Sigmoid": 2,
    "Tanh": 2,
    "HardSwish": 2,
    "Mish": 4,
    "Erf": 2,
    "Exp": 1,
    "LRN": 3,
}
"""Vector operations per element; 1 for what is not named. Softmax: maximum, exponential, sum, scale."""

FUSED = frozenset(
    (
        "BatchNormalization",
        "Cast",
        "Clip",
        "DequantizeLinear",
        "Dropout",
        "Elu",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "PRelu",
        "QuantizeLinear",
        "Relu",
        "Selu",
        "Sigmoid",
        "Swish",
        "Tanh",
    )
)
"""Done by the output stage when they directly follow a matrix product or an element-wise operator."""

BATCHES = (1, 2, 4, 8, 16, 32)
"""Offline batches the mapper compares."""
