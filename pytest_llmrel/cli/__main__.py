"""Lets ``python -m pytest_llmrel.cli`` do what ``llmrel`` does, where the script is not on the path."""

import sys

from pytest_llmrel.cli.main import main

sys.exit(main())
