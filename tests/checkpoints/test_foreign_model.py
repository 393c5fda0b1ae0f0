"""Models of others give the token ids, scores and texts that transformers and lm-evaluation-harness give them."""

import shutil
import sys
from itertools import groupby
from operator import itemgetter

import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import AutoModelForCausalLM, AutoTokenizer, BertConfig, GPTNeoXConfig, LlamaConfig

from smidgen import api
from smidgen.checkpoints.foreign_model import ForeignDecoder
from smidgen.checkpoints.foreign_tokenizer import ForeignStreamingDecoder, ForeignTokenizer
from smidgen.checkpoints.open_model import open_model
from smidgen.data.arithmetic import arithmetic_items
from smidgen.data.grammar import minimal_pairs
from smidgen.errors import BadInput
from smidgen.evaluation.lm_eval.model import SmidgenLM
from smidgen.evaluation.log_likelihood import log_likelihoods
from smidgen.evaluation.pair_encoding import encode_pairs, prefix_id
from smidgen.evaluation.request import Request
from smidgen.evaluation.rolling import rolling_nats
from smidgen.model.decoder import Decoder

from .foreign import CONFIGS, CONTEXT, ENTRIES, SIZES, edit, tokenizer, write_model

pytestmark = pytest.mark.filterwarnings("ignore")

TEXT = "The naïve cats sat, 12 + 34 = 46.\n\tThe end 😀"


@pytest.fixture(scope="module", params=[(kind, bos) for kind in CONFIGS for bos in (False, True)], ids=str)
def folder(request, tmp_path_factory):
    kind, adds_bos = request.param
    return write_model(tmp_path_factory.mktemp("foreign") / kind, CONFIGS[kind], adds_bos=adds_bos)


@pytest.fixture
def gpt2(tmp_path):
    return write_model(tmp_path / "gpt2")


def asked() -> list[tuple[int, str, str]]:
    """Sixty items: endings of sums, whole sentences, and contexts that have to be cut."""
    sums = [(item.context, ending) for item in arithmetic_items(seed=3, items=24) for ending in item.endings]
    sentences = minimal_pairs(seed=4, per_phenomenon=9)[:36]
    whole = [("", text) for pair in sentences[:24] for text in (pair.good, pair.bad)]
    long = [(5 * f"{pair.good} ", text) for pair in sentences[24:] for text in (pair.good, pair.bad)]
    items = [number // 4 for number in range(len(sums))]
    items += [24 + number // 2 for number in range(len(whole) + len(long))]
    return [(item, *pair) for item, pair in zip(items, [*sums, *whole, *long], strict=True)]


def choices(items: list[int], sums: list[float]) -> list[int]:
    groups = groupby(zip(items, sums, strict=True), key=itemgetter(0))
    values = [[value for _, value in group] for _, group in groups]
    return [row.index(max(row)) for row in values]


def test_scores_are_those_of_the_harness(folder):
    harness = HFLM(pretrained=str(folder), dtype="float32", device="cpu", batch_size=7)
    model = open_model(folder)
    items, *texts = zip(*asked(), strict=True)
    pairs = list(zip(*texts, strict=True))
    theirs = harness.loglikelihood([Instance("loglikelihood", {}, pair, 0) for pair in pairs], disable_tqdm=True)
    ours = log_likelihoods(model.decoder, encode_pairs(model.tokenizer, pairs)[0])
    assert len(set(items)) == 60
    assert [each.log_probability for each in ours] == pytest.approx([value for value, _ in theirs], abs=1e-4)
    assert [each.greedy for each in ours] == [greedy for _, greedy in theirs]
    assert choices(items, [each.log_probability for each in ours]) == choices(items, [value for value, _ in theirs])
    assert sum(each.truncated for each in ours) > 3
    assert model.config.context_length == harness.max_length == CONTEXT


def test_whole_documents_are_scored_as_the_harness_scores_them(folder):
    harness = HFLM(pretrained=str(folder), dtype="float32", device="cpu", batch_size=1)
    model = open_model(folder)
    texts = ["The cat sat.", TEXT, " ".join(pair.good for pair in minimal_pairs(seed=6, per_phenomenon=2))]
    theirs = harness.loglikelihood_rolling([Instance("", {}, (text,), 0) for text in texts], disable_tqdm=True)
    ids = model.tokenizer.encode_batch(texts)
    nats = rolling_nats(model.decoder, ids, prefix=prefix_id(model.tokenizer))
    assert [-value for value in nats] == pytest.approx(theirs, abs=1e-3)


def test_token_ids_are_those_of_the_harness(folder):
    harness = HFLM(pretrained=str(folder), dtype="float32", device="cpu")
    ours = open_model(folder).tokenizer
    texts = [TEXT, "", "<s>spelt", "x", " two  spaces "]
    assert ours.encode_batch(texts) == [harness.tok_encode(text) for text in texts]
    assert ours.encode(TEXT) == harness.tok_encode(TEXT)
    assert list(ours.encode_stream(texts)) == ours.encode_batch(texts)
    assert prefix_id(ours) == harness.prefix_token_id
    assert ours.decode(ours.encode(TEXT)) == TEXT


def test_greedy_text_is_that_of_transformers(folder):
    written = api.generate(folder, "The cats sat", temperature=0.0, max_new_tokens=20)
    theirs, tokens = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    prompt = tokens("The cats sat", return_tensors="pt", return_token_type_ids=False)
    ids = theirs.generate(**prompt, do_sample=False, max_new_tokens=20, pad_token_id=0)
    assert written["text"] == tokens.decode(ids[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    assert written["text"]


def test_writing_slides_past_the_context_and_streams_the_text_it_returns(gpt2):
    parts = []
    settings = {"temperature": 1.0, "top_k": 0, "max_new_tokens": 3 * CONTEXT, "seed": 4}
    result = api.generate(gpt2, "The cats", echo_logprobs=True, on_text=parts.append, **settings)
    assert result["tokens"] > CONTEXT
    assert "".join(parts) == result["text"]
    assert len(result["logprobs"]) == result["tokens"]


def test_the_harness_lets_it_write_too(gpt2):
    asked = {"until": [], "do_sample": False, "max_gen_toks": 9}
    [text] = SmidgenLM(str(gpt2)).generate_until([Instance("", {}, ("The cats", asked), 0)])
    assert text == api.generate(gpt2, "The cats", temperature=0.0, max_new_tokens=9)["text"]


def test_a_character_of_several_tokens_is_streamed_whole():
    foreign = ForeignTokenizer(tokenizer(adds_bos=True), origin="test")
    streaming = ForeignStreamingDecoder(foreign)
    parts = [streaming.push(token_id) for token_id in foreign.encode(TEXT)]
    assert not any("\ufffd" in part for part in parts)
    assert parts.count("") > 3
    assert "".join([*parts, streaming.flush()]) == TEXT
    unfinished = foreign.encode("😀")[:-1]
    assert [streaming.push(token_id) for token_id in unfinished] == [""] * len(unfinished)
    assert set(streaming.flush()) == {"\ufffd"}


def test_pieces_cannot_steer_a_terminal():
    foreign = ForeignTokenizer(tokenizer(), origin="test")
    pieces = foreign.pieces(foreign.encode("cat\x1b[2J\n"))
    assert "".join(pieces) == "cat\\x1b[2J\\n"


def test_parts_tokenised_apart_have_no_control_token_between_them():
    plain, with_bos = (ForeignTokenizer(tokenizer(adds_bos=bos), origin="test") for bos in (False, True))
    pairs = [("12 + 34 =", " 46"), ("", "cats")]
    assert encode_pairs(with_bos, pairs, jointly=False) == encode_pairs(plain, pairs, jointly=False)


def test_a_plain_llama_is_scored_by_our_own_decoder_and_others_by_transformers(tmp_path):
    assert isinstance(open_model(write_model(tmp_path / "llama", CONFIGS["llama"])).decoder, Decoder)
    stretched = LlamaConfig(**SIZES, rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 9_000.0})
    for name, config in (("stretched", stretched), ("qwen3", CONFIGS["qwen3"])):
        assert isinstance(open_model(write_model(tmp_path / name, config)).decoder, ForeignDecoder)


def test_weights_in_parts_are_read_and_named_by_all_of_them(gpt2, tmp_path):
    parts = tmp_path / "parts"
    shutil.copytree(gpt2, parts)
    (parts / "model.safetensors").unlink()
    AutoModelForCausalLM.from_pretrained(gpt2).save_pretrained(parts, max_shard_size="20KB")
    whole, in_parts = open_model(gpt2), open_model(parts)
    ids = torch.tensor([[5, 3, 200]])
    torch.testing.assert_close(in_parts.decoder(ids), whole.decoder(ids))
    assert in_parts.weights_sha256 != whole.weights_sha256
    last = sorted(parts.glob("model-*"))[-1]
    last.write_bytes(last.read_bytes()[:-4] + b"\0\0\1\0")
    assert open_model(parts).weights_sha256 != in_parts.weights_sha256


def test_a_continuation_longer_than_the_positions_is_refused(gpt2):
    decoder = open_model(gpt2).decoder
    with pytest.raises(BadInput, match=f"{CONTEXT + 1} tokens does not fit the {CONTEXT} positions.*--max-length"):
        log_likelihoods(decoder, [Request((5,), (7,) * (CONTEXT + 1))])


def test_a_tokenizer_with_more_entries_than_the_embedding_is_refused(tmp_path):
    small = GPTNeoXConfig(**{**SIZES, "vocab_size": ENTRIES - 1})
    with pytest.raises(BadInput, match=f"{ENTRIES} entries but the model embeds {ENTRIES - 1}"):
        open_model(write_model(tmp_path / "small", small))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (tokenizer(adds_eos=True), "adds more to a text than BOS in front.*add_eos_token=false"),
        (tokenizer(unk_token="<s>"), "neither a BOS nor an EOS token"),
    ],
)
def test_a_tokenizer_that_would_spoil_scores_is_refused(made, message):
    with pytest.raises(BadInput, match=message):
        ForeignTokenizer(made, origin="test")


def test_a_lone_surrogate_is_refused():
    with pytest.raises(BadInput, match="lone surrogate"):
        ForeignTokenizer(tokenizer(), origin="test").encode("a\ud800b")


def test_missing_weights_are_not_made_up(gpt2):
    edit(gpt2 / "config.json", n_layer=3)
    with pytest.raises(BadInput, match=r"the weights lack transformer\.h\.2\..* and \d+ more; they would be random"):
        open_model(gpt2)


def test_a_model_that_looks_ahead_is_refused(tmp_path):
    bert = BertConfig(**SIZES)
    with pytest.raises(BadInput, match="only causal models"):
        open_model(write_model(tmp_path / "bert", bert))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "t5"}, "model_type 't5', which is no causal language model that transformers"),
        ({"model_type": "unheard-of"}, "model_type 'unheard-of', which is no causal"),
        ({"n_embd": 36}, "transformers .* cannot read"),
    ],
)
def test_what_transformers_cannot_read_is_refused_in_one_sentence(gpt2, changes, message):
    edit(gpt2 / "config.json", **changes)
    with pytest.raises(BadInput, match=message) as refusal:
        open_model(gpt2)
    assert "\n" not in str(refusal.value)


def test_without_transformers_it_is_named(gpt2, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(BadInput, match=r'needs transformers to be read; pip install "smidgen\[export\]"'):
        open_model(gpt2)


def test_an_export_of_others_is_refused(gpt2, tmp_path):
    with pytest.raises(BadInput, match="model of others"):
        api.export(gpt2, tmp_path / "out")
    assert not (tmp_path / "out").exists()
