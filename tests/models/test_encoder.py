"""The sentence encoder computes what transformers' BERT, mean pooling and normalisation compute on the same weights."""

import pytest
import torch
from torch.nn import functional

from tests.models.small import ENCODER, embedding_model, random_encoder

EMBEDDINGS = {
    "words": "embeddings.word_embeddings",
    "positions": "embeddings.position_embeddings",
    "segment": "embeddings.token_type_embeddings",
    "embedding_norm": "embeddings.LayerNorm",
}
LAYERS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "mlp_norm": "output.LayerNorm",
}


def their_name(ours):
    stem, _, kind = ours.rpartition(".")
    if stem in EMBEDDINGS:
        return f"{EMBEDDINGS[stem]}.{kind}"
    _, number, part = stem.split(".")
    return f"encoder.layer.{number}.{LAYERS[part]}.{kind}"


@pytest.fixture(scope="module")
def bert(transformers):
    config = transformers.BertConfig(
        vocab_size=ENCODER.vocabulary,
        hidden_size=ENCODER.width,
        num_hidden_layers=ENCODER.layers,
        num_attention_heads=ENCODER.heads,
        intermediate_size=ENCODER.mlp_width,
        max_position_embeddings=ENCODER.positions,
        layer_norm_eps=ENCODER.norm_epsilon,
        attn_implementation="eager",
    )
    model = transformers.BertModel(config, add_pooling_layer=False).eval()
    saved = {their_name(name): value for name, value in random_encoder().state_dict().items()}
    missing, unexpected = model.load_state_dict(saved, strict=False)
    assert unexpected == [] and set(missing) <= {"embeddings.position_ids", "embeddings.token_type_ids"}
    return model


@torch.inference_mode()
def sentence_vectors(bert, texts):
    longest = max(map(len, texts))
    tokens = torch.tensor([text + [0] * (longest - len(text)) for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts])
    hidden = bert(input_ids=tokens, attention_mask=mask).last_hidden_state
    mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
    return functional.normalize(mean, dim=-1)


@pytest.mark.parametrize(
    "texts", [[[5, 9, 2, 7]], [[5, 9, 2, 7], [3], [60, 1, 8, 33, 12, 4, 4, 0, 19]]], ids=["one", "padded"]
)
def test_sentence_vectors_are_those_of_bert_pooled_over_its_tokens(bert, texts):
    torch.testing.assert_close(embedding_model().run(texts), sentence_vectors(bert, texts), atol=1e-5, rtol=0)


def test_padding_does_not_change_a_vector():
    model = embedding_model()
    short, long = [3, 1, 4], [2, 7, 1, 8, 2, 8, 1, 8]
    torch.testing.assert_close(model.run([short, long])[0], model.run([short])[0], atol=1e-5, rtol=0)


def test_vectors_have_norm_one():
    vectors = embedding_model().run([[5, 9, 2, 7], [3]])
    torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(2))


def test_the_order_of_tokens_matters():
    one, other = embedding_model().run([[5, 9, 2, 7], [7, 2, 9, 5]])
    assert not torch.allclose(one, other, atol=1e-3)
