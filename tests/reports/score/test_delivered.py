"""What an engine delivers, ours or another's, in any of its forms."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from headend.lse import writer as lse
from headend.vee.preset import Preset
from meters.calendar import epoch, iso, seconds
from meters.errors import UserError
from reports.score.delivered import Engine, files_of, read_names
from reports.score.engine import run_day
from reports.score.made import read_made
from tests.reports.score.asked import DAY, asked, figures


def test_another_engine_in_csv_with_kwh_local_time_and_its_own_names_scores_the_same(
    folder: Path, tmp_path: Path
) -> None:
    ours = pa.concat_tables([pq.read_table(path) for path in sorted((folder / "ours").glob("*.parquet"))]).to_pylist()
    rows = [
        {
            "esiid": row["esiid"],
            "channel": row["channel"],
            "start": iso(seconds(row["start"].timestamp())),
            "kwh": row["wh"] / 1000,
            "status": row["status"],
            "rule": ";".join(f"X-{name}" for name in row["rule"].split(";") if name),
        }
        for row in ours
    ]
    pa.csv.write_csv(pa.Table.from_pylist(rows), tmp_path / "theirs.csv")
    names = {name for row in rows for name in row["rule"].split(";") if name}
    (tmp_path / "names.yaml").write_text("".join(f"{name}: {name[2:]}\n" for name in sorted(names)))
    got = figures(folder, "--engine", str(tmp_path / "theirs.csv"), "--rules", str(tmp_path / "names.yaml"))
    own = figures(folder)
    for part in ("kinds", "rules", "intervals", "look_alikes", "innocent_meter_days", "rows_of_nothing_made"):
        assert got[part] == own[part]


def test_lse_files_are_scored_by_their_intervals_alone(folder: Path, tmp_path: Path) -> None:
    whole = read_made(folder)
    posted = epoch("2026-07-15T07:30:00")
    for at, day in enumerate(whole.days):
        records = lse.from_vee(run_day(whole, day, Preset()), posted)
        (tmp_path / lse.file_name("103994067", posted, at)).write_bytes(lse.dumps(records))
    got = figures(folder, "--engine", str(tmp_path))
    own = figures(folder)["intervals"]
    # They name no rule, so what is wrong in them is said by nobody.
    assert got["intervals"] == own | {"wrong_as_a_unsaid_percent": own["wrong_as_a_percent"]}
    kinds = got["kinds"]
    assert not got["rules_delivered"]
    assert {row[name] for row in kinds.values() if "seen" in row for name in ("seen", "precision", "f1")} == {None}
    # By E alone, which our batch put where they were.
    assert [kinds[kind]["located"] for kind in ("spike", "gap", "dead")] == [1.0, 1.0, 1.0]
    assert not [target for target in got["targets"] if target["kept"] is False]
    text = asked("score", str(folder), "--engine", str(tmp_path), "--html", str(tmp_path.parent / "lse.html"))
    assert "\nNo rules delivered: seen and F1 are not judged" in text
    assert "No rules delivered: seen and F1 are not judged" in (tmp_path.parent / "lse.html").read_text()
    assert "No rules" not in asked("score", str(folder))


def test_cmep_of_what_is_fed_is_an_engine_that_posts_what_was_read(folder: Path) -> None:
    files = [word for day in ("14", "15") for word in ("--engine", str(folder / f"fed/2026-07-{day}/reads.cmep"))]
    got = figures(folder, *files)
    whole = read_made(folder)
    fed = [whole.fed(day) for day in whole.days]
    counted = np.stack([np.ones(8, np.bool_), whole.assets["generation"]])
    assert got["rows_of_nothing_made"] == 0
    assert got["intervals"]["not_delivered"] == sum(int((~one.present & counted[:, :, None]).sum()) for one in fed)
    # Nine times what flowed at 10:00 was read too much by the first meter.
    spiked = whole.truth(DAY).flowed[0, 0, 40]
    assert got["wrong_as_a_wh"]["spike"] == 9 * spiked
    assert got["intervals"]["e_recall"] == 0.0
    assert (got["kinds"]["spike"]["seen"], got["kinds"]["spike"]["located"]) == (None, 0.0)


def test_what_is_left_away_is_not_delivered(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "ours/2026-07-14.parquet", tmp_path)
    got = figures(folder, "--engine", str(tmp_path))
    assert got["intervals"]["not_delivered"] == got["intervals"]["intervals"] // 2
    assert got["kinds"]["multiplier"]["seen"] == 0.5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("esiid,channel,start\n1,4,2026-07-14T05:00:00Z\n", "no column 'status'"),
        ("esiid,channel,start,status\n1,4,2026-07-14T05:00:00Z,A\n", "neither a column 'wh' nor 'kwh'"),
        ("esiid,channel,start,wh,status\n1,4,2026-07-14T05:00:00Z,7,V\n", "status 'V' is neither A nor E"),
        ("esiid,channel,start,wh,status\n1,4,2026-07-14T05:00:00,7,A\n", "no time with an offset"),
        ("esiid,channel,start,kwh,status\n1,4,2026-07-14T05:00:00Z,1e300,A\n", r"1e\+303 Wh is more than any interval"),
        ("esiid,channel,start,wh,status\n1,4,2026-07-14T05:00:00Z,-inf,A\n", "-inf Wh is more than any interval"),
    ],
)
def test_a_file_that_says_too_little_is_refused_with_its_place(
    folder: Path, tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(UserError, match=said) as caught:
        Engine(read_made(folder), [tmp_path / "x.csv"])
    assert str(tmp_path / "x.csv") in caught.value.place


def test_rows_of_strangers_and_rows_that_come_again_are_counted(folder: Path, tmp_path: Path) -> None:
    esiid = read_made(folder).assets["esiid"][0]
    row = f"{esiid},4,2026-07-14T05:00:00Z,7,A,mine\n"
    strange = f"1,4,2026-07-14T05:00:00Z,7,A,\n{esiid},4,2026-07-14T05:07:00Z,7,A,\n"
    (tmp_path / "x.csv").write_text("esiid,channel,start,wh,status,rule\n" + 2 * row + strange)
    engine = Engine(read_made(folder), [tmp_path / "x.csv"])
    day = engine.day(DAY)
    assert (day.wh[0, 0, 0], engine.strange, engine.unknown) == (7, 3, {"mine"})


def test_hidden_files_and_folders_in_an_engines_folder_are_left_alone(tmp_path: Path) -> None:
    for name in ("a.csv", ".a.csv.swp", ".DS_Store", "README"):
        (tmp_path / name).touch()
    (tmp_path / "more.d").mkdir()
    assert files_of([tmp_path]) == [tmp_path / "a.csv"]
    # Named by itself it is meant.
    assert files_of([tmp_path / ".DS_Store"]) == [tmp_path / ".DS_Store"]


def test_a_name_must_lead_to_a_rule(tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("a: [interval.spike, interval.zero]\nb: interval.spik\n")
    with pytest.raises(UserError, match=r"Did you mean interval\.spike\?"):
        read_names(tmp_path / "names.yaml")
