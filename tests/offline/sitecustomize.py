"""Python runs this at its start wherever this folder is on PYTHONPATH."""

import offline_guard  # noqa: F401  # importing it is what blocks the network
