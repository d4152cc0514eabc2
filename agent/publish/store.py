"""Outputs that go to the master's file store."""

from __future__ import annotations

from pathlib import Path

import requests

from agent.files import EndedError, Files
from agent.publish.rules import OutputFailedError
from agent.task import AbortedError, Task
from common.client import ApiError
from common.transfers import TransferError


def way_to_store(task: Task) -> Files:
    """The file store; `output_refused` if there is no way to it."""
    if task.tools.files is None:
        raise OutputFailedError("output_refused", "this node's agent has no way to the file store")
    return task.tools.files


def store(task: Task, path: Path, media_type: str, name: str | None = None) -> str:
    """Sends a file of the attempt's to the file store, unless that has it; its SHA-256, as counted there.

    `name`: what it is called there; None: as it is here.
    `OutputFailedError`, `AbortedError`.
    """
    called = name or path.name
    try:
        return way_to_store(task).put(path, task.assignment.job_id, task.tools.abort, media_type, name)
    except EndedError as error:
        raise AbortedError from error
    except ApiError as error:
        raise OutputFailedError(
            "output_refused", f"the file store does not take {called}: {error}"
        ) from error
    except (TransferError, requests.RequestException) as error:
        raise OutputFailedError(
            "output_unreachable", f"{called} could not be sent to the file store: {error}"
        ) from error
