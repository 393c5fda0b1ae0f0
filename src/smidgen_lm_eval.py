"""Makes ``lm_eval --model smidgen`` work: smidgen_lm_eval.pth imports this whenever Python starts.

lm_eval 0.4.13 looks for no plug-ins (decisions/0007-lm-eval-plugin.md), so our model is entered into its registry at
the moment that lm_eval imports its own. Until then this costs one look at a name for each import, and nothing is
loaded; after that, nothing at all.
"""

import sys


class LmEvalModels:
    """Finds no module, but sees that ``lm_eval.models`` is about to be imported."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "lm_eval.models":
            sys.meta_path.remove(cls)
            register()


def register():
    """Name our model to lm_eval, to be imported when it is asked for."""
    # Not even a future lm_eval may keep its users from starting it.
    try:
        from lm_eval.api.registry import model_registry

        model_registry.register("smidgen", target="smidgen.evaluation.lm_eval.model:SmidgenLM")
    except Exception:
        pass


sys.meta_path.insert(0, LmEvalModels)
