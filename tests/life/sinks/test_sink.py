import pytest

from smidgen.errors import BadInput
from smidgen.life.sinks.sink import require_known


def test_known_names_pass():
    require_known(["trackio", "tensorboard"])


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(BadInput, match="--sink tensorbord is unknown; did you mean tensorboard"):
        require_known(["tensorbord"])
