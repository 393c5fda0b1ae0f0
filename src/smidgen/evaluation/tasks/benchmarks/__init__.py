"""One file per benchmark: where its documents lie and how each becomes an item.

Requests equal those of lm-evaluation-harness 0.4.13 (github.com/EleutherAI/lm-evaluation-harness, lm_eval/tasks)
character for character, zero-shot.
"""
