"""The test split of scikit-learn's handwritten digits through a convolutional INT8 network, as one program."""

from model.work.digits_cnn import DigitsCnn

WORKLOAD = DigitsCnn(
    title="360 handwritten digits, convolutions, residual sum, pooling and dense layer in INT8", images=360
)
