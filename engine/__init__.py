"""The engine: everything that computes. No Qt below here."""

import os

# The engine shares work among threads itself where that pays. NumPy's own threads only wait for each other on matrices
# of this size (seconds on a busy machine), and a result must not depend on how many there are. Read when NumPy loads.
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
