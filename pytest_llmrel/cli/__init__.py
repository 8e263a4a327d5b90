"""The command line ``llmrel``: one file per command, and the table of them in ``main.py``."""
