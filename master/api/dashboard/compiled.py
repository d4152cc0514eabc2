"""Compiled templates, kept for as long as the process lives, and for those that are forked from it.

To compile them all takes 0.3 s of CPU time. A worker that takes another's place finds them compiled.
"""

from __future__ import annotations

from types import CodeType

from jinja2.bccache import Bucket, BytecodeCache


class CompiledPages(BytecodeCache):
    """In memory. Of one kind of environment only: the code depends on how that is set up."""

    def __init__(self) -> None:
        self._code: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Code whose source has changed since is none."""
        checksum, code = self._code.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it in place of what was made of an earlier source."""
        if bucket.code is not None:
            self._code[bucket.key] = (bucket.checksum, bucket.code)


COMPILED = CompiledPages()
"""Those of the master's pages."""
