"""One file per source of DRAM energies, each exporting `TABLE`; the file's name is the table's name."""
