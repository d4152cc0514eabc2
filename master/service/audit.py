"""The audit: who did what, when; and how long that is kept."""

from __future__ import annotations

import logging

from common.model import Now
from master.service.farm import Farm
from master.service.retention import cutoff, pause
from master.store.trail import Page, Wanted

log = logging.getLogger(__name__)


def page(farm: Farm, before: int | None, limit: int, wanted: Wanted) -> Page:
    """Up to `limit` entries, newest first, with numbers below `before`; see `Trail.page`.

    All that was answered before is in it, and nothing that a crash could undo.
    """
    with farm.store.transaction(farm.clock()) as tx:
        newest = tx.history()
    return farm.store.trail.page(min(newest + 1, before or newest + 1), limit, wanted)


class AuditRetention:
    """The chore that removes the oldest of the audit; it remembers when it may again."""

    def __init__(self, farm: Farm) -> None:
        """Nothing is removed yet."""
        self._farm = farm
        self._rest_until = 0.0

    def step(self, now: Now) -> None:
        """Do a round if it is time for one. OSError if a file cannot be removed."""
        if now.mono < self._rest_until:
            return
        retention = self._farm.config.audit_retention
        self._rest_until = now.mono + pause(retention)
        removed = self._farm.store.trail.remove_before(cutoff(now, retention))
        if removed:
            log.info("removed %d files of the audit, older than --audit-retention", removed)
