"""The page that travels with a bundle: what it is, how good it was measured to be, where it should not be used.

Taught in 07_deployment. After Mitchell et al. 2019, "Model Cards for Model Reporting".
"""

from typing import Any


def model_card(settings: dict[str, Any], metrics: dict[str, Any], data: dict[str, Any]) -> str:
    """Markdown about a bundle; every number comes from the bundle's own records."""
    rows = [
        f"| {name} | {row['mean']:.4f} | {row['low']:.4f} to {row['high']:.4f} |"
        for name, row in metrics.get("ndcg@10", {}).items()
    ]
    table = ["| model | NDCG@10 | 95 % interval |", "|---|---|---|", *rows] if rows else ["Nothing was measured."]
    lines = [
        "# Model card",
        "",
        f"Recommends items of {data['dataset']} to people with a history, by two vectors an item: one from the graph "
        "of users and items (LightGCN), one from the words about the item (a BERT).",
        "",
        "## Data",
        "",
        f"{data['num_users']:,} users, {data['num_items']:,} items, {data['num_interactions']:,} interactions, of "
        f"which {data['num_train']:,} trained the vectors. Fingerprint {data['fingerprint']}.",
        "",
        "## Measured",
        "",
        f"On the test part of the protocol {data['protocol']}, mean over {metrics.get('num_users', 0):,} users:",
        "",
        *table,
        "",
        "## Settings",
        "",
        *(f"- {name}: {value}" for name, value in settings.items()),
        "",
        "## Use and limits",
        "",
        "- Made for teaching. The interactions come from one group of volunteers in the 1990s; nothing here was "
        "checked for any other population.",
        "- The histories of the users lie in this folder. Treat it as personal data. Someone who asks to be forgotten "
        "is left out when the bundle is next made.",
        "- An item known by its words alone is placed where similar words are: its first clicks tell more.",
        "",
    ]
    return "\n".join(lines)
