"""The nouns of pytest_llmrel: frozen values, the plan and its precedence, seeds, the current run."""
