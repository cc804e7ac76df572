"""Phase splitting: prompt and token phases of LLM inference on machines of their own."""
