"""Folders of tiny `transformers` models, for tests of what is refused when they are loaded."""

import json

from safetensors.torch import load_file, save_file

from tests.models.families import tiny
from tests.models.test_minilm import small_tokenizer


def save_model(transformers, folder, family="llama", **config):
    """Save a tiny model of a family with a tokenizer. config: what its config has otherwise."""
    tiny(transformers, family, **{"vocab_size": 300, **config}).save_pretrained(folder)
    small_tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))


def change_json(path, **changes):
    """Change entries of a JSON object in a file; those that become None are taken out."""
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept = {name: value for name, value in {**entries, **changes}.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


def change_weights(folder, change):
    """Save the weights anew after change(weights), which edits them by name in place."""
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
