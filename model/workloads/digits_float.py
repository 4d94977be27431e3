"""The test split of scikit-learn's handwritten digits through the 64-50-30-10 network in floating point."""

from model.work.float_digits import FloatDigits

WORKLOAD = FloatDigits(title="360 handwritten digits, 64-50-30-10 network in the device's float format", images=360)
