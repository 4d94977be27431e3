"""Mamba 1 and 2 and Falcon-Mamba: layers of state only, whose cache does not grow."""

from math import ceil

from model.network.config import Config
from model.network.family import LAYERS, build, hidden_size
from model.network.language import Block, LanguageModel, Matrix, State

MODEL_TYPES = ("mamba", "mamba2", "falcon_mamba")


def mamba1(config: Config, inner: int, states: int, kernel: int, rank: int, path: str = "mixer") -> tuple[State, int]:
    """(state, weights that are no matrices) of a layer of the first kind."""
    hidden = hidden_size(config)
    state = State(
        projections=(
            Matrix(path=f"{path}.in_proj", columns=2 * inner, rows=hidden),
            Matrix(path=f"{path}.x_proj", columns=rank + 2 * states, rows=inner, cut="rows"),
            Matrix(path=f"{path}.dt_proj", columns=inner, rows=rank),
            Matrix(path=f"{path}.out_proj", columns=hidden, rows=inner, cut="rows"),
        ),
        elements=inner * states + inner * (kernel - 1),
        work=3 * inner * states + inner * kernel,
    )
    # convolution with bias, bias of the step, A, D
    return state, inner * kernel + inner + inner + inner * states + inner


def mamba2(
    config: Config,
    inner: int,
    states: int,
    groups: int,
    heads: int,
    kernel: int,
    path: str = "mixer",
    *,
    biased: bool = True,
    norm: bool = True,
) -> tuple[State, int]:
    """(state, weights that are no matrices) of a layer of the second kind."""
    hidden = hidden_size(config)
    mixed = inner + 2 * groups * states
    state = State(
        projections=(
            Matrix(path=f"{path}.in_proj", columns=inner + mixed + heads, rows=hidden),
            Matrix(path=f"{path}.out_proj", columns=hidden, rows=inner, cut="rows"),
        ),
        elements=inner * states + mixed * (kernel - 1),
        work=3 * inner * states + mixed * kernel,
    )
    return state, mixed * (kernel + biased) + 3 * heads + (inner if norm else 0)


def read(config: Config) -> LanguageModel:
    """The model; positions are not limited by a table."""
    hidden, layers = hidden_size(config), config.whole(*LAYERS)
    states, kernel = config.whole("state_size", "d_state"), config.whole("conv_kernel", "d_conv", default=4)
    inner = config.whole("intermediate_size", default=config.whole("expand", default=2) * hidden)
    if config.text("model_type") == "mamba2":
        state, vectors = mamba2(config, inner, states, config.whole("n_groups"), config.whole("num_heads"), kernel)
    else:
        rank = config.get("time_step_rank", default="auto")
        rank = ceil(hidden / 16) if rank == "auto" else config.whole("time_step_rank")
        state, vectors = mamba1(config, inner, states, kernel, rank)
    tied = config.text("model_type") != "falcon_mamba"
    return build(config, [Block(state=state, vectors=vectors + hidden, norms=1)] * layers, tied=tied)
