"""What an ablation comes to: the result, its page, and the noise floor that later ablations are planned with."""

from pathlib import Path
from typing import Any

from smidgen.lab.ablation.definition import Ablation
from smidgen.lab.ablation.noise_floor import NoiseFloor
from smidgen.lab.ablation.noise_record import keep_noise
from smidgen.lab.ablation.result import ablation_result
from smidgen.lab.ablation.sweep_outcome import with_confirmed
from smidgen.lab.ablation.sweep_result import sweep_result
from smidgen.records import atomic
from smidgen.reports.ablation.ablation_page import write_ablation_page
from smidgen.trials.ablation_run import stored_rates
from smidgen.trials.folder import AblationFolder
from smidgen.trials.watcher import AblationWatcher


def conclude(ablation: Ablation, path: Path, *, noise: Path | None, watcher: AblationWatcher) -> dict[str, Any]:
    """Write and return what the trials in the folder say so far.

    ``noise`` is the file that keeps the noise of the base once all is finished. Raises ``BadInput`` for trials whose
    scores are damaged.
    """
    folder = AblationFolder(path)
    result = ablation_result(with_confirmed(ablation, path), path, stored_rates(folder))
    if swept := sweep_result(ablation, path):
        result |= {
            "sweep": swept,
            # That of the definition, whatever the sweep has found.
            "fingerprint": ablation.fingerprint,
            "finished": result["finished"] and swept["finished"],
            "warnings": [*swept["warnings"], *result["warnings"]],
        }
    atomic.write_json(folder.result, result)
    write_ablation_page(result, path)
    if noise is not None and result["finished"]:
        try:
            keep_noise(noise, ablation.base.recipe, [NoiseFloor(**floor) for floor in result["noise_floor"]])
        except OSError as error:
            watcher.noticed(f"the noise floor is not kept in {noise} ({error.strerror})")
    return result
