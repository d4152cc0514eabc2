"""The gunicorn worker that slow, silent and hostile clients cannot stop."""

from master.worker.farm import FarmWorker

__all__ = ["FarmWorker"]
