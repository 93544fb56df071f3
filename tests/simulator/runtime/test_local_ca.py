"""The certificate authority of this machine."""

from __future__ import annotations

from pathlib import Path

from simulator.runtime.local_ca import LocalCa


def test_an_authority_that_is_kept_is_the_same_after_a_restart(tmp_path: Path) -> None:
    first = LocalCa.kept(tmp_path).ca_file.read_bytes()
    assert LocalCa.kept(tmp_path).ca_file.read_bytes() == first
    assert LocalCa.make(tmp_path).ca_file.read_bytes() != first
