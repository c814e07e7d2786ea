"""One file, one group of rows. See benchmarks/README.md."""
