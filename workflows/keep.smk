"""Keep the previous table, and Snakemake's records of it, if a job fails.

Snakemake restores outputs marked `update`, but sets their time to the present and records the failed job's code and
knobs for them: it would take the old table for the new one.
"""

import shutil

from jouleproof.libraries import part_of

try:
    FileBackupMixin = part_of("snakemake", "snakemake.persistence:FileBackupMixin")
    PersistenceBase = part_of("snakemake", "snakemake.persistence:PersistenceBase")
    for method in (
        "FileBackupMixin._get_backup_path",
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


async def finished(self, job):
    """Record a job as finished; Snakemake calls this for failed jobs too."""
    if not restored.intersection(map(str, job.output)):
        await note_as_finished(self, job)
        return
    for path in job.output:
        self._unmark_incomplete(self._get_key(path))


FileBackupMixin.backup_output = backup_output
FileBackupMixin.restore_output = restore_output
PersistenceBase.finished = finished
