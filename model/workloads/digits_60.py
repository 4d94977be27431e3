"""The first 60 test images of the handwritten digits: fits small scratchpads."""

from model.work.digits import Digits

WORKLOAD = Digits(title="60 handwritten digits, 64-50-30-10 INT8 network, one batch", images=60)
