from smidgen.tokenization.quality import roundtrip_failures
from smidgen.tokenization.tokenizer import Tokenizer


def test_sound_tokenizers_have_no_failures(tokenizer):
    assert roundtrip_failures(tokenizer, ["Two cats\r\n", "\u212a İ ß", "007 + 1", "", "<|endoftext|>"]) == []


def test_failures_are_found(trained):
    class Broken(Tokenizer):
        def decode(self, token_ids, *, skip_special=True):
            return super().decode(token_ids, skip_special=skip_special).replace("\u212a", "K")

    broken = Broken(trained["plain"].definition)
    assert roundtrip_failures(broken, ["fine", "300 \u212a", "K"]) == ["300 \u212a"]


def test_a_control_token_out_of_text_is_a_failure(trained):
    class Obedient(Tokenizer):
        def encode_stream(self, texts):
            for text in texts:
                ids = next(super().encode_stream([text]))
                yield [self.end_of_text_id] if text == "<|endoftext|>" else ids

        def decode(self, token_ids, *, skip_special=False):
            return super().decode(token_ids, skip_special=False)

    obedient = Obedient(trained["plain"].definition)
    assert obedient.decode(next(obedient.encode_stream(["<|endoftext|>"]))) == "<|endoftext|>"
    assert roundtrip_failures(obedient, ["<|endoftext|>", "a"]) == ["<|endoftext|>"]
