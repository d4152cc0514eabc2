"""The commands of docs/split.md do what the page says and print what it shows, with two real agents."""

from __future__ import annotations

from pathlib import Path

from tests.docs.markdown import ROOT, blocks, missing_lines
from tests.split.pieces import decoded
from tests.system.farm import Farm
from tests.system.splitting import make_film, worker
from tests.system.test_chains import shell

PAGE = (ROOT / "docs/split.md").read_text()
ID = "0c5f1a2b"


def test_what_a_user_types_encodes_the_file_in_chunks(farm: Farm, tmp_path: Path) -> None:
    media = make_film(tmp_path / "media").parent
    master = farm.master()
    for name in ("worker-01", "worker-02"):
        worker(farm, master, media, name).says("Registered with", 40)
    submit, submitted, show, shown = blocks(PAGE)
    assert [submit.is_command, show.is_command] == [True, True]
    told = shell(submit.text, tmp_path, master)
    assert missing_lines(submitted.text.replace(ID, told[:8]), told) == [], told
    assert decoded(media / "small.mp4") == 300
    told = shell(show.text.replace(ID, told[:8]), tmp_path, master)
    assert missing_lines(shown.text, told) == []
