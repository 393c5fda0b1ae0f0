"""Everything a run folder says, in one frozen object; what is not there yet is ``None`` or empty."""

from dataclasses import dataclass, replace

from smidgen.errors import BadInput
from smidgen.records.run_folder import RunFolder
from smidgen.reports.stored.data import DataIndex, MixturePoint, read_data_index, read_mixture
from smidgen.reports.stored.design import StoredDesign, read_design
from smidgen.reports.stored.export import Export, read_exports
from smidgen.reports.stored.ladder import StoredLadder, read_ladder
from smidgen.reports.stored.manifest import Manifest, read_manifest
from smidgen.reports.stored.recipe import StoredRecipe, read_recipe
from smidgen.reports.stored.samplers import SamplerStudy, read_samplers
from smidgen.reports.stored.samples import SampleSet, read_samples
from smidgen.reports.stored.scores import Score, ScoreFile, joined, read_score_files
from smidgen.reports.stored.tokenizer import TokenizerQuality, read_tokenizer_quality
from smidgen.reports.stored.training import TrainingRecord, read_training
from smidgen.reports.stored.values import text


@dataclass(frozen=True, kw_only=True)
class RunRecords:
    name: str
    recipe: StoredRecipe | None
    design: StoredDesign | None
    tokenizer: TokenizerQuality | None
    data: DataIndex | None
    mixture: tuple[MixturePoint, ...]
    training: TrainingRecord | None
    score_files: tuple[ScoreFile, ...]
    samples: SampleSet | None
    samplers: SamplerStudy | None
    exports: tuple[Export, ...]
    ladder: StoredLadder | None
    manifest: Manifest | None

    @property
    def scored_files(self) -> tuple[ScoreFile, ...]:
        """The score file that speaks for the run, and the others on the very same weights."""
        return tuple(
            file
            for place, file in enumerate(self.score_files)
            if place == 0 or (file.weights and file.weights == self.score_files[0].weights)
        )

    @property
    def scores(self) -> ScoreFile | None:
        """What the model was scored on, whichever file holds it."""
        return joined(self.scored_files) if self.score_files else None

    @property
    def scored_bits(self) -> Score | None:
        """Bits per byte on all held-out text, as scored after training."""
        return self.scores.bits_per_byte if self.scores else None

    @property
    def bits_per_byte(self) -> float | None:
        """As scored, else as last measured while training."""
        if self.scored_bits:
            return self.scored_bits.value
        if self.training and self.training.held_out:
            return self.training.held_out[-1].bits_per_byte
        return None

    @property
    def is_training_unfinished(self) -> bool:
        """Whether less was trained than the recipe plans, beyond the part of a batch that may be left over."""
        if not (self.training and self.recipe and self.recipe.planned_tokens):
            return False
        return not self.recipe.is_fulfilled_by(self.training.tokens)


def read_run(run: RunFolder) -> RunRecords:
    """Raises ``BadInput`` for a folder that holds nothing of a run, and for a damaged file, which it names."""
    recipe = read_recipe(run)
    training = read_training(run.measurements)
    records = RunRecords(
        name=recipe.name if recipe else text(run.path.resolve().name),
        recipe=recipe,
        design=read_design(run.design),
        tokenizer=read_tokenizer_quality(run.tokenizer / "quality.json"),
        data=read_data_index(run.data / "index.json"),
        mixture=_as_far_as_trained(read_mixture(run.mixture), training),
        training=training,
        score_files=read_score_files(run.scores),
        samples=read_samples(run.samples),
        samplers=read_samplers(run.samplers / "samplers.json"),
        exports=read_exports(run.exports),
        ladder=read_ladder(run.exports),
        manifest=read_manifest(run.manifest),
    )
    if not _holds_anything(records):
        raise BadInput(
            f"{run.path} is no run folder: there is nothing to report on; give the folder that "
            "`smidgen run RECIPE --out FOLDER` made"
        )
    return records


def _as_far_as_trained(
    mixture: tuple[MixturePoint, ...], training: TrainingRecord | None
) -> tuple[MixturePoint, ...]:
    """The order of samples is dealt for the whole run in advance: what lies ahead is not realised yet."""
    done = training.tokens if training else 0
    return tuple(point if point.tokens <= done else replace(point, realised={}) for point in mixture)


def _holds_anything(records: RunRecords) -> bool:
    return any(getattr(records, field) for field in records.__dataclass_fields__ if field != "name")
