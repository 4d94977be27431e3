"""From a decoder's configuration and weights to DRAM images and one stream of descriptors for a whole system."""
