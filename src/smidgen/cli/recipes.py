"""``smidgen recipes``: what there is to run."""

from typing import Any

from smidgen.cli.options import Json


def recipes(as_json: Json = False) -> None:
    """List the recipes with their exact parameter counts."""
    from smidgen.cli.output import console, print_json, table
    from smidgen.design.parameters import count_parameters
    from smidgen.recipes.loading import load_recipe, shipped_names

    rows: list[dict[str, Any]] = []
    for name in shipped_names():
        recipe = load_recipe(name)
        rows.append(
            {
                "name": name,
                "parameters": count_parameters(recipe.design).total,
                "source": recipe.source,
                "inferred": list(recipe.inferred),
                "parameters_inferred": not recipe.published.parameters_exact,
                "description": recipe.description,
            }
        )
    if as_json:
        print_json({"recipes": rows})
        return
    shown = table("recipe", "parameters", "what it is")
    shown.columns[2].justify = "left"
    for row in rows:
        mark = " (inferred)" if row["parameters_inferred"] else ""
        shown.add_row(row["name"], f"{row['parameters']:,}{mark}", row["description"])
    console(as_json=False).print(shown)
