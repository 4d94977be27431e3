"""The test split of scikit-learn's handwritten digits through a 64-50-30-10 network in INT8."""

from model.work.digits import Digits

WORKLOAD = Digits(title="360 handwritten digits, 64-50-30-10 INT8 network, one batch", images=360)
