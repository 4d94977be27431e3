"""Standard cells: their transistors, the committed characterised library, and where its files are."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
MINI45_LIBERTY = FOLDER / "mini45.lib"
"""The characterised 45 nm library, written by `kcloud-cosim cells`."""
TRANSISTOR_MODELS = FOLDER / "freepdk45" / "freepdk45_nom.spi"
"""FreePDK45 BSIM4 models, nominal corner (Apache-2.0, see NOTICE beside it)."""
MINI45_MODELS = FOLDER / "mini45.v"
"""Behavioural Verilog of its cells, generated from their functions."""
