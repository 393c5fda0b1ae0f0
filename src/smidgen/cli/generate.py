"""``smidgen generate``: let a model continue a text."""

from typing import Annotated

import typer

from smidgen.cli.options import Json, ModelArgument, TrustRemoteCode


def generate(
    model: ModelArgument,
    prompt: Annotated[str, typer.Option("--prompt", help="Text to continue.")],
    preset: Annotated[
        str | None,
        typer.Option("--preset", metavar="NAME", help="Sample as a shipped recipe advises, e.g. gpt-s-5m or ant-5m."),
    ] = None,
    temperature: Annotated[float | None, typer.Option("--temperature", help="0 is greedy.")] = None,
    top_k: Annotated[int | None, typer.Option("--top-k", help="Keep the K most probable tokens; 0 is off.")] = None,
    top_p: Annotated[
        float | None, typer.Option("--top-p", help="Keep the most probable tokens up to this mass.")
    ] = None,
    min_p: Annotated[
        float | None, typer.Option("--min-p", help="Keep tokens above this share of the best one's probability.")
    ] = None,
    repetition_penalty: Annotated[
        float | None, typer.Option("--repetition-penalty", help="Above 1 makes used tokens less probable.")
    ] = None,
    no_repeat_ngram_size: Annotated[
        int | None, typer.Option("--no-repeat-ngram-size", help="Never repeat N tokens in a row; 0 is off.")
    ] = None,
    max_new_tokens: Annotated[int | None, typer.Option("--max-new-tokens", help="Its length.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Same seed, same text.")] = 0,
    echo_logprobs: Annotated[
        bool, typer.Option("--echo-logprobs", help="Print each token's log-probability, the prompt's included.")
    ] = False,
    trust_remote_code: TrustRemoteCode = False,
    as_json: Json = False,
) -> None:
    """Sample a continuation; settings not given are those that the model's recipe recommends."""
    import sys

    from smidgen import api
    from smidgen.cli.output import print_json
    from smidgen.stopping import stop_on_signals

    given = {
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "min_p": min_p,
        "repetition_penalty": repetition_penalty,
        "no_repeat_ngram_size": no_repeat_ngram_size,
        "max_new_tokens": max_new_tokens,
    }
    settings = {name: value for name, value in given.items() if value is not None}
    shown = [] if as_json else [prompt]

    def show(text: str) -> None:
        # The prompt goes out with the first piece, so that an error before it leaves stdout empty.
        if not as_json:
            print(*shown, text, sep="", end="", flush=True)
            shown.clear()

    with stop_on_signals() as stop_requested:
        result = api.generate(
            model,
            prompt,
            seed=seed,
            echo_logprobs=echo_logprobs,
            on_text=show,
            stop_requested=stop_requested,
            trust_remote_code=trust_remote_code,
            preset=preset,
            **settings,
        )
    if as_json:
        print_json(result)
        return
    print()
    for entry in [*result.get("prompt_logprobs", []), *result.get("logprobs", [])]:
        value = "       -" if entry["logprob"] is None else f"{entry['logprob']:8.3f}"
        print(f"{value}  {entry['token']}")
    for remark in result["remarks"]:
        print(f"note: {remark}", file=sys.stderr)
    print(f"{result['tokens']} tokens, {result['tokens_per_second']:.0f} tokens/s", file=sys.stderr)
