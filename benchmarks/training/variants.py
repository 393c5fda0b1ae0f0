"""The ways to train that are compared: names, and where each is found by the process that trains in that way."""

OURS, WHOLE_RUN, LITGPT = "ours", "ours in a whole run", "litgpt"
# In the order of the table. Those of others load what may not be installed.
VARIANTS = {
    "stock": "training.compiled_loop:stock",
    "transformers": "training.hugging_face:compiled",
    "transformers.Trainer": "training.hugging_face:trainer",
    "transformers.Trainer uncompiled": "training.hugging_face:trainer_uncompiled",
    "transformers.Trainer float32": "training.hugging_face:trainer_float32",
    LITGPT: "training.lit:train",
    "nanoGPT style float32": "training.nano_gpt:train",
    OURS: "training.ours:whole",
    "ours with documents apart": "training.ours:documents_apart",
    WHOLE_RUN: "training.whole_run:train",
    "ours without attention": "training.ours:without_attention",
    "ours without feed-forward": "training.ours:without_feed_forward",
    "ours without head": "training.ours:without_head",
    "ours without norms": "training.ours:without_norms",
}
# Slower forms of another, left out unless they are named.
UNASKED = ("transformers.Trainer uncompiled", "transformers.Trainer float32")
