"""Statistics of repeated runs: numbers in, numbers out; knows no sample and no pytest."""
