"""Presets of VEE: the shipped ones, and what is wrong with one's own."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path

import pytest

from headend.vee.ladder import Rung
from headend.vee.preset import PostTime
from headend.vee.rules import limits
from meters.calendar import seconds
from meters.errors import UserError
from meters.identity import TDSPS
from simulator.input.vee_preset import chosen_preset, preset_of, read_preset, shipped

SOUND = """\
preset: mine
effective: 2026-01-01
sum_unlocated: estimate_day
thresholds:
  interval.spike: {ratio: 2.25, floor: 800}
ladder:
  residential: [late_actual, {interpolate: {up_to_minutes: 60}}, class_profile, zero]
  commercial: [{like_days: {count: 5, back_days: 30}}, zero]
post: {at: "15:00", spread_minutes: 90}
partition: 2000
"""


def test_every_tdsp_has_a_preset_of_its_name() -> None:
    assert set(shipped()) == {key.lower() for key in TDSPS}
    assert [preset_of(key).name for key in TDSPS] == [key.lower() for key in TDSPS]


def test_a_preset_is_read_to_the_numbers_that_the_kernels_take(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(SOUND)
    preset, mistakes = read_preset(file)
    assert mistakes == []
    assert preset is not None
    told = {"interval.spike": {"ratio": 2.25, "floor": 800.0}, "sum.unlocated": {"estimate_day": 1.0}}
    assert preset.limits == limits(told)
    assert preset.limits.interval_spike_ratio == 2250
    assert preset.residential == ((Rung.INTERPOLATE, 4, 0), (Rung.CLASS_PROFILE, 0, 0), (Rung.ZERO, 0, 0))
    assert preset.commercial == ((Rung.LIKE_DAYS, 5, 30), (Rung.ZERO, 0, 0))
    assert preset.back_days == 30
    assert preset.ladders.tolist()[1] == [[2, 5, 30], [4, 0, 0], [0, 0, 0]]
    assert (preset.post, preset.partition) == (PostTime(time(15, 0), seconds(90 * 60)), 2_000)
    assert chosen_preset(str(file)) == preset


def test_a_time_of_posting_is_a_distributions_or_the_usual(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    line = 'post: {at: "15:00", spread_minutes: 90}\npartition: 2000\n'
    for written, post in (
        ('post: {distribution: lognormal, median: "11:00", sigma: 0.2}\n', PostTime(time(11, 0), sigma=0.2)),
        ("", PostTime(time(7, 30))),
    ):
        file.write_text(SOUND.replace(line, written))
        assert (chosen_preset(str(file)).post, chosen_preset(str(file)).partition) == (post, 5_000)


def test_a_choice_that_is_not_sound_is_its_first_mistake_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(SOUND.replace("2.25", "much").replace("800", "no"))
    with pytest.raises(
        UserError, match=rf"^vee\.preset\.invalid: {file}:5: thresholds\.interval\.spike\.ratio"
    ) as raised:
        chosen_preset(str(file))
    assert raised.value.mend == f"Mend the number. 1 more: 'ami vee lint {file}' tells them."


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "mend"),
    [
        ("ratio: 2.25", "ratoi: 2.25", 5, "thresholds.interval.spike.ratoi", "Did you mean ratio?"),
        ("interval.spike", "interval.spik", 5, "thresholds.interval.spik", "Did you mean interval.spike?"),
        ("interval.spike:", "interval.negative:", 5, "thresholds.interval.negative", ""),
        ("{ratio: 2.25, floor: 800}", "2", 5, "thresholds.interval.spike", "Write its thresholds"),
        ("interval.spike:", "sum.unlocated:", 5, "thresholds.sum.unlocated", "Write 'sum_unlocated: tell' or 'estimate_day'."),
        ("class_profile, zero", "{class_profile: {}, zero: {}}", 7, "ladder.residential[3]", "Begin another with '- '."),
        ("2.25", "much", 5, "thresholds.interval.spike.ratio", "Mend the number."),
        ("2.25", "0", 5, "thresholds.interval.spike.ratio", "Mend the number."),
        ("800", "800.5", 5, "thresholds.interval.spike.floor", "Write a whole number."),
        ("estimate_day", "guess", 3, "sum_unlocated", "tell"),
        ("class_profile, zero", "class_profile", 7, "ladder.residential[3]", "Write zero as its last rung."),
        ("class_profile, zero", "zero, class_profile", 7, "ladder.residential[4]", "Write zero as its last rung."),
        ("class_profile, ", "clas_profile, ", 7, "ladder.residential[3]", "Did you mean class_profile?"),
        ("count: 5, ", "", 8, "ladder.commercial[1].like_days.count", "Add 'count: ...'."),
        ("minutes: 60", "minutes: 50", 7, "ladder.residential[2].interpolate.up_to_minutes", ""),
        ('at: "15:00"', "at: 900", 9, "post.at", ""),
        ('at: "15:00"', 'median: "15:00"', 9, "post", ""),
        ('at: "15:00", spread_minutes: 90', 'at: "15:00", sigma: 0.2', 9, "post", ""),
        ("spread_minutes: 90", "spread_minutes: -1", 9, "post.spread_minutes", ""),
        ("spread_minutes: 90", "spread: 90", 9, "post.spread", "spread_minutes"),
        ("partition: 2000", "partition: 25001", 10, "partition", ""),
    ],
)  # fmt: skip
def test_each_mistake_has_its_line_its_field_and_a_mend(
    tmp_path: Path, old: str, new: str, line: int, field: str, mend: str
) -> None:
    file = tmp_path / "mine.yaml"
    assert SOUND.count(old) == 1
    file.write_text(SOUND.replace(old, new))
    preset, mistakes = read_preset(file)
    assert preset is None
    (mistake,) = mistakes
    with pytest.raises(UserError, match=re.escape(str(mistake))):
        chosen_preset(str(file))
    assert (mistake.code, mistake.place) == ("vee.preset.invalid", f"{file}:{line}: {field}")
    assert mend in mistake.mend


def test_mistakes_of_form_thresholds_and_ladders_are_told_together_in_the_order_of_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = SOUND.replace("2.25", "much").replace("estimate_day", "guess").replace("class_profile, zero", "zero, zero")
    file.write_text(text.replace("count: 5, ", "").replace("partition: 2000", "partition: 0\nthreshold: {}"))
    _, mistakes = read_preset(file)
    assert [mistake.place.removeprefix(f"{file}:") for mistake in mistakes] == [
        "3: sum_unlocated",
        "5: thresholds.interval.spike.ratio",
        "7: ladder.residential[4]",
        "8: ladder.commercial[1].like_days.count",
        "10: partition",
        "11: threshold",
    ]
    file.write_text("- nothing\n")
    assert [mistake.place for mistake in read_preset(file)[1]] == [str(file)]


def test_a_file_that_is_not_there_or_no_yaml_is_one_mistake(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    for file in (broken, tmp_path / "none.yaml"):
        preset, mistakes = read_preset(file)
        assert preset is None
        assert [mistake.code for mistake in mistakes] == ["vee.preset.unreadable"]
