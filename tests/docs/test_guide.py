"""Every command of docs/guide.md works as written, and prints what the page shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.docs.markdown import ROOT, Block, blocks
from tests.docs.reader import Reader
from tests.packaging.conftest import built_in, copy_checkout, unpacked
from tests.parts import missing

GUIDE = (ROOT / "docs/guide.md").read_text()
BLOCKS = blocks(GUIDE)
RUNNING = GUIDE.count("\n", 0, GUIDE.index("\n## Steering jobs\n"))
"""From this line on, the guide is about a farm that runs."""
STEPS = [block for block in BLOCKS if block.line <= RUNNING]
OPERATIONS = [block for block in BLOCKS if block.line > RUNNING]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    for tool in ("bash", "curl", "jq", "make"):
        if shutil.which(tool) is None:
            missing(f"{tool} is not installed")
    directory = tmp_path_factory.mktemp("guide")
    checkout = copy_checkout(directory / "checkout")
    shutil.copy2(ROOT / "test_distributed.sh", checkout)
    # What the guide has built is built by tests/packaging: here, nothing has changed since.
    built_in(checkout, tmp_path_factory)
    reader = Reader(checkout, directory / "home", unpacked(tmp_path_factory) / ".cache")
    yield reader
    reader.close()


def follow(reader: Reader, chapter: list[Block]) -> None:
    """Stops at the first block that is not as written: what follows builds on it."""
    for block in chapter:
        wrong = reader.follow(block)
        assert not wrong, f"docs/guide.md, line {block.line}:\n{block.text}\n" + "\n".join(wrong)


def test_the_ten_steps_work_as_written(reader: Reader) -> None:
    follow(reader, STEPS)


def test_steering_monitoring_and_troubleshooting_work_as_written(reader: Reader) -> None:
    follow(reader, OPERATIONS)


def test_at_the_end_both_programs_stop_in_order(reader: Reader) -> None:
    reader.all_jobs_finished()
    assert reader.close() == {"agent": 0, "master": 0}


def test_every_command_that_is_not_run_says_why() -> None:
    known = {"skip", "plays", "if", "terminal", "answer", "fails", "times"}
    for block in BLOCKS:
        assert block.attributes.keys() <= known, f"line {block.line}"
        assert len(block.attributes.get("skip", "a reason")) > 5, f"line {block.line}"
