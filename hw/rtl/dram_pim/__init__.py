"""DRAM channels with units beside their banks: what HBM-PIM and AiM share."""
