"""The page in a browser, as a visitor has it."""

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from smidgen.export.web.browser import Browser, find_browser, served
from smidgen.export.web.folder import export_web
from smidgen.generation.decoding import complete
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.sampling import SamplingSettings
from smidgen.recipes.trained_equations import trained_equations

from ..tiny import CONTEXT, DIGITS, RULES, SENTENCES, tiny_model

pytestmark = pytest.mark.skipif(find_browser() is None, reason="needs Chromium or Chrome")

GREEDY = SamplingSettings(temperature=0, max_new_tokens=12)
RECOMMENDED = SamplingSettings(temperature=0.65, top_k=17, repetition_penalty=1.1, max_new_tokens=30)
IS_READY = "document.documentElement.dataset.ready || document.querySelector('.trouble')"
IS_DONE = "document.getElementById('stop').hidden && document.querySelector('.status').textContent.includes('seed')"
NOTICE = "document.getElementById('notice').innerText"
OUTPUT = "document.querySelector('.output').innerText"


@pytest.fixture(scope="module")
def model():
    shape = {
        "xsa": True,
        "qk_norm": True,
        **DIGITS,
        "attention_bias": True,
        "tie_embeddings": False,
        "logit_softcap": 4.0,
    }
    equations = trained_equations(load_recipe("arithmetic-2.7m"))
    return replace(tiny_model(RULES, **shape), sampling=RECOMMENDED, equations=equations)


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    out = tmp_path_factory.mktemp("web") / "out"
    export_web(model, out, check=False)
    return out


@pytest.fixture(scope="module")
def browser():
    with Browser(find_browser()) as browser:
        yield browser


@contextmanager
def opened(browser, folder, path="", *, ready=True):
    """The page, opened; it must not complain about anything unless ``ready`` is false."""
    browser.errors.clear()
    with served(folder) as address:
        browser.open("about:blank")
        browser.open(f"{address}{path}")
        browser.wait_until(IS_READY)
        if ready:
            assert browser.evaluate("document.querySelector('.trouble')") is None
        yield browser
        if ready:
            # The page before may still have asked for its icon when its server had gone.
            assert [error for error in browser.errors if "http" not in error or address in error] == []


def press(browser, key, **modifiers):
    for kind in ("keyDown", "keyUp"):
        browser.command("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=0, **modifiers)


def prompts():
    """Two hundred: parts of sentences, sums, names in capitals, prompts longer than the context."""
    words = " ".join(SENTENCES).split(" ")
    cut = [" ".join(words[start : start + 1 + start % 7]) for start in range(len(words))]
    sums = [f"{a} + {b * 7} =" for a in range(8) for b in range(8)]
    others = [
        "",
        " ",
        "NASA",
        "McDonald's iPhone",
        "2026-11-21",
        "café 🙂 日本",
        "\x0e\x10",
        "a\nb",
        "(7 - 10) * 3 =",
        "-",
    ]
    return [*cut, *sums, *others, *(f"{n} {SENTENCES[n % 3] * 4}" for n in range(200))][:200]


# Ten seconds of CPU, of which a busy machine has little.
@pytest.mark.timeout(900)
def test_greedy_text_is_that_of_pytorch_after_two_hundred_prompts(model, folder, browser):
    script = """
    (async ({ prompts, settings }) => {
      const { WorkerEngine } = await import(new URL("page/engine.js", location.href).href);
      const engine = new WorkerEngine(new URL("model/model.json", location.href).href);
      await engine.load();
      const answers = [];
      for (const text of prompts) {
        const ids = [];
        await engine.complete({ text }, settings, 0, { begin() {}, token: ({ token }) => ids.push(token.id) });
        answers.push(ids);
      }
      return answers;
    })
    """
    settings = {name: getattr(GREEDY, name) for name in GREEDY.__dataclass_fields__}
    with opened(browser, folder):
        answers = browser.evaluate(f"{script}({json.dumps({'prompts': prompts(), 'settings': settings})})")
    tokenizer = model.tokenizer
    end = tokenizer.end_of_text_id
    expected = [
        complete(model.decoder, tokenizer.encode(text) or [end], GREEDY, stop_ids={end}).token_ids
        for text in prompts()
    ]
    assert len(set(map(tuple, expected))) > 100
    assert max(len(tokenizer.encode(text)) for text in prompts()) > CONTEXT
    assert answers == expected


def test_questions_while_it_writes_change_nothing(model, folder, browser):
    script = """
    (async (settings) => {
      const { WorkerEngine } = await import(new URL("page/engine.js", location.href).href);
      const engine = new WorkerEngine(new URL("model/model.json", location.href).href);
      await engine.load();
      const ids = [], asked = [];
      const token = (said) => {
        ids.push(said.token.id);
        if (ids.length < 4) asked.push(engine.inspect([5, 6, 7]), engine.attention([8, 9]));
      };
      await engine.complete({ text: "The cats" }, settings, 0, { begin() {}, token });
      const answers = await Promise.all(asked);
      return [ids, answers.length, answers[0].tokens.length, answers[1].weights[0][0].length];
    })
    """
    settings = {name: getattr(GREEDY, name) for name in GREEDY.__dataclass_fields__}
    with opened(browser, folder):
        answer = browser.evaluate(f"{script}({json.dumps(settings)})")
    assert answer == [complete(model.decoder, model.tokenizer.encode("The cats"), GREEDY).token_ids, 6, 3, 2]


def test_a_visitor_writes_goes_on_tries_again_and_takes_it_back(folder, browser):
    with opened(browser, folder):
        browser.evaluate("document.getElementById('prompt').focus(); document.getElementById('prompt').select()")
        browser.command("Input.insertText", text="The cats")
        press(browser, "Enter", modifiers=2)
        browser.wait_until(IS_DONE)
        first = browser.evaluate(OUTPUT)
        assert first.startswith("The cats")
        browser.evaluate("document.getElementById('again').click()")
        browser.wait_until(IS_DONE)
        second = browser.evaluate(OUTPUT)
        assert second.startswith("The cats")
        assert second != first
        browser.evaluate("document.getElementById('more').click()")
        browser.wait_until(IS_DONE)
        # A capital or a digit at the end may still have been changed by what came after it.
        assert browser.evaluate(OUTPUT).startswith(second[:-10])
        assert len(browser.evaluate(OUTPUT)) > len(second)
        for expected in (second, first):
            browser.evaluate("document.getElementById('undo').click()")
            assert browser.evaluate(OUTPUT) == expected
        assert browser.evaluate("document.getElementById('seed').value") == "0"


def test_the_sliders_begin_with_the_recommended_settings(folder, browser):
    with opened(browser, folder):
        shown = browser.evaluate(
            "Object.fromEntries([...document.querySelectorAll('[type=range]')].map((i) => [i.id, i.value]))"
        )
        preset = browser.evaluate("document.getElementById('preset').selectedOptions[0].textContent")
    assert {name: float(value) for name, value in shown.items()} == {
        name: getattr(RECOMMENDED, name) for name in RECOMMENDED.__dataclass_fields__
    }
    assert preset == "As its makers recommend"


def test_a_link_restores_prompt_settings_and_seed(folder, browser):
    with opened(browser, folder, "#prompt=12+%2B+3+%3D%0A%3Cb%3E&temperature=0.25&top_k=nonsense&min_p=7&seed=42"):
        ids = ["prompt", "temperature", "top_k", "min_p", "seed"]
        values = browser.evaluate(f"{ids}.map((id) => document.getElementById(id).value)")
        assert values == ["12 + 3 =\n<b>", "0.25", "17", "0", "42"]
        browser.evaluate("document.getElementById('write').click()")
        browser.wait_until(IS_DONE)
        first, link = browser.evaluate(OUTPUT), browser.evaluate("location.hash")
    with opened(browser, folder, link):
        browser.evaluate("document.getElementById('write').click()")
        browser.wait_until(IS_DONE)
        assert browser.evaluate(OUTPUT) == first


def test_what_a_model_or_a_visitor_writes_never_becomes_html(folder, browser):
    with opened(browser, folder):
        browser.evaluate("document.getElementById('prompt').value = '<img src=x onerror=alert(1)><script>x</script>'")
        browser.evaluate("document.getElementById('write').click()")
        browser.wait_until(IS_DONE)
        assert browser.evaluate(OUTPUT).startswith("<img src=x onerror=alert(1)><script>")
        assert browser.evaluate("document.querySelectorAll('img, .output script').length") == 0


def test_arrow_keys_show_what_the_model_held_likely(folder, browser):
    # In small letters: a capital would begin with a marker, which has no place in the text.
    with opened(browser, folder, "#prompt=the+cats&seed=1"):
        browser.evaluate("document.getElementById('write').click()")
        browser.wait_until(IS_DONE)
        browser.evaluate("document.querySelector('.output').focus()")
        press(browser, "End")
        browser.wait_until("!document.getElementById('why').hidden")
        assert "In the draw it had" in browser.evaluate("document.getElementById('why').innerText")
        assert browser.evaluate("document.querySelectorAll('#why tbody tr').length") >= 10
        # The first token has nothing before it, the second is part of the prompt.
        press(browser, "Home")
        browser.wait_until("document.getElementById('why').innerText.includes('The text begins here')")
        press(browser, "ArrowRight")
        browser.wait_until("document.getElementById('why').innerText.includes('part of the prompt')")
        browser.evaluate("document.querySelector('.attention').open = true")
        browser.wait_until("document.querySelectorAll('.attention .head').length === 12")
        press(browser, "Escape")
        assert browser.evaluate("document.getElementById('why').hidden")


def test_tokens_are_shown_as_the_model_reads_them(folder, browser):
    with opened(browser, folder, "#prompt=NASA+had+1234+Cats&max_new_tokens=1"):
        browser.evaluate("document.getElementById('write').click()")
        browser.wait_until(IS_DONE)
        assert browser.evaluate(OUTPUT).startswith("NASA had 1234 Cats")
        browser.evaluate("document.querySelector('input[value=tokens]').click()")
        assert browser.evaluate(OUTPUT).startswith("\u21ea")
        assert "4321" in browser.evaluate(OUTPUT)
        assert "\u21e7" in browser.evaluate(OUTPUT)


def test_a_prompt_longer_than_the_context_is_told(folder, browser):
    with opened(browser, folder):
        browser.evaluate("document.getElementById('prompt').value = 'the cats sat '.repeat(40)")
        browser.evaluate("document.getElementById('write').click()")
        browser.wait_until(IS_DONE)
        told = browser.evaluate("document.querySelector('.status').textContent")
    assert f"it read the last {CONTEXT} tokens" in told


def test_a_question_without_an_answer_is_told_and_answered(folder, browser):
    with opened(browser, folder):
        for prompt, is_told in (("12 / 0 =", True), ("12 + 34 =", False)):
            browser.evaluate(f"document.getElementById('prompt').value = {json.dumps(prompt)}")
            browser.evaluate("document.getElementById('write').click()")
            browser.wait_until(IS_DONE)
            told = browser.evaluate("document.querySelector('.status').textContent")
            assert ("12 / 0 divides by zero" in told) == is_told
            assert " tokens" in told


def test_writing_can_be_stopped(folder, browser):
    with opened(browser, folder, "#max_new_tokens=100000"):
        browser.evaluate("document.getElementById('write').click()")
        browser.wait_until("document.querySelector('.status').textContent.includes('tokens')")
        press(browser, "Escape")
        browser.wait_until(IS_DONE)
        assert "stopped" in browser.evaluate("document.querySelector('.status').textContent")


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(folder, browser, width):
    with opened(browser, folder, "#seed=1"):
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.command("Emulation.setDeviceMetricsOverride", **metrics)
        browser.evaluate("document.getElementById('write').click()")
        browser.wait_until(IS_DONE)
        browser.evaluate("document.querySelectorAll('.token')[3].click()")
        browser.wait_until("!document.getElementById('why').hidden")
        widest = browser.evaluate("document.documentElement.scrollWidth")
        browser.command("Emulation.clearDeviceMetricsOverride")
    assert widest <= width


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-8]), "the file is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:-8] + bytes(8)), "another checksum"),
        (lambda path: path.unlink(), "is not there (404)"),
    ],
    ids=["cut off", "changed", "missing"],
)
def test_damaged_weights_are_told_and_not_used(model, browser, tmp_path, damage, sentence):
    export_web(model, tmp_path / "out", check=False)
    damage(tmp_path / "out" / "model" / "weights.safetensors")
    with opened(browser, tmp_path / "out", ready=False):
        assert sentence in browser.evaluate(NOTICE)
        assert browser.evaluate("document.getElementById('bench').hidden")


def test_a_browser_without_what_is_needed_is_told_so(folder, browser):
    with served(folder) as address:
        browser.command("Emulation.setScriptExecutionDisabled", value=True)
        browser.open(f"{address}?without")
        browser.command("Emulation.setScriptExecutionDisabled", value=False)
        assert "The page has not started. It needs a browser" in browser.evaluate(NOTICE)
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source="delete window.Worker")
    with opened(browser, folder, ready=False):
        assert "needs a newer browser" in browser.evaluate(NOTICE)
    browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


WRITTEN = """
(async () => {
  const at = (name) => import(new URL(`page/${name}.js`, location.href).href);
  const [{ openModel, readDescription }, { SlidingWindow, complete }] = [await at("model"), await at("completion")];
  const address = new URL("model/model.json", location.href).href;
  const { decoder, tokenizer } = await openModel(await readDescription(address), address);
  const settings = { temperature: 0, repetition_penalty: 1, no_repeat_ngram_size: 0, max_new_tokens: 30 };
  const tokens = complete(new SlidingWindow(decoder), tokenizer.encode("The cats"), settings, 0, new Set());
  return [decoder.products.hasVectors, [...tokens].map(({ id }) => id)];
})()
"""


def test_without_webassembly_the_page_writes_the_same(folder, browser):
    with opened(browser, folder):
        has_vectors, first = browser.evaluate(WRITTEN)
        browser.evaluate("delete window.WebAssembly")
        still_has_vectors, second = browser.evaluate(WRITTEN)
    assert (has_vectors, still_has_vectors) == (True, False)
    assert first == second
