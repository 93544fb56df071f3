"""To where SMT has what sweeps collected is kept by ESI ID, over a restart, until it is to be told all anew."""

from __future__ import annotations

from pathlib import Path

from headend.store.store import HeadEndStore
from meters.calendar import epoch

NOON = epoch("2026-08-12T12:00")


def test_how_far_each_esi_id_was_pushed_outlives_the_head_end_until_it_is_forgotten(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'headend.sqlite'}"
    # More than one statement names.
    many = {f"{10443720000000017 + n}": NOON for n in range(1200)}
    store = HeadEndStore(url)
    assert store.pushed.reach() == {}
    store.pushed.note(many)
    first = min(many)
    store.pushed.note({first: NOON + 900})
    store.close()
    store = HeadEndStore(url)
    assert store.pushed.reach() == many | {first: NOON + 900}
    store.pushed.forget()
    assert store.pushed.reach() == {}
    store.close()
