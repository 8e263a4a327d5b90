"""Samples become a summary, findings and a verdict: the only room that may say FAIL; pure."""
