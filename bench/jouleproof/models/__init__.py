"""Language models as plain torch modules: real weights with their tokenizers."""
