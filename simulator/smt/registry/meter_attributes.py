"""What SMT tells of a meter: the fields of ``meterInfo``, and how an installed meter gives them.

Field names are SMT's (DOMAIN §3 [S]); every value is text, and what the words in it are is a default of this project [D].
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from meters.calendar import us_date

#: Letters that a company prints behind its meter numbers; the API wants the digits alone [V].
PRINTED_SUFFIX = {"ONCOR": "LG"}
MANUFACTURER = "ami-testbed"
_SINGLE, _POLYPHASE, _TRANSFORMER = "ATB-2S", "ATB-16S", "ATB-9S"
#: Continuous amperes of a meter that carries the load itself, and of one behind current transformers.
_SELF_CONTAINED, _TRANSFORMER_RATED = "CL200", "CL20"
#: Secondary amperes of a current transformer.
_SECONDARY_A = 5


@dataclass(frozen=True, slots=True)
class MeterAttributes:
    """What is known of a meter beyond its number, multiplier and flags."""

    serial_number: str = ""
    #: As the company prints it.
    utility_meter_id: str = ""
    manufacturer: str = MANUFACTURER
    model: str = _SINGLE
    meter_class: str = _SELF_CONTAINED
    phases: int = 1
    #: Channels that are recorded: consumption and surplus generation.
    channels: int = 2
    interval_minutes: int = 15
    #: What comes back is counted on a register of its own.
    reverse_flow: str = "Separate register"
    #: The premise generates.
    generates: bool = False
    #: Has a switch that is operated from afar.
    remote_switch: bool = True
    #: The meter is reached over the company's network.
    communicates: bool = True
    instrument_rated: bool = False
    current_ratio: str = "1:1"
    potential_ratio: str = "1:1"
    firmware: str = ""
    han_protocol: str = "ZigBee"
    smart_energy_profile: str = "SEP 1.1"
    tested: date | None = None
    installed: date | None = None
    first_provisioned: date | None = None
    updated: date | None = None


def installed_meter(
    meter_number: str,
    tdsp_key: str,
    installed: date,
    *,
    multiplier: int = 1,
    three_phase: bool = False,
    generates: bool = False,
    firmware: str = "",
) -> MeterAttributes:
    """The attributes of an emulated meter. One with a multiplier is behind current transformers and has no switch.

    installed: the day on which it was tested and set too.
    """
    behind = multiplier > 1
    return MeterAttributes(
        serial_number=f"ATB{meter_number}",
        utility_meter_id=meter_number + PRINTED_SUFFIX.get(tdsp_key, ""),
        model=_TRANSFORMER if behind else _POLYPHASE if three_phase else _SINGLE,
        meter_class=_TRANSFORMER_RATED if behind else _SELF_CONTAINED,
        phases=3 if three_phase else 1,
        generates=generates,
        remote_switch=not behind and not three_phase,
        instrument_rated=behind,
        current_ratio=f"{_SECONDARY_A * multiplier}:{_SECONDARY_A}" if behind else "1:1",
        firmware=firmware,
        tested=installed,
        installed=installed,
        first_provisioned=installed,
        updated=installed,
    )


def most_wh(attributes: MeterAttributes) -> int:
    """What a service can carry in a quarter hour, Wh, by class and transformers of its meter: amperes at 240 V, or at three times 277 V [D]."""
    amperes = re.fullmatch(r"CL(\d{1,4})", attributes.meter_class) or re.fullmatch(r"CL(\d+)", _SELF_CONTAINED)
    assert amperes is not None
    volts = 240 if attributes.phases == 1 else 3 * 277
    by = _ratio(attributes.current_ratio) * _ratio(attributes.potential_ratio)
    return int(int(amperes[1]) * volts * by / 4)


def _ratio(written: str) -> Fraction:
    """Of a transformer; 1 where it is written otherwise."""
    parts = re.fullmatch(r"([1-9]\d{0,6}):([1-9]\d{0,6})", written)
    return Fraction(1) if parts is None else Fraction(int(parts[1]), int(parts[2]))


def meter_info(
    attributes: MeterAttributes, tdsp_duns: str, multiplier: int, meter_number: str, status: str
) -> dict[str, str]:
    """Give the fields of ``meterInfo``, in the order of the document; a date that is not known is empty."""
    return {
        "utilityCompanyId": tdsp_duns,
        "meterSerialNumber": attributes.serial_number or meter_number,
        "utilityMeterId": attributes.utility_meter_id or meter_number,
        "KWHMeterMultiplier": str(multiplier),
        "configuredChannels": str(attributes.channels),
        "manufacturerName": attributes.manufacturer,
        "meterClass": attributes.meter_class,
        "intervalSetting": str(attributes.interval_minutes),
        "reverseFlowHandling": attributes.reverse_flow,
        "DGChannel": _yes(attributes.generates),
        "disconnect": _yes(attributes.remote_switch),
        "meterStatus": status,
        "meterPhases": str(attributes.phases),
        "meterModel": attributes.model,
        "testDate": _date(attributes.tested),
        "installationDate": _date(attributes.installed),
        "initialProvisionDate": _date(attributes.first_provisioned),
        "LastUpdated": _date(attributes.updated),
        "communicationIndicator": _yes(attributes.communicates),
        "instrumentRated": _yes(attributes.instrument_rated),
        "currentTransformersRatio": attributes.current_ratio,
        "potentialTransformersRatio": attributes.potential_ratio,
        "esiFirmwareVersion": attributes.firmware,
        "HANProtocol": attributes.han_protocol,
        "smartEnergyProfile": attributes.smart_energy_profile,
    }


def _yes(value: bool) -> str:
    return "Y" if value else "N"


def _date(day: date | None) -> str:
    return "" if day is None else us_date(day)
