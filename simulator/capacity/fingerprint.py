"""What a kept cell is a result of: the study's content, and every file of ours that can have a say in a cell."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

from simulator.capacity.study import Study
from simulator.versions import ROOT, code_behind

#: Where a worker finds what computes a cell.
CELL = "simulator.capacity.run"


def fingerprint(study: Study, root: Path = ROOT) -> str:
    """Sixteen hex digits that change with the study's content and with the code that computes a cell."""
    digest = hashlib.sha256(study.spec.model_dump_json().encode())
    # A preset's limits are not in the study. A set has no order of its own, so it is sorted.
    digest.update(json.dumps([dataclasses.asdict(policy) for policy in study.policies], default=sorted).encode())
    digest.update(code_behind(CELL, root).encode())
    return digest.hexdigest()[:16]
