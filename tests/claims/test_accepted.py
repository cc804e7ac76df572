"""paper/expected.toml and the picture in README are those of the last `make accept`."""

from pathlib import Path

from jouleproof.cli.claims import built_in_ledgers
from jouleproof.evidence.expected import read_expected
from jouleproof.evidence.ledger import read_ledgers
from jouleproof.evidence.verdicts import version_suffix
from jouleproof.inputs import catalogue
from tests.claims.samples import verdict_row

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = ROOT / "paper/expected.toml"


def test_every_verdict_that_was_accepted_is_of_a_claim_in_the_ledger():
    claimed = {
        claim.id + version_suffix(verdict_row(version=version))
        for claim in read_ledgers(built_in_ledgers())
        for version in claim.versions
    }
    accepted = {name for rows in read_expected(EXPECTED).values() for name in rows}
    assert accepted <= claimed, f"{sorted(accepted - claimed)} left the ledger: run `make accept`"


def test_every_stand_in_that_an_accepted_verdict_rests_on_is_in_the_catalogue():
    sections = {section for _, section in read_expected(EXPECTED)} - {"real"}
    ids = {id for section in sections for id in section.removeprefix("stand-in ").split(", ")}
    assert ids <= set(catalogue()), f"{sorted(ids - set(catalogue()))} left the catalogue: run `make accept`"


def test_the_readmes_picture_was_accepted_with_its_table():
    assert (ROOT / "paper/overview.png").exists(), "README's picture is missing: run `make accept`"
