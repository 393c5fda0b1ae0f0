import base64
import hashlib
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from html.parser import HTMLParser

import pytest

from smidgen.recipes.evaluation import Published, PublishedScore
from smidgen.recipes.mixture import CurriculumPoint, DataSettings, Source
from smidgen.reports.page import render
from smidgen.reports.run_records import read_run
from smidgen.reports.words import NO_BREAK

HOSTILE = (
    "<script>alert(1)</script>",
    "</style><style>*{display:none}",
    "</svg><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "{{ 7 * 7 }}{% raw %}",
    "]]><!-- ",
    "&lt;b&gt;",
    "nul\x00 bell\x07 half\ud800 turned\u202e",
)
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Outline(HTMLParser):
    """What a browser would see: tags with attributes, and text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.text, self.faults = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):
        self.text.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self):
        return re.sub(r"\s+", " ", " ".join(self.text))


@pytest.fixture
def page(full_run):
    return render(read_run(full_run))


def svgs(page):
    return re.findall(r"<svg.*?</svg>", page, re.DOTALL)


def test_every_tag_is_closed_where_it_belongs(page):
    outline = Outline(page)
    assert outline.faults == []
    assert outline.open == []


def test_every_chart_is_valid_xml_with_a_title_and_finite_coordinates(page):
    charts = svgs(page)
    # Budget, loss, mixture, scores, bits per byte and stages, for desks and for phones.
    assert len(charts) == 12
    for chart in charts:
        tree = ElementTree.fromstring(chart)
        assert tree.find("title").text
        assert not re.search(r'"[^"]*\b(nan|inf)\b', re.sub(r'(data-tip|aria-label)="[^"]*"', "", chart))


def test_charts_stay_inside_their_frame(page):
    for chart in svgs(page):
        tree = ElementTree.fromstring(chart)
        width, height = (float(number) for number in tree.get("viewBox").split()[2:])
        for node in tree.iter():
            place = {key: float(node.get(key)) for key in ("x", "x1", "x2", "cx", "y", "y1", "cy") if node.get(key)}
            for key, value in place.items():
                assert -6 <= value <= (width if "x" in key else height) + 6, (node.tag, node.attrib)


def test_the_page_loads_nothing_and_sends_nothing(page):
    outline = Outline(page)
    for tag in ("img", "link", "iframe", "object", "embed", "form", "base", "audio", "video", "image", "use"):
        assert outline.named(tag) == []
    for tag, attributes in outline.tags:
        assert "src" not in attributes, tag
        assert "style" not in attributes, "style attributes are blocked by the page's own policy"
        assert not [name for name in attributes if name.startswith("on")]
    links = {attributes["href"] for attributes in outline.named("a")}
    assert {link for link in links if not link.startswith("#")} == {
        "https://huggingface.co/datasets/HuggingFaceFW/fineweb-edu"
    }
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style


def test_links_inside_the_page_lead_somewhere(page):
    outline = Outline(page)
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for attributes in outline.named("a"):
        if attributes["href"].startswith("#"):
            assert attributes["href"][1:] in ids


def test_the_policy_allows_exactly_the_style_and_script_on_the_page(page):
    policy = next(item["content"] for item in Outline(page).named("meta") if "http-equiv" in item)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_numbers_are_those_of_the_files(page):
    shown = Outline(page).words
    for number in (
        "1.12M parameters, trained on 9.83M tokens in 4 min 12 s on 2 CPU cores: "
        "1.93 bits per byte on held-out text, gzip 2.71, xz 2.42.",
        "1,123,712 exactly",
        "8.7 per parameter",
        "41.8% (38.8 to 44.9)",
        "52.7% (47.1 to 58.3)",
        "1.934 (1.913 to 1.955)",
        "chance 25.0%, longest 27.1%, shortest 23.8%, middle 33.4%",
        "feed forward 614,400 54.7%",
        "Bytes per token, arithmetic 1.21",
        "4 min 23 s, 1.21 GB",
        "Largest difference of a logit 4.8e-06",
        "Same most probable token 100.00%",
        "smidgen run quickstart --out runs/quickstart",
        "Not scored: hellaswag, no file hellaswag.jsonl in --eval-data.",
        "Read back with transformers 5.23.0.",
        "Not as gguf: exclusive self attention has no counterpart there",
        "too short 812, duplicate 1,304",
        "RoPE theta inferred 10,000",
        "Temperature 0.8, top p 0.95, max new tokens 64, seed 1.",
    ):
        assert number.replace(NO_BREAK, " ") in shown, number


def test_a_changed_file_changes_the_page(full_run, edit):
    edit(full_run.design, lambda design: design["parameters"].update(total=2_345_678))
    assert "2,345,678 exactly" in Outline(render(read_run(full_run))).words


def test_prompt_and_continuation_are_told_apart(page):
    assert '<span class="prompt">12 + 7 =</span> 19</blockquote>' in page
    assert page.count("repeats itself") == 1


def test_self_reported_scores_are_marked_and_stand_apart_from_measured_ones(page):
    shown = Outline(page).words
    assert "Self-reported, no error bars This run, measured" in shown
    assert "hellaswag acc_norm 27.39% not measured" in shown
    assert not [chart for chart in svgs(page) if "27.39" in chart or "hellaswag" in chart]


def test_a_score_counts_as_the_published_one_only_under_the_very_same_name(full_run, edit):
    def measure(stored):
        stored["scores"]["hellaswag"] = {"acc_norm": {"value": 0.26, "low": 0.25, "high": 0.27, "n": 100}}

    edit(full_run.scores / "recipe.json", measure)
    shown = Outline(render(read_run(full_run))).words
    assert "hellaswag acc_norm 27.39% 26.0% (25.0 to 27.0)" in shown
    assert "blimp acc 72.21% not measured" in shown


def test_benchmarks_show_the_quoted_metric_and_outer_groups_with_the_rest_in_details(benchmarked):
    page = render(read_run(benchmarked))
    chart = next(text for text in svgs(page) if "interval-chart" in text)
    for shown in ("ARC-Easy, acc_norm", "33.1% (30.1 to 36.1)", "BLiMP", "binding"):
        assert shown in chart
    assert "32.2%" not in chart
    assert "set 7" not in chart
    before, _, details = page.partition("<details>")
    assert "95,927 (68,814 to 136,882)" in before
    for hidden in ("8.540 (8.200 to 8.900)", "32.2%", "blimp/set 7"):
        assert hidden in details
        assert hidden not in before


def test_what_must_be_known_to_trust_the_scores_stands_beside_them(benchmarked):
    shown = Outline(render(read_run(benchmarked)).partition("<details>")[0]).words
    assert "Open SLM Intelligence Index, 95% interval −0.52 (−3.10 to 2.06)" in shown
    assert "benchmarks.json: fast precision, a window of 548 tokens, at most 570 items of each task or part." in shown
    assert "To be read with these scores blimp: 3 items ask what an earlier one asked." in shown
    assert "several endings share the best score in 4 of 570 items" in shown
    assert "9 of 570 items did not fit into the window" in shown


def test_what_several_files_hold_on_the_same_weights_stands_together(benchmarked):
    shown = Outline(render(read_run(benchmarked))).words
    assert "1.93 bits per byte on held-out text, gzip 2.71" in shown
    assert "Not scored: piqa" in shown
    assert "Not scored: minimal-pairs" not in shown


def test_published_scores_stand_beside_measured_ones_with_the_number_of_items(benchmarked):
    shown = Outline(render(read_run(benchmarked))).words
    assert "arc_easy acc_norm 33.16% 33.1% (30.1 to 36.1) 570 (4 ties, 9 cut)" in shown
    assert "hellaswag acc_norm 27.39% not measured –" in shown


def test_published_quantities_are_no_percentages(fresh_run):
    scores = (
        PublishedScore(task="wikitext", metric="word_perplexity", value=198251.9),
        PublishedScore(task="validation loss", metric="nats per token", value=4.2),
    )
    shown = Outline(render(read_run(fresh_run(published=Published(scores=scores))))).words
    assert "wikitext word_perplexity 198,251.90 not measured" in shown
    assert "validation loss nats per token 4.20 not measured" in shown


def test_text_of_the_run_is_never_markup(full_run, fresh_run, edit):
    run = fresh_run(
        name=HOSTILE[0],
        description=HOSTILE[1],
        source=HOSTILE[2],
        data=DataSettings(
            sources={name: Source(generator="grammar", purpose=name, license=name) for name in HOSTILE[:-1]},
            curriculum=(CurriculumPoint(at=0.0, weights=dict.fromkeys(HOSTILE[:-1], 1.0)),),
        ),
    )
    poison(run, edit)
    page = render(read_run(run))
    outline, harmless = Outline(page), Outline(render(read_run(full_run)))
    assert outline.faults == []
    assert outline.open == []
    assert {tag for tag, _ in outline.tags} <= {tag for tag, _ in harmless.tags}
    for tag in ("script", "style", "meta", "section", "h1"):
        assert len(outline.named(tag)) == len(harmless.named(tag)), tag
    known = Counter(name for _, attributes in harmless.tags for name in attributes)
    assert {name for _, attributes in outline.tags for name in attributes} <= set(known)
    for text in HOSTILE[:-1]:
        assert text in "".join(outline.text)
    page.encode("utf-8")
    for chart in svgs(page):
        ElementTree.fromstring(chart)


def poison(run, edit):
    """Put hostile text wherever a file of the run holds text."""

    def samples(stored):
        stored["samples"] = [
            {"prompt": text, "text": text, "finish_reason": text, "tokens": 1, "loop": True} for text in HOSTILE
        ]
        stored["settings"] = {text: text for text in HOSTILE}

    def scores(stored):
        score = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10, "ties": 0, "truncated": 1}
        stored["model"] = HOSTILE[0]
        stored["scores"] |= {text: {text: score, "acc": score} for text in HOSTILE}
        stored["scores"] |= {f"bits-per-byte/{text}": {"bits_per_byte": {**score, "value": 2.0}} for text in HOSTILE}
        stored["baselines"] |= {text: {text: 0.3, "chance": 0.5} for text in HOSTILE}
        stored["baselines"] |= {f"bits-per-byte/{text}": {text: 1.0} for text in HOSTILE}
        stored["skipped"] = {text: text for text in HOSTILE}
        stored["warnings"] = list(HOSTILE)
        stored["settings"] = {"precision": HOSTILE[0], "limit": 3}
        stored["indices"] = {text: {"value": 1.0, "low": 0.5, "high": 2.0} for text in HOSTILE}
        stored["outer_groups"] = {text: list(HOSTILE) for text in HOSTILE}

    def design(stored):
        fields = ("code", "severity", "message", "evidence", "suggestion")
        stored["findings"] = [dict.fromkeys(fields, text) for text in HOSTILE]
        stored["memory"] = dict.fromkeys(HOSTILE, 5)
        stored["parameters"] |= dict.fromkeys(HOSTILE, 5)

    def data(stored):
        counts = {"documents": 1, "train_tokens": 10, "planned_share": 0.5, "epochs": 9.0}
        stored["sources"] = {text: {**counts, "origin": text, "rejected": {text: 1}} for text in HOSTILE}
        stored["warnings"] = list(HOSTILE)

    def mixture(stored):
        for point in stored["points"]:
            point["planned"] = point["realised"] = dict.fromkeys(HOSTILE, 1 / len(HOSTILE))

    def export(stored):
        stored.update(
            kind=HOSTILE[0], notes=list(HOSTILE), refused=[{"format": text, "reason": text} for text in HOSTILE]
        )
        stored["files"] = [{"name": text, "bytes": 1, "sha256": text} for text in HOSTILE]

    def manifest(stored):
        stored.update(versions={text: text for text in HOSTILE}, command="smidgen run " + "; ".join(HOSTILE))
        stored["hardware"].update(processor=HOSTILE[0], gpu=HOSTILE[1])
        stored["stages"] = {text: {"seconds": 1.0, "peak_memory_bytes": 5} for text in HOSTILE}

    edit(run.samples, samples)
    edit(run.scores / "recipe.json", scores)
    edit(run.design, design)
    edit(run.data / "index.json", data)
    edit(run.mixture, mixture)
    edit(run.exports / "hf.json", export)
    edit(run.manifest, manifest)
    edit(
        run.tokenizer / "quality.json",
        lambda stored: stored.update(longest_tokens=list(HOSTILE), bytes_per_token=dict.fromkeys(HOSTILE, 1.0)),
    )
