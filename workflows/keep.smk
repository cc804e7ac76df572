"""Keep the previous table, and Snakemake's records of it, if a job fails.

Snakemake restores outputs marked `update`, but sets their time to the present and records the failed job's code and
knobs for them: it would take the old table for the new one. It would do so, too, for a job that ended with status 0 and
left the old table in place, as code that calls exec or a library's exit makes it do.
"""

import shutil

from jouleproof.libraries import part_of

try:
    FileBackupMixin = part_of("snakemake", "snakemake.persistence:FileBackupMixin")
    PersistenceBase = part_of("snakemake", "snakemake.persistence:PersistenceBase")
    for method in (
        "FileBackupMixin._get_backup_path",
        "FileBackupMixin.cleanup_backup",
        "PersistenceBase._get_key",
        "PersistenceBase._unmark_incomplete",
    ):
        part_of("snakemake", f"snakemake.persistence:{method}")
    note_as_finished = part_of(
        "snakemake", "snakemake.persistence:PersistenceBase.finished"
    )
except UserError as error:
    raise WorkflowError(str(error))

restored = set()


def backup_output(self, path):
    backup = self._get_backup_path(path)
    backup.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, backup)  # keeps the modification time


def restore_output(self, path):
    backup = self._get_backup_path(path)
    if not backup.exists():
        return False
    shutil.move(backup, path)
    restored.add(str(path))
    return True


def cleanup_backup(self, path):
    """Delete the backup of an output after a job succeeded, if the job replaced the output."""
    backup = self._get_backup_path(path)
    if not backup.exists():
        return
    if path.exists() and path.stat().st_mtime_ns == backup.stat().st_mtime_ns:
        raise WorkflowError(f"{path}: the job ended with status 0 but did not write it")
    backup.unlink()


async def finished(self, job):
    """Record a job as finished; Snakemake calls this for failed jobs too."""
    if not restored.intersection(map(str, job.output)):
        await note_as_finished(self, job)
        return
    for path in job.output:
        self._unmark_incomplete(self._get_key(path))


FileBackupMixin.backup_output = backup_output
FileBackupMixin.restore_output = restore_output
FileBackupMixin.cleanup_backup = cleanup_backup
PersistenceBase.finished = finished
