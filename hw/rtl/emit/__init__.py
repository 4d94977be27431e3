"""From a component to Verilog, a manifest and what a SoC team needs beside it."""
