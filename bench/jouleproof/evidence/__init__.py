"""The ledger of claims, and the verdicts that results give on them."""
