"""What a head-end told of a day's batch: asked for at its URL, or read from a file."""

from __future__ import annotations

from pathlib import Path

import httpx
from pydantic import ValidationError

from headend.http.links import bearing
from headend.service.batch_wire import BatchReport
from meters.errors import reason
from simulator.errors import SimulatorError
from simulator.parties.keys_file import kept_keys

#: Wall seconds that a head-end has.
TIMEOUT_S = 30.0
_MEND = "Give the URL of GET /batches/DAY at a head-end, or a file with what it answered."


def told(source: str, keys: Path | None) -> BatchReport:
    """The report. source: a URL or a file. keys: the file with the keys of the head-end's links. Raises SimulatorError ``batch.*``."""
    try:
        if source.startswith(("http://", "https://")):
            return BatchReport.model_validate_json(_asked(source, keys))
        return BatchReport.model_validate_json(Path(source).read_bytes())
    except OSError as error:
        raise SimulatorError("batch.unreadable", f"It cannot be read: {reason(error)}.", source, _MEND) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole of it"
        raise SimulatorError(
            "batch.malformed", f"This is no batch report: {field}: {first['msg']}.", source, _MEND
        ) from None


def _asked(url: str, keys: Path | None) -> bytes:
    if keys is not None and not keys.exists():
        mend = "Name the file that the head-end's ready line tells as keys_file."
        raise SimulatorError("batch.keys", "There is no such file.", f"--keys {keys}", mend)
    headers = bearing(kept_keys(keys).smt) if keys is not None else {}
    try:
        reply = httpx.get(url, headers=headers, timeout=TIMEOUT_S, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        what = reason(error)
        raise SimulatorError("batch.no_answer", f"The head-end does not answer: {what}.", url, _MEND) from None
    if reply.status_code == 401:
        mend = "Give --keys the file that the head-end's ready line tells as keys_file."
        raise SimulatorError("batch.keys", "The head-end asks for the key of its link with SMT.", url, mend)
    if reply.status_code == 404:
        said = "The head-end knows no such batch: VEE has not run over that day, or it is no URL of one."
        raise SimulatorError("batch.none", said, url, _MEND)
    if reply.status_code != 200:
        what = f"The head-end answered {reply.status_code}: {reply.text[:200]}"
        raise SimulatorError("batch.refused", what, url, _MEND)
    return reply.content
