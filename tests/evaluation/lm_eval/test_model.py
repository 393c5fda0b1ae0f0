from dataclasses import replace

import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

from smidgen.errors import BadInput, CheckFailed, Interrupted
from smidgen.evaluation.lm_eval.model import SmidgenLM
from smidgen.evaluation.rolling import windows
from smidgen.export.hugging_face import export_hugging_face
from smidgen.generation.decoding import greedy_batch

from ...export.tiny import ARITHMETIC, tiny_model

pytestmark = pytest.mark.filterwarnings("ignore")


def instances(*arguments) -> list[Instance]:
    return [Instance("", {}, given, 0, metadata=("task", number, 1)) for number, given in enumerate(arguments)]


@pytest.fixture(scope="module")
def model():
    return tiny_model(ARITHMETIC)


@pytest.fixture
def lm(model):
    return SmidgenLM(model)


def test_a_folder_is_opened_by_its_name(model, tmp_path):
    folder = tmp_path / "out"
    export_hugging_face(model, folder, check=False)
    opened = SmidgenLM(str(folder), max_length=31, batch_size="auto", device="cpu")
    pairs = instances(("12 +", " 34"), ("", "The cats"))
    assert opened.loglikelihood(pairs) == SmidgenLM(model).loglikelihood(pairs)
    assert opened.max_length == 31
    assert opened.get_model_info()["model_sha"] == opened.model.weights_sha256


def test_the_longest_sequence_is_what_was_asked_or_what_the_model_says(model):
    assert SmidgenLM(model).max_length == model.config.context_length
    assert SmidgenLM(replace(model, max_length=29)).max_length == 29
    assert SmidgenLM(replace(model, max_length=29), max_length=17).max_length == 17


def test_a_continuation_is_greedy_when_the_model_would_write_it(model, lm):
    prompt = model.tokenizer.encode("The cats sat")
    [written] = greedy_batch(model.decoder, [prompt], max_new_tokens=3, stop_ids=set())
    other = [*written[:-1], (written[-1] + 1) % 290]
    requests = [(("", ""), prompt, written), (("", ""), prompt, other)]
    assert [greedy for _, greedy in lm._loglikelihood_tokens(requests)] == [True, False]


def test_fall_backs_are_counted(lm):
    lm.loglikelihood(instances(("\n", "The"), ("The cats sat on the mat and the dogs ran", " over the hill")))
    assert lm.counts["blank_contexts"] == 1
    assert lm.counts["truncated"] == 1
    assert lm.get_model_info()["smidgen"]["truncated"] == 1


def test_a_text_without_tokens_is_certain_and_one_token_follows_the_prefix(lm):
    empty, one = lm.loglikelihood_rolling(instances(("",), ("T",)))
    assert empty == 0
    assert one == pytest.approx(lm.loglikelihood(instances(("", "T")))[0][0], abs=1e-5)


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 13, 14, 15, 36])
def test_documents_are_cut_into_the_windows_of_the_harness(count):
    ids = list(range(100, 100 + count))
    theirs = get_rolling_token_windows(token_list=ids, prefix_token=3, max_seq_len=7, context_len=1)
    ours = windows(ids, prefix=3, max_length=7)
    assert [(list(w.context), list(w.continuation)) for w in ours] == [make_disjoint_window(w) for w in theirs]


def test_fast_chooses_as_exact_does_and_keeps_what_has_no_rival_exact(model):
    items = [[(f"{a} + {b} =", f" {a + b + gap}") for gap in range(3)] for a in range(20) for b in range(20)]
    items[7] = items[7][:1]
    exact, fast = (SmidgenLM(model, precision=precision).answers(items) for precision in ("exact", "fast"))
    assert chosen(items, fast) == chosen(items, exact)
    assert fast[21].log_probability == pytest.approx(exact[21].log_probability, abs=1e-6)


def chosen(items, answers) -> list[int]:
    found = iter(answers)
    sums = [[next(found).log_probability for _ in item] for item in items]
    return [values.index(max(values)) for values in sums]


def test_writing_ends_before_a_stop_string(model, lm):
    [free] = lm.generate_until(instances(("The cats", {"until": [], "max_gen_toks": 20})))
    stop = free[3:5]
    [stopped] = lm.generate_until(instances(("The cats", {"until": [stop], "max_gen_toks": 20})))
    assert stopped == free[: free.index(stop)]
    assert len(stopped) < len(free)


def test_greedy_writing_is_what_greedy_decoding_gives(model, lm):
    prompt = model.tokenizer.encode("12 +")
    special = model.tokenizer.special_ids
    [ids] = greedy_batch(model.decoder, [prompt], max_new_tokens=9, stop_ids={special["eos"], special["end_of_text"]})
    asked = {"do_sample": False, "temperature": 0.7, "max_gen_toks": 9}
    assert lm.generate_until(instances(("12 +", asked))) == [model.tokenizer.decode(ids)]


def test_sampling_differs_between_draws_and_repeats_between_runs(lm):
    asked = {"do_sample": True, "temperature": 1.0, "max_gen_toks": 15}
    first, second = (lm.generate_until(instances(("The", asked), ("The", asked))) for _ in range(2))
    assert first == second
    assert first[0] != first[1]


def test_a_prompt_makes_room_for_what_is_written_and_never_vanishes(lm):
    prompt = "The cats sat on the mat and the dogs ran over the hill"
    lm.generate_until(
        instances((prompt, {"max_gen_toks": 5}), (prompt, {"max_gen_toks": 200}), ("", {"max_gen_toks": 2}))
    )
    assert lm.counts["prompts_cut"] == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"precision": "half"}, "precision=half must be one of exact, fast"),
        ({"max_length": 0}, "max_length=0 must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(model, settings, message):
    with pytest.raises(BadInput, match=message):
        SmidgenLM(model, **settings)


def test_a_generation_setting_that_we_do_not_have_is_refused(lm):
    with pytest.raises(BadInput, match="num_beams"):
        lm.generate_until(instances(("The", {"num_beams": 4})))
    with pytest.raises(BadInput, match="top_p=7 must be between 0 and 1"):
        lm.generate_until(instances(("The", {"do_sample": True, "temperature": 1.0, "top_p": 7})))


def test_a_model_that_returns_nan_is_refused(model):
    broken = tiny_model(ARITHMETIC)
    with torch.no_grad():
        broken.decoder.embed_tokens.weight.fill_(float("nan"))
    with pytest.raises(CheckFailed, match="NaN"):
        SmidgenLM(broken).loglikelihood(instances(("The", " cats")))
    with pytest.raises(CheckFailed, match="NaN"):
        SmidgenLM(broken).loglikelihood_rolling(instances(("The cats",)))


def test_scoring_and_writing_stop_when_asked(model):
    stopped = SmidgenLM(model, stop_requested=lambda: True)
    with pytest.raises(Interrupted):
        stopped.loglikelihood(instances(("The", " cats")))
    with pytest.raises(Interrupted):
        stopped.loglikelihood_rolling(instances(("The cats",)))
    with pytest.raises(Interrupted):
        stopped.generate_until(instances(("The", {})))
