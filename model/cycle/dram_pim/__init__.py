"""When things happen on a DRAM-PIM channel: banks, controllers, kernels."""
