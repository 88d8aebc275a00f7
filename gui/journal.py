"""The log of this session, kept in memory for a bug report."""

from __future__ import annotations

import logging
from collections import deque

MOST = 300  # records


class Journal(logging.Handler):
    """Keeps the last records of the app's logger, each as one text. Logging may come from any thread."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
        self.records: deque[str] = deque(maxlen=MOST)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.records.append(self.format(record))

    def begin(self) -> None:
        """Listen to the app's logger."""
        logging.getLogger("descent_lab").addHandler(self)

    def end(self) -> None:
        """Listen no more."""
        logging.getLogger("descent_lab").removeHandler(self)
