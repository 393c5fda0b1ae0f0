"""A trial: one variant under one seed at one scale, as a recipe that is ready to be trained."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from smidgen.errors import BadInput
from smidgen.lab.ablation.budget import Share, share_of
from smidgen.lab.ablation.definition import BITS_PER_BYTE, Ablation, Variant
from smidgen.recipes.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Seed, budget and tasks are in the recipe."""

    variant: str
    seed: int
    scale: float
    recipe: Recipe

    @property
    def folder_name(self) -> str:
        """Where the trial lies below the folder of all trials: "no-xsa/seed-2", at scale 2 "no-xsa/x2-seed-2"."""
        return folder_name(self.variant, self.seed, self.scale)


def folder_name(variant: str, seed: int, scale: float) -> str:
    return f"{variant}/seed-{seed}" if scale == 1 else f"{variant}/x{scale:g}-seed-{seed}"


def plan_shares(ablation: Ablation, rates: Mapping[str, float] | None = None) -> tuple[Share, ...]:
    """What each variant gets of the budget: scale by scale, the base first.

    Raises ``BadInput`` where the budget cannot be held equal, or seconds or bytes are to be without ``rates`` (tokens
    for each of them by the name of the variant).
    """
    missing = unmeasured(ablation, rates or {})
    if missing:
        raise BadInput(
            f"a budget of {ablation.budget.equal} needs {ablation.budget.needed_rate} of every variant, and "
            f"{missing[0]} is not measured"
        )
    return tuple(
        share_of(
            ablation.budget,
            one.name,
            one.recipe,
            scale=scale,
            base=ablation.base.recipe,
            rates=rates or MappingProxyType({}),
        )
        for scale in ablation.budget.scales
        for one in ablation.everyone
    )


def unmeasured(ablation: Ablation, rates: Mapping[str, float]) -> list[str]:
    """The variants whose rate has to be measured before the budget can be shared out."""
    needs = ablation.budget.needed_rate
    return [one.name for one in ablation.everyone if needs and one.name not in rates]


def plan_trials(ablation: Ablation, rates: Mapping[str, float] | None = None) -> tuple[Trial, ...]:
    """All trials in the order in which they are best carried out: scale by scale, seed by seed, the base first.

    Raises ``BadInput`` as ``plan_shares`` does.
    """
    return tuple(_trials(ablation, plan_shares(ablation, rates)))


def sweep_trial(ablation: Ablation, variant: Variant, *, seed: int) -> Trial:
    """A trial that is there for its bits per byte alone. Raises ``BadInput`` as ``plan_shares`` does."""
    share = share_of(
        ablation.budget, variant.name, variant.recipe, scale=1, base=ablation.base.recipe, rates=MappingProxyType({})
    )
    return _trial(ablation, share, seed, ())


def _trials(ablation: Ablation, shares: tuple[Share, ...]) -> Iterator[Trial]:
    for scale in ablation.budget.scales:
        for seed in ablation.seeds:
            for share in shares:
                if share.scale == scale:
                    yield _trial(ablation, share, seed, ablation.tasks)


def _trial(ablation: Ablation, share: Share, seed: int, tasks: Sequence[str]) -> Trial:
    recipe = _ready(ablation, share, seed, tasks)
    return Trial(variant=share.variant, seed=seed, scale=share.scale, recipe=recipe)


def _ready(ablation: Ablation, share: Share, seed: int, tasks: Sequence[str]) -> Recipe:
    recipe = share.recipe
    return replace(
        recipe,
        name=f"{ablation.name}/{folder_name(share.variant, seed, share.scale)}",
        # One checkpoint is what a trial needs to go on from; tens of trials fill a disk.
        training=replace(recipe.training, seed=seed, keep_checkpoints=1, keep_best=False),
        evaluation=replace(recipe.evaluation, tasks=(BITS_PER_BYTE, *tasks)),
    )
