"""Run a Slurm of one node for testing the cluster profile: no accounting, everything in one folder, loopback only.

    python workflows/slurm/one_node.py start /tmp/slurm     # prints what to export; needs no root
    python workflows/slurm/one_node.py stop /tmp/slurm

It needs slurmctld, slurmd, munged and Slurm's commands (Debian: apt install slurmctld slurmd slurm-client munge). The
node claims a terabyte of memory and twice the cores of the machine, so that Slurm refuses no job because of its size.
"""

import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")
SEARCHED = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
PATIENCE_S = 60
LONGEST_FOLDER = 80  # a socket's path has at most 107 bytes

CONF = """\
ClusterName=one_node
SlurmctldHost=localhost(127.0.0.1)
SlurmctldAddr=127.0.0.1
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=bf_interval=1,sched_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
MinJobAge=86400
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=1000000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE OverSubscribe=NO State=UP
"""


def absent() -> list[str]:
    """List the programs that are not installed."""
    return [name for name in PROGRAMS if not shutil.which(name, path=SEARCHED)]


def start(folder: Path) -> dict[str, str]:
    """Start the daemons. Returns the environment in which Slurm's commands find them. Raises RuntimeError if Slurm does
    not start."""
    folder = folder.resolve()
    if len(str(folder)) > LONGEST_FOLDER:
        raise RuntimeError(f"{folder} is too long for a socket's path; choose at most {LONGEST_FOLDER} characters")
    for name in ("", "state", "spool"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    key = folder / "munged.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    ports = _free_ports(2)
    conf = folder / "slurm.conf"
    conf.write_text(
        CONF.format(
            folder=folder,
            user=_user(),
            host=socket.gethostname().split(".")[0],
            cores=2 * (os.cpu_count() or 1),
            controller_port=ports[0],
            node_port=ports[1],
        ),
        encoding="utf-8",
    )
    if _version() >= (23, 11):
        (folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n", encoding="utf-8")
    environment = {"SLURM_CONF": str(conf), "PATH": SEARCHED}
    munge = [f"--{part}-file={folder}/munged.{part}" for part in ("key", "pid", "log", "seed")]
    _run(environment, "munged", "--force", f"--socket={folder}/munge.socket", *munge)
    _run(environment, "slurmctld", "-c", "-f", str(conf))
    _run(environment, "slurmd", "-c", "-f", str(conf), "-N", "one")
    _wait_until_idle(folder, environment)
    return environment


def stop(folder: Path) -> None:
    """Stop the daemons that `start` started in this folder, with their jobs, and wait until they have ended."""
    environment = {"SLURM_CONF": str(folder.resolve() / "slurm.conf"), "PATH": SEARCHED}
    _output_of(environment, "scancel", "--quiet", f"--user={_user()}", "--full", "--signal=KILL")
    for name in ("slurmd", "slurmctld", "munged"):
        file = folder / f"{name}.pid"
        if not file.exists():
            continue
        pid = int(file.read_text(encoding="utf-8"))
        with suppress(ProcessLookupError, TimeoutError):
            os.kill(pid, signal.SIGTERM)
            _wait_for(partial(_ended, pid))


def _user() -> str:
    """Return the name of the user who runs this; environment variables may name another."""
    return pwd.getpwuid(os.getuid()).pw_name


def _ended(pid: int) -> bool:
    """Whether a process has ended. A zombie, which its parent has yet to reap, has ended too."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def _version() -> tuple[int, ...]:
    match = re.search(r"(\d+)\.(\d+)", _output_of({"PATH": SEARCHED}, "slurmctld", "-V"))
    if not match:
        raise RuntimeError("slurmctld -V gave no version")
    return tuple(map(int, match.groups()))


def _free_ports(count: int) -> list[int]:
    """Find free ports of the loopback interface. If another program takes one first, Slurm reports it."""
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in listening]
    for one in listening:
        one.close()
    return ports


def _run(environment: dict[str, str], *command: str) -> None:
    """Run a command with its output in a file: a daemon inherits the streams, so a pipe would never close."""
    out = Path(environment["SLURM_CONF"]).with_name(f"{command[0]}.out")
    with out.open("wb") as file:
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            timeout=PATIENCE_S,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{command[0]} did not start:\n{out.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def _output_of(environment: dict[str, str], *command: str) -> str:
    """Return the standard output of a command."""
    environment = {**os.environ, **environment}
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=PATIENCE_S,
        check=False,
    )
    return done.stdout


def _wait_until_idle(folder: Path, environment: dict[str, str]) -> None:
    try:
        _wait_for(lambda: _output_of(environment, "sinfo", "--noheader", "--format=%T").strip() == "idle")
    except TimeoutError as error:
        logs = "\n".join(
            f"{log.name}:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
            for log in sorted(folder.glob("*.log"))
        )
        stop(folder)
        raise RuntimeError(f"the node did not come up within {PATIENCE_S} s\n{logs}") from error


def _wait_for(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.2)


def main(arguments: list[str]) -> int:
    match arguments:
        case ["start", folder]:
            if absent():
                print(f"slurm: not installed: {', '.join(absent())}", file=sys.stderr)
                return 1
            try:
                environment = start(Path(folder))
            except RuntimeError as error:
                print(f"slurm: {error}", file=sys.stderr)
                return 1
            print(f"export SLURM_CONF={environment['SLURM_CONF']}")
            return 0
        case ["stop", folder]:
            stop(Path(folder))
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
