"""A program: the ids that transformers gives to texts, and the text it makes of them.

    python read_by_transformers.py FOLDER [code] < TEXTS.json > ANSWERS.json

``code`` lets it run the code in the folder.

It needs no Smidgen, so that it can run where another version of transformers is installed.
"""

import json
import sys

from transformers import AutoTokenizer


def main(folder, trusted=""):
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=trusted == "code")
    assert type(tokenizer).__module__.startswith("transformers.") == (trusted != "code")
    batch = tokenizer(json.load(sys.stdin), split_special_tokens=True)["input_ids"]
    json.dump([{"ids": ids, "decoded": tokenizer.decode(ids)} for ids in batch], sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
