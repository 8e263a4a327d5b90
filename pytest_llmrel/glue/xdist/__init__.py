"""Sessions over several workers of xdist: what they share, split tests, what the controller sees."""
