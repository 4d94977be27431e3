"""What another program calls: names in, predictions out. As in the command line, a name becomes a chip here."""

from hw import chips
from hw.spec.chip import Chip
from model.predict import Prediction, predict
from model.work.random_gemm import RandomGemms
from model.work.workload import Gemm


def gemm_cycles(chip: str | Chip, *, m: int, n: int, k: int) -> Prediction:
    """Cycles of one product of an m x k by a k x n matrix on a chip, operands in its scratchpads, by the closed form.

    Parameters
    ----------
    chip : str or Chip
        A name of `hw/chips`, or a description.
    m, n, k : int
        Rows of the result, columns of the result, terms of each sum; at least 1 each.

    Returns
    -------
    Prediction
        `cycles`, `utilisation` (0 to 1), `phases` (label -> cycles, summing to `cycles`), `counts` of events.

    Raises
    ------
    InputError
        If the chip is unknown or has no core, or a size is no whole number of at least 1.
    """
    described = chips.load(chip) if isinstance(chip, str) else chip
    shape = Gemm(name="gemm", m=m, n=n, k=k)
    return predict(described, RandomGemms(title=f"{m} x {n} x {k} GEMM", shapes=(shape,)))
