"""Scorers that say whether an answer stays inside its context; none of them keeps a result."""
