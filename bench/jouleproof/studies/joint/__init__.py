"""The levers together: what they save singly, one after another and all at once, from the other studies' tables."""
