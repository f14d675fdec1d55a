"""Energy that the machine used while the steps ran, by codecarbon; only on request."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from mlops_action.records import Fact, Uncaptured

_SECONDS = 5
_COUNTRY = "FRA"
"""Codecarbon wants one for its carbon, of which nothing is recorded: who knows where the current came from?"""
_MEASURED = ("intel_rapl", "rapl", "power_gadget", "powermetrics", "emi")


class Energy:
    """Measures from ``start`` to ``stop``; a run never fails on it.

    It counts the whole machine, other jobs on it included, offline and without writing a file.
    """

    def __init__(self, wanted: bool) -> None:
        """Nothing is imported unless it is wanted."""
        self._wanted = wanted
        self._tracker: Any = None
        self._why = ""

    def start(self) -> None:
        """Begin."""
        if not self._wanted:
            return
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                from codecarbon import OfflineEmissionsTracker

                self._tracker = OfflineEmissionsTracker(
                    country_iso_code=_COUNTRY,
                    save_to_file=False,
                    allow_multiple_runs=True,
                    log_level="critical",
                    measure_power_secs=_SECONDS,
                )
                self._tracker.start()
        except ImportError:
            self._why = "codecarbon is not installed: pip install 'mlops-action[energy]'"
        except Exception as error:  # noqa: BLE001  # of a library that looks at all kinds of hardware
            self._why = f"codecarbon cannot measure here: {error}"

    def stop(self) -> Fact:
        """End; the fact is an observation, with what it rests on."""
        if not self._wanted:
            return Fact("energy")
        try:
            if self._tracker is not None and not self._why:
                self._tracker.stop()
                return _fact(self._tracker)
        except Exception as error:  # noqa: BLE001  # as above
            self._why = f"codecarbon broke off: {error}"
        return Fact("energy", uncaptured=(Uncaptured("energy", self._why),))


def _fact(tracker: Any) -> Fact:
    data = tracker.final_emissions_data
    methods = {str(getattr(each, "_mode", "")) for each in getattr(tracker, "_hardware", ())} - {"", "None"}
    method = ", ".join(sorted(methods)) or "unknown"
    observation = {
        "kwh": data.energy_consumed,
        "cpu-kwh": data.cpu_energy,
        "gpu-kwh": data.gpu_energy,
        "ram-kwh": data.ram_energy,
        "seconds": data.duration,
        "method": method,
        "tool": f"codecarbon {data.codecarbon_version}",
    }
    why = f"it is an estimate ({method}) of the whole machine, not a measurement"
    gaps = () if any(each in method for each in _MEASURED) else (Uncaptured("exact energy", why),)
    return Fact("energy", observation=observation, uncaptured=gaps)
