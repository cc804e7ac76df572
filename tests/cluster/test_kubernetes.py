"""Jobs for Kubernetes, without a cluster: a stand-in for kubectl takes the manifests and runs what a pod would run."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.jobs import FORMATS, MATVEC, RATES, on_cluster, run_here, untimed
from tests.pipeline.conftest import snakemake

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.skipif(
        find_spec("snakemake_executor_plugin_cluster_generic") is None,
        reason="pip install -e '.[cluster]' was not done",
    ),
]
KUBECTL = """\
#!{python}
import json, os, pathlib, subprocess, sys
folder = pathlib.Path(__file__).parent
if sys.argv[1] == "create":
    job = json.load(sys.stdin)
    name = job["metadata"]["generateName"] + str(len(list(folder.glob("*.json"))))
    (folder / (name + ".json")).write_text(json.dumps(job))
    [container] = job["spec"]["template"]["spec"]["containers"]
    given = {{one["name"]: one["value"] for one in container["env"]}}
    done = subprocess.run(container["command"], env={{"PATH": os.defpath, **given}}, capture_output=True)
    (folder / name).write_text("/1" if done.returncode else "1/")
    print("job.batch/" + name)
else:
    print((folder / sys.argv[3]).read_text())
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Return a folder in which a part of the pipeline ran as jobs for Kubernetes, and their manifests."""
    base = tmp_path_factory.mktemp("kubernetes")
    folder, programs = base / "run", base / "bin"
    folder.mkdir()
    programs.mkdir()
    kubectl = programs / "kubectl"
    kubectl.write_text(KUBECTL.format(python=sys.executable), encoding="utf-8")
    kubectl.chmod(0o755)
    path = f"{programs}:{Path(sys.executable).parent}:/usr/bin:/bin"
    asked = on_cluster("kubernetes", FORMATS, RATES, MATVEC)
    done = snakemake(folder, *asked, PATH=path, CLOUD_TOKEN="hidden-words")
    assert done.returncode == 0, done.stdout[-4000:]
    return folder, [json.loads(file.read_text(encoding="utf-8")) for file in sorted(programs.glob("*.json"))]


def test_every_job_is_a_manifest_that_kubernetes_takes(ran: tuple[Path, list[dict[str, Any]]]) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="pip install -e '.[cluster]' was not done")
    _folder, manifests = ran
    assert len(manifests) == 2  # formats and peak rates share one; matvec
    for manifest in manifests:
        kubernetes_validate.validate(manifest, "1.31", strict=True)


def test_a_manifest_that_kubernetes_would_refuse_is_found(ran: tuple[Path, list[dict[str, Any]]]) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="pip install -e '.[cluster]' was not done")
    _folder, [manifest, *_others] = ran
    wrong = {**manifest, "spec": {**manifest["spec"], "backofLimit": 0}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.31", strict=True)


def test_a_pod_asks_for_what_its_rule_needs_and_is_given_no_secret(ran: tuple[Path, list[dict[str, Any]]]) -> None:
    _folder, manifests = ran
    assert "hidden-words" not in json.dumps(manifests)
    by_rule = {manifest["metadata"]["labels"]["rule"]: manifest["spec"] for manifest in manifests}
    timed, shared = by_rule["mx-matvec"], by_rule["group"]
    for spec in (timed, shared):
        pod = spec["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert [variable["name"] for variable in pod["containers"][0]["env"]] == ["HOME"]
    [matvec] = timed["template"]["spec"]["containers"]
    assert matvec["resources"]["requests"] == {"cpu": "1800m", "memory": "8000M"}
    assert timed["activeDeadlineSeconds"] == 2 * 3600
    assert "affinity" in timed["template"]["spec"] and "affinity" not in shared["template"]["spec"]


def test_tables_made_by_such_jobs_have_the_bytes_of_a_local_run(
    ran: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    run_here(tmp_path, [FORMATS, RATES], ran[0])
    assert untimed(ran[0]) == untimed(tmp_path) != {}
