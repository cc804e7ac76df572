"""Tokenizers of the kinds that language models have, trained on a few lines."""

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LINES = [
    f"Question: Tom has {n}.\nAnswer: He has {n}/1=<<{n}/1={n}>>{n}, {n}+1=<<{n}+1={n + 1}>>{n + 1}.\n#### {n + 1}\n\n"
    for n in range(60)
]
SPECIAL = ["<unk>", "<s>", "</s>", "<|im_end|>"]


def byte_pairs(template=None, space=False, normalizer=None):
    """Build a tokenizer like GPT-2's. template: special tokens around a text. space: whether one is put before it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=space), decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    _train(tokenizer, trainers.BpeTrainer, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    if template:
        special = [(token, SPECIAL.index(token)) for token in ("<s>", "</s>")]
        tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=special)
    return tokenizer


def sentence_pieces(scheme, unigrams=False):
    """Build a tokenizer that puts a space before a text. scheme: of Metaspace, or "legacy" as in Llama 2's files."""
    tokenizer = Tokenizer(models.Unigram() if unigrams else models.BPE(unk_token="<unk>"))
    if scheme == "legacy":
        steps = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        tokenizer.normalizer = normalizers.Sequence(steps)
        decoding = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        tokenizer.decoder = decoders.Sequence(decoding)
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
        tokenizer.decoder = decoders.Metaspace(prepend_scheme=scheme)
    if unigrams:
        return _train(tokenizer, trainers.UnigramTrainer, unk_token="<unk>")
    return _train(tokenizer, trainers.BpeTrainer)


def lower_case_words():
    """Build a tokenizer like BERT's, which keeps neither capitals nor spaces."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return _train(tokenizer, trainers.WordPieceTrainer)


def _train(tokenizer, trainer, **options):
    plan = trainer(vocab_size=400, special_tokens=SPECIAL, show_progress=False, **options)
    tokenizer.train_from_iterator(LINES, plan)
    return tokenizer
