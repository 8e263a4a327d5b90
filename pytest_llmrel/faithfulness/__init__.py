"""Scorers that say whether an answer stays inside its context."""
