"""Inputs: find, download and verify them, or generate stand-ins. catalogue.toml lists them.

resolve(id, out_dir, …) obtains an input and writes its record; load(record_path) reads a record and verifies its files
again; convert(id, source, folder) converts published files; read_trace, read_profile, read_gsm8k, read_power_cdf,
read_cpu_use and read_energy read the formats; read_table reads a table that a user made. Importing this package imports
no large library.
"""

from jouleproof.inputs.catalogue import (
    BringEntry,
    CommittedEntry,
    Entry,
    InputFile,
    PartsEntry,
    UrlEntry,
    WheelEntry,
    catalogue,
    entry,
    function_of,
)
from jouleproof.inputs.convert import convert
from jouleproof.inputs.files import InputError
from jouleproof.inputs.power_readers import read_job_use, read_power_domain
from jouleproof.inputs.readers import (
    Problem,
    read_cpu_use,
    read_energy,
    read_gsm8k,
    read_power_cdf,
    read_profile,
    read_trace,
)
from jouleproof.inputs.record import Origin, Record, RecordedFile, load
from jouleproof.inputs.resolve import Mode, default_cache, resolve
from jouleproof.inputs.table_files import numbers, read_table

__all__ = [
    "BringEntry",
    "CommittedEntry",
    "Entry",
    "InputError",
    "InputFile",
    "Mode",
    "Origin",
    "PartsEntry",
    "Problem",
    "Record",
    "RecordedFile",
    "UrlEntry",
    "WheelEntry",
    "catalogue",
    "convert",
    "default_cache",
    "entry",
    "function_of",
    "load",
    "numbers",
    "read_cpu_use",
    "read_energy",
    "read_gsm8k",
    "read_job_use",
    "read_power_cdf",
    "read_power_domain",
    "read_profile",
    "read_table",
    "read_trace",
    "resolve",
]
