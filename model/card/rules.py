"""The overhead rules, one set for all chips. None is fitted to a benchmark result.

1. Array: cycles of the weight-stationary core's closed form, the one its RTL confirms; a layer is cut over the cores.
2. Depth: the array's depth holds channels of one position of the kernel, or of one row of it; what they leave of the
   depth is lost (no im2col in front of the array). Groups of few channels lie along the array's diagonal.
3. Feed: a word of activations enters a core once for each tile of columns it meets, or once for `packet_reuse` of
   them; where the fetch is narrower than the word, streaming takes as many times longer.
4. Memory: half of the scratchpads holds activations, half weights, so that the next is loaded while this is used.
   Weights stay from run to run if all of them fit their half; else every run reads each once. A layer whose inputs
   and outputs exceed their half reads and writes them in external memory. A layer takes the longer of arrays and
   memory, and before it the ramp: the first load of the arrays, their drain and the way through all cores. Open: that
   loads are not hidden, that weights do not stay.
5. Choice of boxes (`selection`): a detector's scores in 32 bits, SCORE_TRAFFIC bytes each, sorted lists and overlaps, a
   box of a list CHOICE_STEP cycles behind the one before.
   Fusion (`fusion`): normalisation, bias, simple activations and one addition directly behind a product are done by the
   output stage, a function with exponentials in VECTOR_STEPS operations an element on the vector engines while the
   arrays go on; attention's scores stay on the chip. Other element-wise work, pooling and softmax run on the vector
   engines after it. Open: additions and functions as passes of their own.
6. Layers follow one another for the whole batch, each after LAYER_START.
7. Host: inputs and outputs cross the link; while the next run computes if there is one (offline), else before and
   after it (single stream), with QUERY_HOST to hand the query over and see its end. On a GPU each kernel of a single
   query waits KERNEL_LAUNCH for the one before. Preparing inputs is not counted.
8. Dataflow: arrays hold weights; where the array is a hypothesis its high end may hold results, by the closed form of
   the output-stationary core, as is faster in each layer (`mapper.results_cycles`). Grouped products go to the faster
   of arrays and vector engines; open: the slower.
9. GPU: multiprocessors take whole tiles of results in waves (`gpu_tiles`), each kernel after the latency of global
   memory before its first and behind its last product; of the shorter of arrays and memory UNHIDDEN is not hidden
   behind the longer. The power limit sets the clock between base and highest
   (`power_clock`).
10. Server: Poisson arrivals into one queue, batches by the maker's published rule or whatever waits (`server`).
11. Cards: after attention and after the feed-forward part partial sums are added over all devices: on PCIe round a ring
   of 2 (devices - 1) steps, on switched links in two steps, or in one where each device reads all others' (`links`).
   Each transfer takes COLLECTIVE_START, each step LINK_STEP, and its bytes the part of the line rate that transfers
   reach; through the hosts' PCIe more than 4 devices have PCIE_FAR_SHARE of it.
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

MIXED_TRAFFIC = Fact(
    nominal=0.93,
    low=0.85,
    high=1.0,
    unit="1",
    confidence="measured",
    source="reads and writes mixed over plain reads, of activations that leave the chip: copies of 256 MB to 1 GB run "
    "at 0.89 (GDDR6, 230 of 259 GB/s) to 0.97 (HBM2e, 1,459 of 1,513 GB/s) of a sum's speed (Hugging Face, data set "
    "shubhamk1729/gpu-microbench)",
)

LAYER_START = Fact(
    nominal=1e-6,
    low=2e-7,
    high=2e-6,
    unit="s",
    confidence="assumed",
    source="time between two dependent layers: completion, next commands, barrier over the cores; nobody publishes it",
)

QUERY_HOST = Fact(
    nominal=2e-5,
    low=5e-6,
    high=1e-4,
    unit="s",
    confidence="assumed",
    source="a query handed to a card and its end seen: a write over PCIe, an interrupt or a poll, a thread that wakes",
)

KERNEL_LAUNCH = Fact(
    nominal=3e-6,
    low=1e-6,
    high=8e-6,
    unit="s",
    confidence="secondary",
    source="from the end of one kernel to the first work of the next that depends on it: 1 us out of a recorded graph, "
    "2 to 8 us where a framework launches each (NVIDIA blog 'Getting Started with CUDA Graphs', 2019; PyTorch "
    "documentation on CUDA graphs; recalled, no stored copy)",
)

SCORE_TRAFFIC = Fact(
    nominal=24.0,
    low=8.0,
    high=32.0,
    unit="B",
    confidence="inferred",
    source="of each score of a detector in 32 bits: out of the heads 4, gathered into one list 8, through sigmoid or "
    "softmax 8, against the threshold 4, each a pass as in the reference models (mlcommons/inference, models/resnext50/"
    "retinanet.py and models/ssd_mobilenet_v1.py); all but the last fused with the heads: 8; one copy into another "
    "layout more: 32",
)

CHOICE_STEP = Fact(
    nominal=100.0,
    low=30.0,
    high=1200.0,
    unit="cycles",
    confidence="assumed",
    source="from one box of a list to the next, which this may drop: barrier, its corners out of the scratchpad, "
    "overlap; registers alone 30; three reads of memory one after the other, 400 cycles each, as in NVIDIA/TensorRT, "
    "plugin/efficientNMSPlugin/efficientNMSInference.cu",
)

HOST_SCORE = Fact(
    nominal=1e-9,
    low=1e-10,
    high=4e-9,
    unit="s",
    confidence="assumed",
    source="one score read, scaled and compared with the threshold by a processor: a few cycles on one core, a tenth "
    "with vector instructions or several cores",
)

UNHIDDEN = Fact(
    nominal=0.05,
    low=0.0,
    high=0.2,
    unit="1",
    confidence="inferred",
    source="of the shorter of arrays and memory of a GPU's kernel: its first and last tiles have nothing beside them; "
    "networks offline and times between tokens fit best at 0.05, rates of requests at 0.2 or more, all of them "
    "together at 0.15 to 0.2 whichever of eleven chips is left out; 300 measured requests on a twelfth, not among "
    "them, allow less than 0.06",
)

LINK_STEP = Fact(
    nominal=2.5e-6,
    low=1e-6,
    high=4e-6,
    unit="s",
    confidence="measured",
    source="one step between cards: all-reduce of 8 bytes over 8 cards on PCIe takes 42 us, 14 steps of a ring and a "
    "start (NVIDIA/nccl issue 1530, nccl-tests listing)",
)

COLLECTIVE_START = Fact(
    nominal=1e-5,
    low=4e-6,
    high=1.5e-5,
    unit="s",
    confidence="measured",
    source="start and first barrier of a collective, between two listings: the 42 us above leave 7 us behind 14 steps; "
    "18.7 us for 32 KB over 8 H100 leave 13.5 us behind two (kvcache-ai/Mooncake pull request 3484, listing)",
)

LINK_EFFICIENCY = Fact(
    nominal=0.75,
    low=0.55,
    high=1.0,
    unit="1",
    confidence="measured",
    source="NVLink through a switch, bus bandwidth over line rate: 317 of 450 GB/s at 32 MB behind the start "
    "(kvcache-ai/Mooncake pull request 3484), 475 of 450 with sums in the switch (NVIDIA/nccl-tests issue 272)",
)

PCIE_EFFICIENCY = Fact(
    nominal=0.55,
    low=0.4,
    high=0.75,
    unit="1",
    confidence="measured",
    source="PCIe, bus bandwidth over line rate: 35 of 63 GB/s over 4 cards (NVIDIA/nccl issue 1639)",
)

PCIE_FAR_SHARE = Fact(
    nominal=0.8,
    low=0.6,
    high=1.0,
    unit="1",
    confidence="measured",
    source="more than 4 cards hang on two processors: 28 GB/s over 8 cards, 35 over 4 (NVIDIA/nccl issue 1639)",
)

CACHE_READ_EFFICIENCY = Fact(
    nominal=0.85,
    low=0.7,
    high=0.97,
    unit="1",
    confidence="assumed",
    source="reads of a paged key-value cache over a plain stream: pages of 16 to 64 tokens of one head (4 to 16 KB), "
    "and blocks of unequal length at the end of each kernel; nobody publishes it for all cards",
)

MEMORY_UNIT = Fact(
    nominal=2.0**30,
    low=1e9,
    high=2.0**30,
    unit="B",
    confidence="measured",
    source="a gigabyte of DRAM capacity in a maker's table: nvidia-smi lists 81,559 MiB for 80 GB",
)

VECTOR_STEPS = {
    "Softmax": 4,
    "LogSoftmax": 4,
    "LayerNormalization": 4,
    "RMSNormalization": 3,
    "RotaryEmbedding": 3,
    "Gelu": 4,
    "Swish": 3,
    "SwishMultiply": 4,
    "Sigmoid": 2,
    "Tanh": 2,
    "HardSwish": 2,
    "Mish": 4,
    "Erf": 2,
    "Exp": 1,
    "LRN": 3,
    "BoxSelection": 3,
}
"""Vector operations per element; 1 for what is not named. Softmax: maximum, exponential, sum, scale; choice of boxes:
function of the score, threshold."""

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

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Offline batches the mapper compares."""
