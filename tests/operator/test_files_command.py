"""`ffrtmp files` puts, gets, lists and removes; what cannot be is one line that says why."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.api.corner import Corner
from tests.files.support import artifact, content, finish_with
from tests.masters import Client
from tests.operator.conftest import Ffrtmp


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "a film.mp4"
    path.write_bytes(content(100_000, tmp_path))
    return path


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_was_put_is_listed_and_got_by_the_beginning_of_its_hash(
    ffrtmp: Ffrtmp, film: Path, tmp_path: Path
) -> None:
    done = ffrtmp("files", "put", str(film))
    assert (done.returncode, done.stdout) == (0, f"file:{sha256_of(film)}\n")
    listed = next(file for file in ffrtmp.json("files", "list") if file["sha256"] == sha256_of(film))
    assert (listed["name"], listed["media_type"], listed["size"]) == ("a film.mp4", "video/mp4", 100_000)
    assert sha256_of(film) in ffrtmp("files", "list").stdout
    for name in (sha256_of(film), sha256_of(film)[:8], f"file:{sha256_of(film)}"):
        target = tmp_path / f"copy-{len(name)}"
        done = ffrtmp("files", "get", name, "-o", str(target))
        assert (done.returncode, done.stdout) == (0, f"{target}\n")
        assert target.read_bytes() == film.read_bytes()
    (tmp_path / "folder").mkdir()
    got = ffrtmp.json("files", "get", sha256_of(film), "--to", str(tmp_path / "folder"))
    assert got == {"path": f"{tmp_path}/folder/a film.mp4", "sha256": sha256_of(film), "size": 100_000}


def test_several_files_are_put_at_once_and_a_job_reads_one(
    ffrtmp: Ffrtmp, film: Path, tmp_path: Path
) -> None:
    other = tmp_path / os.fsdecode(b"bytes \xff.mkv")
    other.write_bytes(content(1000, film))
    stored = ffrtmp.json("files", "put", str(film), str(other))
    assert [file["sha256"] for file in stored] == [sha256_of(film), sha256_of(other)]
    name = f"file:{sha256_of(other)}"
    job_id = ffrtmp.json("jobs", "submit", "480p-h264", "--input", name)["id"]
    refused = ffrtmp("files", "rm", name)
    assert (refused.returncode, job_id in refused.stderr) == (1, True)
    assert ffrtmp("jobs", "cancel", job_id).returncode == 0
    done = ffrtmp("files", "rm", sha256_of(film)[:10], name)
    assert done.stdout == f"file:{sha256_of(film)} is removed.\n{name} is removed.\n"
    assert f"there is no file {sha256_of(film)}" in ffrtmp("files", "get", sha256_of(film)).stderr


def test_nothing_is_written_over_unless_that_is_asked(ffrtmp: Ffrtmp, film: Path, tmp_path: Path) -> None:
    ffrtmp("files", "put", str(film))
    target = tmp_path / "mine"
    target.write_text("mine")
    done = ffrtmp("files", "get", sha256_of(film), "-o", str(target))
    assert done.returncode == 1
    assert "exists already; choose another name with -o, or --overwrite" in done.stderr
    assert target.read_text() == "mine"
    assert ffrtmp("files", "get", sha256_of(film), "-o", str(target), "--overwrite").returncode == 0
    assert target.read_bytes() == film.read_bytes()


def test_what_a_job_made_is_got_by_its_path(
    ffrtmp: Ffrtmp, client: Client, film: Path, tmp_path: Path
) -> None:
    corner = Corner(client)
    claimed = corner.start()[1]
    (file,) = ffrtmp.json("files", "put", str(film))
    finish_with(corner, claimed, artifact(file, "720p/seg 1.m4s", "segment", "video/mp4"))
    target = tmp_path / "copy"
    done = ffrtmp("files", "get", f"{claimed['id']}/720p/seg 1.m4s", "-o", str(target))
    assert done.returncode == 0, done.stderr
    assert target.read_bytes() == film.read_bytes()
    missing = ffrtmp("files", "get", f"{claimed['id']}/720p/seg 2.m4s")
    assert "made no '720p/seg 2.m4s'" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["put", "{tmp}/nothing.mp4"], 1, "nothing.mp4: No such file or directory"),
        (["put", "{tmp}"], 1, "is a directory; name a file"),
        (["put", "/dev/zero"], 1, "/dev/zero is no regular file; name a file"),
        (["put"], 2, "Missing argument 'FILE...'"),
        (["get", "xyz"], 2, "'xyz' is no SHA-256, nor 4 or more of its first digits"),
        (["get", "abc"], 2, "nor 4 or more"),
        (["get", "0000"], 5, "there is no file 0000 here"),
        (["get", "nobody/a.mp4"], 5, "There is no job 'nobody'"),
        (["rm", "0000"], 5, "there is no file 0000 here"),
    ],
)
def test_what_cannot_be_is_one_clear_line(
    ffrtmp: Ffrtmp, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    done = ffrtmp("files", *(argument.replace("{tmp}", str(tmp_path)) for argument in arguments))
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_beginning_that_several_hashes_have_is_refused(ffrtmp: Ffrtmp, tmp_path: Path) -> None:
    # Two of some hundred hashes share four digits, and always the same two.
    by_prefix: dict[str, bytes] = {}
    for number in range(10_000):
        data = content(10, f"prefix {number}")
        prefix = hashlib.sha256(data).hexdigest()[:4]
        if prefix in by_prefix:
            break
        by_prefix[prefix] = data
    for name, each in (("one", by_prefix[prefix]), ("other", data)):
        (tmp_path / name).write_bytes(each)
    assert ffrtmp("files", "put", str(tmp_path / "one"), str(tmp_path / "other")).returncode == 0
    done = ffrtmp("files", "get", prefix)
    assert done.returncode == 5
    assert f"several files begin with {prefix}" in done.stderr
