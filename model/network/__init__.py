"""Networks: import from files, quantisation, lowering of layers to GEMMs."""
