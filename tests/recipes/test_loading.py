import pytest

from smidgen.errors import BadInput
from smidgen.recipes.loading import load_recipe, recipe_from_dict


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text("Once upon a time.")
    return path


def written(tmp_path, text, name="mine.toml"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["design.hiden_size=3"], r"unknown key design\.hiden_size; did you mean design\.hidden_size\?"),
        (["learning_rate=3"], r"unknown key learning_rate; did you mean training\.peak_learning_rate\?"),
        (["training.peak_lr=3"], r"unknown key training\.peak_lr; did you mean training\.peak_learning_rate\?"),
        (["data.sources.grammar.fils=1"], r"did you mean data\.sources\.grammar\.files\?"),
        (["data.curriculum.0.weight=1"], r"did you mean data\.curriculum\.0\.weights\?"),
        (["tokenizer.special_tokens.pat='x'"], r"did you mean tokenizer\.special_tokens\.pad\?"),
        (["training.optimizer=moun"], r"training\.optimizer knows no 'moun'; did you mean muon\?"),
        (["training.schedule=cosin"], r"training\.schedule knows no 'cosin'; did you mean cosine\?"),
        (["training.decay_shape=x"], r"decay_shape knows no 'x'; known are linear, cosine, sqrt"),
        (
            ["training.batch_schedule=[{at=0.5, tokens=1000}]"],
            r"training\.batch_schedule\.0\.tokens=1000 must be a multiple of .*; 768 would work",
        ),
        (["training.tokens=abc"], r"training\.tokens='abc': input should be a valid integer"),
        (["training.tokens=1.5"], r"training\.tokens=1\.5: input should be a valid integer"),
        (["design.num_heads=3"], r"hidden_size=128 is not a multiple of num_heads=3; hidden_size of 126 or 129"),
        (["design.num_layers=0"], r"num_layers=0 must be at least 1"),
        (["training.batch_tokens=1000"], r"must be a multiple of design\.context_length=256; 768 would work"),
        (["design.vocab_size=100"], r"vocab_size=100 is too small for byte-level BPE"),
        (
            ["tokenizer.digits=merged", "tokenizer.close_numbers=true"],
            r'close_numbers=true needs a token for each digit; digits="reversed" or digits="single" would work',
        ),
        (["sampling.temperature=-1"], r"temperature=-1\.0 must be 0 \(greedy\) or positive"),
        (["nonsense"], r"--set nonsense must be KEY=VALUE"),
        (["training.tokens.x=1"], r"lies below tokens, which is a value and no table"),
        (["data.curriculum.7.at=1"], r"data\.curriculum\.7"),
    ],
)
def test_a_wrong_override_gets_one_sentence_that_helps(overrides, message):
    with pytest.raises(BadInput, match=message) as caught:
        load_recipe("quickstart", overrides=overrides)
    assert "\n" not in str(caught.value)


def test_settings_come_after_the_overrides_and_stay_as_they_are():
    weights = {"documentation": 0.5, "grammar": 0.3, "arithmetic": 0.2}
    settings = {
        "training.schedule": "cosine",
        "data.curriculum": [{"at": 0.0, "weights": weights}],
        "data.curriculum.0.weights.grammar": 0.7,
    }
    recipe = load_recipe("quickstart", overrides=["training.schedule=linear"], settings=settings)
    assert recipe.training.schedule == "cosine"
    assert recipe.data.curriculum[0].weights == {**weights, "grammar": 0.7}
    assert weights["grammar"] == 0.3


def test_overrides_take_toml_values_and_reach_into_lists():
    recipe = load_recipe(
        "quickstart",
        overrides=["training.tokens=2e6", "training.precision=fp32", "data.curriculum.0.weights.grammar=0.5"],
    )
    assert recipe.training.tokens == 2_000_000
    assert recipe.training.precision == "fp32"
    assert recipe.data.curriculum[0].weights["grammar"] == 0.5


def test_an_unknown_name_suggests_the_nearest_recipe():
    with pytest.raises(BadInput, match=r"no recipe named 'gpt-s5m'; did you mean gpt-s-5m\?"):
        load_recipe("gpt-s5m")


def test_a_missing_file_lists_what_would_work(tmp_path):
    with pytest.raises(BadInput, match=r"cannot be read .*ant-5m-fixed, arithmetic-2\.7m, atom-2\.7m"):
        load_recipe(str(tmp_path / "none.toml"))


def test_broken_toml_is_located(tmp_path):
    with pytest.raises(BadInput, match=r"is not valid TOML: .*line 2"):
        load_recipe(written(tmp_path, "name = 'x'\n[design\n"))


def test_a_recipe_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "bin.toml").write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(BadInput, match="not UTF-8"):
        load_recipe(str(tmp_path / "bin.toml"))


def test_a_variant_changes_only_what_it_states(tmp_path):
    variant = load_recipe(
        written(tmp_path, 'extends = "gpt-s-5m"\nname = "wide"\n[design]\nintermediate_size = 800\n')
    )
    parent = load_recipe("gpt-s-5m")
    assert variant.name == "wide"
    assert variant.design.intermediate_size == 800
    assert variant.design.num_layers == parent.design.num_layers
    assert variant.training == parent.training


def test_a_variant_extends_a_file_beside_it(tmp_path):
    written(tmp_path, 'extends = "quickstart"\nname = "base"\n', "base.toml")
    child = load_recipe(written(tmp_path, 'extends = "base.toml"\n[training]\nseed = 7\n'))
    assert (child.name, child.training.seed) == ("base", 7)


def test_recipes_that_extend_each_other_are_refused(tmp_path):
    first = written(tmp_path, f'extends = "{tmp_path}/b.toml"\n', "a.toml")
    written(tmp_path, f'extends = "{tmp_path}/a.toml"\n', "b.toml")
    with pytest.raises(BadInput, match="which extends it in turn"):
        load_recipe(first)


def test_new_sources_replace_those_of_the_parent(tmp_path, book):
    variant = load_recipe(
        written(
            tmp_path,
            f"""extends = "quickstart"
[data]
curriculum = [{{ at = 0.0, weights = {{ book = 1.0 }} }}]
[data.sources.book]
files = ["{book}"]
""",
        )
    )
    assert list(variant.data.sources) == ["book"]


def test_a_named_source_is_replaced_by_files_and_keeps_its_weight(book):
    recipe = load_recipe("gpt-s-5m", data=[f"fineweb-hq={book}"])
    assert recipe.data.sources["fineweb-hq"].files == (str(book),)
    assert recipe.data.sources["fineweb-hq"].hub == ""
    assert recipe.data.mean_shares() == load_recipe("gpt-s-5m").data.mean_shares()


def test_text_stands_for_every_source_that_people_wrote(book):
    recipe = load_recipe("atom-2.7m", data=[f"text={book}"])
    assert recipe.data.mean_shares() == pytest.approx({"text": 0.9, "arithmetic": 0.1})
    assert list(load_recipe("gpt-s-5m", data=[f"text={book}"]).data.sources) == ["text"]


def test_one_source_may_have_several_files(book, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("More.")
    recipe = load_recipe("gpt-s-5m", data=[f"text={book}", f"text={other}"])
    assert recipe.data.sources["text"].files == (str(book), str(other))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("cosmopedia=README.md", r"no source 'cosmopedia'; did you mean cosmopedia-v2\?"),
        ("text=no-such-file.txt", r"--data text=no-such-file\.txt: no such file or folder"),
        ("text", "must be NAME=PATH"),
    ],
)
def test_wrong_data_gets_one_sentence_that_helps(data, message, book, monkeypatch):
    monkeypatch.chdir(book.parent)
    (book.parent / "README.md").write_text("x")
    with pytest.raises(BadInput, match=message):
        load_recipe("gpt-s-5m", data=[data])


@pytest.mark.parametrize(
    "override",
    [
        'data.sources={fineweb-edu={generator="grammar"}}',
        'data.sources.fineweb-edu={generator="grammar"}',
        'data.sources.fineweb-edu.files=["other.txt"]',
        "data.sources={}",
        "data=none",
    ],
)
def test_files_that_are_given_are_never_lost_to_an_override(book, override):
    with pytest.raises(BadInput, match=r"--data fineweb-edu=.* is undone by a --set of data\.sources; leave one out"):
        load_recipe("gpt-s-5m", data=[f"fineweb-edu={book}"], overrides=[override])


def test_files_that_are_given_are_never_lost_to_others(book):
    with pytest.raises(BadInput, match=r"--data fineweb-hq=.* is undone by --data text; leave one out"):
        load_recipe("gpt-s-5m", data=[f"fineweb-hq={book}", f"text={book}"])


def test_an_override_may_refine_a_source_of_given_files(book):
    recipe = load_recipe("gpt-s-5m", data=[f"fineweb-edu={book}"], overrides=["data.sources.fineweb-edu.text=story"])
    assert recipe.data.sources["fineweb-edu"].files == (str(book),)


def test_a_recipe_survives_the_way_through_plain_data():
    recipe = load_recipe("atom-3.4m")
    again = recipe_from_dict(recipe.as_dict(), origin="test")
    assert again == recipe
    assert again.fingerprint == recipe.fingerprint


def test_any_changed_key_changes_the_fingerprint():
    assert (
        load_recipe("quickstart").fingerprint != load_recipe("quickstart", overrides=["training.seed=2"]).fingerprint
    )


def test_a_recipe_that_closes_numbers_says_so_and_others_are_as_they_were():
    plain = load_recipe("quickstart", overrides=["tokenizer.digits=reversed"])
    closing = load_recipe("quickstart", overrides=["tokenizer.digits=reversed", "tokenizer.close_numbers=true"])
    assert "close_numbers" not in plain.as_dict()["tokenizer"]
    assert closing.as_dict()["tokenizer"]["close_numbers"] is True
    assert plain.fingerprint != closing.fingerprint
    for recipe in (plain, closing):
        assert recipe_from_dict(recipe.as_dict(), origin="test") == recipe
