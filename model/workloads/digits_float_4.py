"""Four handwritten digits through the floating-point network: a short run, for waveforms."""

from model.work.float_digits import FloatDigits

WORKLOAD = FloatDigits(title="4 handwritten digits, 64-50-30-10 network in the device's float format", images=4)
