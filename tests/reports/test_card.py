import re

import pytest
import yaml
from markdown_it import MarkdownIt

from smidgen.recipes.evaluation import Published
from smidgen.recipes.mixture import DataSettings, Source
from smidgen.reports.card import render
from smidgen.reports.run_records import read_run

HOSTILE = (
    "<script>alert(1)</script>",
    "![x](http://evil.example/x.png)",
    "[click](javascript:alert(1)) <http://evil.example> http://evil.example www.evil.example",
    "a | b\n| c | d |\n\n# heading\n---\nlicense: mit",
    "```\n<b>out of the fence</b>\n````\n~~~",
    "`code` **bold** _it_ ~~gone~~ $x$ &lt;i&gt; \\* {{ 7 * 7 }}",
    "    indented\n\n<div>\n",
)

# What the card is made of: no link, picture, emphasis or raw HTML.
TAGS = {"h1", "h2", "h3", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "pre", "code"}


@pytest.fixture
def card(full_run):
    return render(read_run(full_run), ("scores.png", "loss_curve.png"))


def head(card):
    return yaml.safe_load(re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)[1])


def body(card):
    return re.sub(r"\A---\n.*?\n---\n", "", card, flags=re.DOTALL)


def html(card):
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(body(card))


def test_the_head_holds_what_the_hub_reads(card):
    found = head(card)
    found.pop("model-index")
    assert found == {
        "license": "apache-2.0",
        "language": ["en"],
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["smidgen", "small-language-model", "causal-lm", "grouped-query-attention", "xsa", "custom_code"],
        "datasets": ["HuggingFaceFW/fineweb-edu"],
    }


def test_the_model_index_holds_measured_values_and_no_others(card):
    (model,) = head(card)["model-index"]
    values = {
        (result["dataset"]["type"], metric["type"]): metric["value"]
        for result in model["results"]
        for metric in result["metrics"]
    }
    assert model["name"] == "quickstart"
    assert values == {
        ("smidgen-bits-per-byte", "bits_per_byte"): 1.934,
        ("smidgen-arithmark2-generated", "acc"): 0.418,
        ("smidgen-arithmark2-generated", "exact_match"): 0.113,
        ("smidgen-minimal-pairs", "acc"): 0.7097,
    }


def test_the_hub_s_own_reader_accepts_the_head(card):
    huggingface_hub = pytest.importorskip("huggingface_hub")
    data = huggingface_hub.ModelCard(card).data
    assert data.model_name == "quickstart"
    assert {result.metric_value for result in data.eval_results} == {1.934, 0.418, 0.113, 0.7097}


def test_benchmarks_are_named_as_the_hub_names_them_and_read_back_by_its_own_reader(benchmarked):
    huggingface_hub = pytest.importorskip("huggingface_hub")
    results = huggingface_hub.ModelCard(render(read_run(benchmarked), ())).data.eval_results
    found = {(result.dataset_type, result.metric_type): result for result in results}
    arc = found["allenai/ai2_arc", "acc_norm"]
    assert (arc.dataset_name, arc.dataset_config, arc.dataset_split) == ("ARC-Easy", "ARC-Easy", "test")
    assert arc.metric_value == 0.331
    assert arc.metric_name == "acc_norm, 95% interval 0.301 to 0.361, 570 items"
    assert arc.source_url == "https://huggingface.co/datasets/allenai/ai2_arc"
    assert found["allenai/ai2_arc", "acc"].metric_value == 0.322
    wikitext = found["EleutherAI/wikitext_document_level", "word_perplexity"]
    assert wikitext.metric_name == "word_perplexity, 95% interval 68,814 to 136,882, 62 items"
    assert {result.task_type for result in results} == {"text-generation"}


def test_a_benchmark_of_many_configs_names_none_and_its_parts_are_no_results(benchmarked):
    results = head(render(read_run(benchmarked), ()))["model-index"][0]["results"]
    (blimp,) = [result for result in results if result["dataset"]["type"] == "nyu-mll/blimp"]
    assert blimp["dataset"] == {"type": "nyu-mll/blimp", "name": "BLiMP", "split": "train"}
    assert not [result for result in results if "/" in result["dataset"]["name"]]


def test_what_is_not_on_the_hub_cannot_be_mistaken_for_a_dataset_there(benchmarked, edit):
    def add(stored):
        score = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10}
        stored["scores"] |= {"my task (v2).toml": {"acc": score}}

    edit(benchmarked.scores / "recipe.json", add)
    results = head(render(read_run(benchmarked), ()))["model-index"][0]["results"]
    local = [result for result in results if result["dataset"]["type"].startswith("smidgen-")]
    assert {result["dataset"]["type"] for result in local} == {
        "smidgen-bits-per-byte",
        "smidgen-arithmark2-generated",
        "smidgen-minimal-pairs",
        "smidgen-my-task-v2-.toml",
    }
    for result in local:
        # The pattern that the hub demands of an id, without an owner.
        assert re.fullmatch(r"[\w.-]+", result["dataset"]["type"])
        assert result["dataset"]["name"].endswith("(not on the hub)")
        assert "source" not in result


def test_the_quoted_metric_and_outer_groups_come_first_and_the_rest_apart(benchmarked):
    card = render(read_run(benchmarked), ())
    quoted, _, others = card.partition("### Other metrics of the same tasks")
    assert "| arc\\_easy | acc\\_norm | 33.1% (30.1 to 36.1) | chance 25.0% | 570 (4 ties, 9 cut) |" in quoted
    assert "| wikitext | word\\_perplexity | 95,927 (68,814 to 136,882) | – | 62 |" in quoted
    assert "| arc\\_easy | acc | 32.2%" in others
    assert "| arc\\_easy | acc | " not in quoted
    assert "blimp/binding" in quoted
    assert "blimp/set" not in card


def test_indices_conditions_warnings_ties_and_cuts_are_said(benchmarked):
    card = render(read_run(benchmarked), ())
    assert "Open SLM Intelligence Index: −0.52 (−3.10 to 2.06), 95% interval." in card
    assert "benchmarks.json: fast precision, a window of 548 tokens, at most 570 items of each task or part." in card
    assert "- blimp: 3 items ask what an earlier one asked." in card
    assert "length-normalised accuracy: several endings share the best score in 4 of 570 items" in card
    assert "length-normalised accuracy: 9 of 570 items did not fit into the window" in card


def test_a_run_without_scores_has_no_model_index(full_run):
    (full_run.scores / "recipe.json").unlink()
    card = render(read_run(full_run), ())
    assert "model-index" not in head(card)
    assert "## Scores" not in card


def test_a_licence_is_never_guessed(fresh_run):
    card = render(read_run(fresh_run(published=Published())), ())
    assert head(card)["license"] == "unknown"
    assert "choose one before publishing" in card


def test_a_language_is_not_claimed_for_files_of_the_user(fresh_run):
    run = fresh_run(data=DataSettings(sources={"text": Source(files=("buch.txt",))}))
    assert "language" not in head(render(read_run(run), ()))


def test_scores_stand_with_intervals_and_with_what_is_reached_without_a_model(card):
    assert "| arithmark2-generated | acc | 41.8% (38.8 to 44.9) | chance 25.0%, longest 27.1%" in card
    assert "| bits-per-byte | bits\\_per\\_byte | 1.934 (1.913 to 1.955) | gzip 2.713, xz 2.421 | 412 |" in card
    assert "| RoPE theta (inferred) | 10,000 |" in card
    assert "2,048 tokens; 3.13 bytes per token on text, 1.21 bytes per token on arithmetic" in card


def test_self_reported_scores_have_a_table_of_their_own(card):
    measured, _, reported = card.partition("### Published by others, self-reported")
    assert "no error bars" in reported
    assert "| hellaswag | acc\\_norm | 27.39% | not measured |" in reported
    assert "27.39" not in measured


def test_pictures_are_shown_where_they_exist(card):
    assert re.findall(r"!\[[^\]]*\]\(([^)]*)\)", card) == ["scores.png", "loss_curve.png"]


def test_code_to_load_the_model_is_kept_to_the_letter(card):
    assert "AutoTokenizer.from_pretrained(folder, trust_remote_code=True)" in card
    compile(re.search(r"```python\n(.*?)```", card, re.DOTALL)[1], "card", "exec")


def test_a_stock_export_asks_for_no_remote_code(full_run, edit):
    edit(full_run.exports / "hf.json", lambda stored: stored.update(kind="stock LlamaForCausalLM"))
    card = render(read_run(full_run), ())
    assert "trust_remote_code" not in card
    assert "custom_code" not in head(card)["tags"]


def test_text_of_the_run_is_never_markup(fresh_run, edit):
    run = fresh_run(
        name=HOSTILE[3],
        description=HOSTILE[2],
        source=HOSTILE[1],
        data=DataSettings(sources={HOSTILE[0]: Source(generator="grammar", license=HOSTILE[5])}),
    )
    poison(run, edit)
    card = render(read_run(run), ())
    shown = html(card)
    assert set(re.findall(r"<([a-z0-9]+)", shown)) <= TAGS
    assert shown.count("<h1>") == 1
    assert shown.count("<h2>") == card.count("\n## ")
    found = head(card)
    assert found["license"] == "apache-2.0"
    assert found["model-index"][0]["name"] == HOSTILE[3]


def test_samples_are_kept_to_the_letter(full_run, edit):
    text = HOSTILE[4] + HOSTILE[5]
    edit(full_run.samples, lambda stored: stored["samples"][0].update(text=text))
    tokens = MarkdownIt("commonmark").parse(body(render(read_run(full_run), ())))
    assert text + "\n" in [token.content for token in tokens if token.type == "fence"]


def poison(run, edit):
    score = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10, "ties": 0, "truncated": 1}
    counts = {"documents": 1, "train_tokens": 10, "planned_share": 0.5, "epochs": 9.0}

    def scores(stored):
        stored["scores"] |= {text: {text: score} for text in HOSTILE}
        stored["baselines"] |= {text: {text: 0.3} for text in HOSTILE}
        stored["warnings"] = list(HOSTILE)
        stored["settings"] = {"precision": HOSTILE[0], "limit": 3}
        stored["indices"] = {text: {"value": 1.0} for text in HOSTILE}

    def samples(stored):
        stored["settings"] = {text: text for text in HOSTILE}
        stored["samples"] = [{"prompt": text, "text": text} for text in HOSTILE]

    edit(run.scores / "recipe.json", scores)
    edit(run.samples, samples)
    edit(run.data / "index.json", lambda stored: stored.update(sources={t: {**counts, "origin": t} for t in HOSTILE}))
    edit(run.manifest, lambda stored: stored.update(versions={t: t for t in HOSTILE}, command="\n".join(HOSTILE)))
    edit(run.tokenizer / "quality.json", lambda stored: stored.update(bytes_per_token=dict.fromkeys(HOSTILE, 1.0)))
