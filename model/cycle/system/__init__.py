"""When things happen in a system of NPU core, vector unit and DRAM-PIM: stepped models of controller and router."""
