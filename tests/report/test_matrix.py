"""A matrix file is every combination of what it lists, or a message that names the place of the mistake."""

from __future__ import annotations

import re
import textwrap
import time
from typing import Any

import pytest

from common.schema import MAX_BATCH, BatchSchema
from master.operator.matrix.document import MatrixError
from master.operator.matrix.file import matrix
from master.operator.matrix.schema import MatrixSchema
from tests.docs.markdown import ROOT, blocks

WHOLE = """
name: Codecs at 720p
scenarios: [720p30-h264, 1080p30-h264]
inputs:
  - media:films/a.mkv
  - media:films/b.mkv
codecs:
  h264:
    presets: [veryfast, medium]
  av1:
    presets: [10, 8]
    crf: [30, 40]
bitrates: [1M, 2M, 4000k]
quality: [vmaf, psnr]
confidence: low
repeat: 2
parameters: {duration: 5, audio: none}
exclude:
  - {codec: av1, preset: 8, scenario: 1080p30-h264}
  - {input: media:films/b.mkv, bitrate: 4M}
"""


def jobs(text: str) -> list[dict[str, Any]]:
    return list(matrix(textwrap.dedent(text).encode()).jobs)


def complaint(text: str) -> str:
    with pytest.raises(MatrixError) as raised:
        matrix(textwrap.dedent(text).encode())
    return str(raised.value)


def test_every_combination_is_a_job_and_a_codec_may_have_its_own_lists() -> None:
    made = jobs(WHOLE)
    h264 = 2 * 2 * 2 * 3 - 2 * 2  # without 4M of the second input
    av1 = 2 * 2 * 2 * 2 - 2 * 2  # without preset 8 at 1080p
    assert len(made) == 2 * (h264 + av1)
    assert made[0] == {
        "scenario": "720p30-h264",
        "input": "media:films/a.mkv",
        "parameters": {
            "duration": 5,
            "audio": "none",
            "codec": "h264",
            "preset": "veryfast",
            "bitrate": "1M",
            "quality": ["vmaf", "psnr"],
        },
        "confidence": "low",
        "priority": "medium",
    }
    assert {j["parameters"].get("crf") for j in made if j["parameters"]["codec"] == "av1"} == {30, 40}


def test_the_master_takes_all_of_it() -> None:
    assert len(BatchSchema().load({"jobs": jobs(WHOLE)})["jobs"]) == len(jobs(WHOLE))


def test_repeats_are_spread_over_the_experiment() -> None:
    made = jobs(WHOLE)
    half = len(made) // 2
    assert made[:half] == made[half:]
    assert all(made[0] != job for job in made[1:half])


def test_without_codecs_and_rates_each_scenario_is_encoded_as_it_is() -> None:
    assert [j["parameters"] for j in jobs("scenarios: [720p30-h264, 480p30-av1]")] == [{}, {}]


def test_bitrates_and_qualities_are_a_list_of_rates_together() -> None:
    made = jobs("{scenarios: 720p30-h264, bitrates: 1M, crf: [20, 23.5], target_vmaf: [93]}")
    assert [j["parameters"] for j in made] == [
        {"bitrate": "1M"},
        {"crf": 20},
        {"crf": 23.5},
        {"target_vmaf": 93},
    ]


def test_the_key_is_that_of_the_jobs_and_not_of_the_file() -> None:
    first = matrix(b"{scenarios: [720p30-h264], crf: [20, 30]}")
    assert first.key == matrix(b"# the same\nscenarios:\n- 720p30-h264\ncrf:\n- 20\n- 30\n").key
    assert first.key != matrix(b"{scenarios: [720p30-h264], crf: [20, 31]}").key
    assert first.key != matrix(b"{scenarios: [720p30-h264], crf: [20, 30], repeat: 2}").key


def test_it_knows_its_jobs_whoever_queued_them() -> None:
    asks_for = matrix(WHOLE.encode()).asks_for()
    job = {"confidence": "low", "scenario": "720p30-h264", "input": "media:films/a.mkv"}
    parameters = {"codec": "h264", "preset": "medium", "bitrate": "2M", "duration": 5.0, "audio": "none"}
    assert asks_for({**job, "parameters": {**parameters, "quality": ["vmaf", "psnr"]}})
    assert not asks_for({**job, "parameters": {**parameters, "quality": ["vmaf"]}})
    assert not asks_for({**job, "parameters": parameters, "input": None})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it must be a mapping"),
        ("- a", "it must be a mapping"),
        ("scenarios:", "line 1: scenarios: "),
        ("name: x", "line 1: scenarios: Missing data for required field."),
        ("scenarios: [720p30-h264]\ncolour: red", "line 2: colour: Unknown field."),
        ("scenarios:\n  - 720p30-h264\n  - 720p30-h265x", "line 3: scenarios.1: There is no such scenario."),
        ("scenarios: [720p30-h264]\ncrf:\n- 20\n- high", "line 4: crf.1: Not a valid number."),
        ("scenarios: [720p30-h264]\ncrf: [20, true]", "line 2: crf.1: Not a valid number."),
        ("scenarios: [720p30-h264]\nbitrates: [1M, 2X]", "line 2: bitrates.1: "),
        ("scenarios: [720p30-h264, 720p30-h264]", "line 1: scenarios.1: '720p30-h264' is listed twice."),
        ("scenarios: [720p30-h264]\nrepeat: 0", "line 2: repeat: Must be greater"),
        ("scenarios: [720p30-h264]\ncodecs: [h264, h266]", "line 2: codecs.h266: Must be one of: h264"),
        (
            "scenarios: [720p30-h264]\ncodecs:\n  h264:\n    preset: [fast]",
            "line 4: codecs.h264.preset: Unknown field.",
        ),
        ("scenarios: [720p30-h264]\nparameters: {crf: 20}", "line 2: parameters.crf: Unknown field."),
        ("scenarios: [720p30-h264]\ninputs: [/etc/passwd]", "line 2: inputs.0: Cannot be an input"),
        ("scenarios: [720p30-h264]\nexclude: [{codec: av1}]", "line 2: exclude.0: no combination has this"),
        ("scenarios: [720p30-h264]\nexclude: [{scenario: 720p30-h264}]", "exclude leaves nothing over"),
        ("scenarios: [720p30-h264]\nexclude: [{}]", "line 2: exclude.0: no combination has this"),
    ],
    ids=str,
)
def test_a_mistake_is_named_with_its_line_and_its_place(text: str, told: str) -> None:
    assert told in complaint(text)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    told = complaint("scenarios: [720p30-h264]\nrepeat: many\ncrf: [x]\nname: ''")
    assert told.index("line 2: repeat") < told.index("line 3: crf.0") < told.index("line 4: name")


def test_what_does_not_go_together_is_named_before_anything_is_sent() -> None:
    told = complaint("{scenarios: [720p30-h264], codecs: [h264, vp9], presets: [fast, 5], crf: [20, 60]}")
    assert told.startswith("5 of 8 combinations do not fit; nothing was sent:")
    assert "720p30-h264, codec=vp9, preset=fast, crf=20: preset 'fast' does not go with vp9" in told
    assert "720p30-h264, codec=h264, preset=fast, crf=60: crf of h264 is between 0 and 51" in told


def test_the_same_bitrate_written_twice_is_found() -> None:
    told = complaint("{scenarios: [720p30-h264], bitrates: [2M, 2000k]}")
    assert "bitrate=2000k: it comes twice" in told


def test_more_jobs_than_a_batch_may_have_are_too_many() -> None:
    crf = ", ".join(str(n / 10) for n in range(500))
    text = f"{{scenarios: [720p30-h264], crf: [{crf}], repeat: {MAX_BATCH // 500}}}"
    assert len(jobs(text)) == MAX_BATCH
    assert "it has 10,500 jobs, and one experiment may have 10,000" in complaint(
        text.replace(f"repeat: {MAX_BATCH // 500}", "repeat: 21")
    )


def test_combinations_without_end_are_given_up_soon() -> None:
    many = ", ".join(str(n / 20) for n in range(1000))
    inputs = ", ".join(f"media:films/{n}.mkv" for n in range(1000))
    started = time.process_time()
    exclude = "[{scenario: 720p30-h264}]"
    told = complaint(f"{{scenarios: [720p30-h264], inputs: [{inputs}], crf: [{many}], exclude: {exclude}}}")
    assert "more than 100,000 combinations" in told
    assert time.process_time() - started < 20


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (BOMB.encode(), "line 2: aliases (*name) are not taken"),
        (b"scenarios: !!python/object/apply:os.system [ls]", "line 1: the tag tag:yaml.org,2002:python/"),
        (b"scenarios: !mine [a]", "line 1: the tag !mine is not taken"),
        (b"name: !!binary aGk=", "line 1: the tag tag:yaml.org,2002:binary is not taken"),
        (b"name: a\nname: b", "line 2: the key 'name' occurs twice"),
        (b"a: 1\n---\nb: 2", "line 2: "),
        (b"name: [a", "line 1: "),
        (b"name: \xff", "byte 6 is not UTF-8"),
        ("name: ä".encode("utf-16"), "byte 0 is not UTF-8"),
        (b"\0", "unacceptable character"),
        (b"[" * 100_000, "line 1: it is nested deeper than 16 levels"),
        (b"crf: 1e999", "line 1: '1e999' is too large a number"),
        (b"? [a]\n: b", "line 1: a key must be a text"),
        (b"#" * (1024 * 1024 + 1), "it has more than 1024 KiB"),
    ],
    ids=lambda value: value[:30] if isinstance(value, bytes) else None,
)
def test_yaml_that_could_surprise_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(MatrixError) as raised:
        matrix(data)
    assert told in str(raised.value)


def test_no_word_becomes_something_else() -> None:
    made = jobs(
        "{scenarios: [720p30-h264], parameters: {deinterlace: no, duration: 10}, bitrates: [1000000]}"
    )
    assert made[0]["parameters"] == {"deinterlace": "no", "duration": 10, "bitrate": 1000000}


REPORTS = (ROOT / "docs/reports.md").read_text()


def test_the_documented_experiment_is_one() -> None:
    (example,) = [block.text for block in blocks(REPORTS) if block.language == "yaml"]
    found = matrix(example.encode())
    assert (found.name, len(found.jobs)) == ("Presets at 720p", 3 * (3 * 4 - 1 + 2 * 4))


def test_the_documented_keys_are_those_that_are_taken() -> None:
    table = REPORTS[REPORTS.index("| key | |") :].split("\n\n")[0]
    rows = re.findall(r"^\| (`.*?`) \|", table, flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {field.data_key or name for name, field in MatrixSchema().fields.items()}
