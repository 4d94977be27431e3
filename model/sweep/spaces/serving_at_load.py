"""Cards and splits that serve Llama 3.1 8B at five requests a second, every request simulated."""

from model.sweep.space import Space

SPACE = Space(
    title="cards and splits for Llama 3.1 8B at 5 requests a second, by the serving simulator",
    subject="serving",
    base={"model": "llama31_8b", "prompt": 1024, "answer": 256, "requests": 400, "ttft_s": 1.0, "tpot_s": 0.05,
          "rate": 5.0},
    axes={
        "chip": ["furiosa_rngd", "rebellions_atom_max", "nvidia_l40s", "nvidia_h100_pcie"],
        "cards": [1, 2, 4],
        "replicas": [1, 2, 4],
    },
    limits=("kept >= 0.99",),
    objectives={"tpot_s": "min", "krw_per_million_tokens": "min"},
)  # fmt: skip
