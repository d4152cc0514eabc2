"""What PostgreSQL refuses, in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout, TooManyRequests

from common.problems import UNAVAILABLE, Problem
from master.store.errors import CollisionError


def collided(what: str) -> Problem:
    """Somebody else changed what this was about; nothing is half done, and it can be asked again."""
    return CollisionError(what)


_COLLISIONS = (
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.UniqueViolation,
)
_FULL = (errors.DiskFull, errors.OutOfMemory, errors.ReadOnlySqlTransaction)


@contextmanager
def translated() -> Iterator[None]:
    """What the database refuses for a reason of its own becomes `unavailable`; mistakes stay mistakes."""
    try:
        yield
    except _COLLISIONS as error:
        raise collided("What this is about") from error
    except errors.LockNotAvailable as error:
        raise UNAVAILABLE("Somebody else works on the same for long. Nothing was done; ask again.") from error
    except _FULL as error:
        raise UNAVAILABLE(f"The database cannot keep this: {first_line(error)}.") from error
    except (PoolTimeout, TooManyRequests) as error:
        raise UNAVAILABLE("The database cannot be reached, or is too busy. Ask again in a moment.") from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise UNAVAILABLE(f"The database cannot be reached: {first_line(error)}. Ask again.") from error


def first_line(error: Exception) -> str:
    """What it says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
