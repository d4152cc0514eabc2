"""The reports that the master may not have yet, on disk: finished work outlives its agent."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from common.model import Failure, JobStatus, Report
from common.schema import FindingsSchema
from common.trust import write_private

log = logging.getLogger(__name__)

MOST = 1000
"""Files that are kept; the oldest go first, as the master has given up their leases first."""
_SET_ASIDE = ".unreadable"


class Outbox:
    """One file for each report, named by its lease, from before it is first sent until it is answered."""

    def __init__(self, directory: Path) -> None:
        """`directory` is made when there is something to keep."""
        self._directory = directory

    def keep(self, report: Report, instance: str) -> None:
        """Keep `report` of the agent that runs as `instance`; a warning is all if that cannot be.

        It replaces an earlier report of its lease.
        """
        fields = {name: value for name, value in asdict(report).items() if name != "digest"}
        document = {"instance": instance, "report": fields}
        try:
            write_private(self._file(report), json.dumps(document).encode())
            for old in self._oldest_first()[:-MOST]:
                log.warning("More than %d reports wait to be sent; the oldest is given up: %s", MOST, old)
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning(
                "The report of job %s is kept in memory only: cannot write %s: %s",
                report.job_id,
                self._directory,
                error.strerror,
            )

    def forget(self, report: Report) -> None:
        """The master has answered. (A report that cannot be removed is sent again, which is harmless.)"""
        with suppress(OSError):
            self._file(report).unlink(missing_ok=True)

    def left(self) -> Iterator[tuple[str, Report]]:
        """The reports that were left, oldest first, each with the instance whose lease it names.

        A file that cannot be read is set aside, with a warning.
        """
        for file in self._oldest_first():
            if file.suffix != ".json":
                continue
            try:
                yield _read(file.read_bytes())
            except (OSError, ValueError, TypeError, KeyError) as error:
                aside = file.with_name(file.name + _SET_ASIDE)
                log.warning("A report that was left cannot be read, and is set aside as %s: %s", aside, error)
                with suppress(OSError):
                    file.replace(aside)

    def empty(self) -> bool:
        """Whether no report waits to be sent."""
        return self.count() == 0

    def count(self) -> int:
        """How many reports wait to be sent."""
        return sum(file.suffix == ".json" for file in self._oldest_first())

    def _file(self, report: Report) -> Path:
        return self._directory / f"{quote(str(report.lease_id), safe='')}.json"

    def _oldest_first(self) -> list[Path]:
        found = []
        try:
            for file in self._directory.iterdir():
                if file.suffix in (".json", _SET_ASIDE):
                    with suppress(FileNotFoundError):  # it was sent meanwhile
                        found.append((file.stat().st_mtime_ns, file))
        except FileNotFoundError:
            pass  # nothing was ever kept
        except OSError as error:
            log.warning("Reports that were left cannot be read: %s", error)
        return [file for _, file in sorted(found)]


def _read(data: bytes) -> tuple[str, Report]:
    document = json.loads(data)
    fields = dict(document["report"])
    if fields["error"] is not None:
        fields["error"] = Failure(**fields["error"])
    fields["status"] = JobStatus(fields["status"])
    fields["findings"] = FindingsSchema().load(fields.get("findings", {}))  # an older agent kept none
    return str(document["instance"]), Report(**fields)
