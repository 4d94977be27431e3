"""One file per technology point, each exporting `TABLE`; the file's name is the table's name."""
