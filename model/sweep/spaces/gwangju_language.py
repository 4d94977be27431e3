"""Cards and splits for a mix of language models on the Gwangju site's grant, at TTFT of 1 s and TPOT of 50 ms."""

from model.sweep.space import Space

SPACE = Space(
    title="cards and splits for a language mix under 20 bn KRW at TTFT <= 1 s and TPOT <= 50 ms",
    subject="deployment",
    base={
        "site": "gwangju",
        "budget_krw": 20e9,
        "engine": "vllm",
        "ttft_s": 1.0,
        "tpot_s": 0.05,
        "mix": {
            "chat": {"model": "llama31_8b", "prompt": 1024, "answer": 256, "share": 0.7},
            "long": {"model": "llama31_8b", "prompt": 4096, "answer": 512, "share": 0.2},
            "large": {"model": "llama31_70b", "prompt": 1024, "answer": 256, "share": 0.1},
        },
    },
    axes={
        "chip": [
            "furiosa_rngd", "rebellions_atom", "rebellions_atom_max", "sapeon_x330_compact", "sapeon_x330_prime",
            "nvidia_l40s", "nvidia_a100_pcie", "nvidia_h100_pcie", "nvidia_h100_sxm", "nvidia_h200_sxm",
        ],
        "cards": [1, 2, 4, 8, 16],
        "pipeline": [1, 2],
        "format": ["serving", "int4"],
        "task": ["chat", "long", "large"],
    },
    constraints=("pipeline <= cards",),
    objectives={"tokens_per_s": "max", "wall_kw": "min"},
    total_over=("task",),
)  # fmt: skip
