"""DRAM channels with units beside their banks: the command port, banks and timing that HBM-PIM and AiM share."""
