"""Functions that rules of several files share: names of files, and the code, data and knobs that a job depends on."""

RECORD, TABLE = f"{RESULTS}/inputs/{{}}.json", f"{RESULTS}/{{}}.parquet"
SUFFIXES = ("parquet", "provenance.json")
EXPERIMENT_FILES = [
    f"{RESULTS}/{study.name}/{name}.{suffix}"
    for study in settings.studies
    for name in study.experiments
    for suffix in SUFFIXES
]
JOB = (  # the code of every job that affects values
    "jouleproof.evidence.tables:read",
    "jouleproof.evidence.tables:write",
    "jouleproof.measure.threads:use_one_thread",
    "jouleproof.measure.threads:use_placed_threads",
)


def options(name, paths):
    return [f"--{name}={path}" for path in paths]


def code_of(study, experiment):
    """Files that an experiment's function, its inputs' readers and the objects that its knobs name depend on."""
    readers = [catalogue()[id].reader for id in experiment.inputs]
    return sorted(
        {
            *sources(
                *JOB, study.object_name(experiment.function), *filter(None, readers)
            ),
            *code_named_in(study.knobs(experiment, knobs_of(study, experiment))),
        }
    )


def code_of_training(study, experiment):
    """Files that a function that trains, and the objects that its knobs name, depend on."""
    threads = "jouleproof.measure.threads:use_one_thread"
    named = code_named_in(study.knobs(experiment, knobs_of(study, experiment)))
    return sorted({*sources(threads, study.object_name(experiment.function)), *named})


def knobs_of(study, experiment):
    """The knobs that an experiment reads, as JSON: its rule runs again when one of these changes."""
    return study.knobs_json(experiment, settings.configs[study.name])


def data_of(study, experiment):
    """Files that an experiment's knobs name by path, and those in the folders that they name."""
    knobs = set(fields_of(study.config, experiment.knobs))
    files = data_files(settings.configs[study.name].model_dump(include=knobs))
    return [str(path) for path in files]


def state_of(study, experiment):
    """State of those files: a parameter, since Snakemake itself notices only files that are newer than the result."""
    return fingerprints(map(Path, data_of(study, experiment)))


def checkpoint_files(study, experiment):
    names = study.checkpoints_of(experiment, settings.configs[study.name])
    return [f"{RESULTS}/checkpoints/{study.name}/{name}.safetensors" for name in names]


def shared_job(experiment):
    """Group whose jobs share one cluster job; none for an experiment that reads a table, since it could wait for itself."""
    return (not experiment.results and experiment.group) or None


KIND_SUFFIXES = {"figure": ("pdf", "svg", "png"), "table": ("csv", "tex", "html")}
SHOWN = {"figure": "png", "table": "html"}  # file type in the report
CATEGORY = {"figure": "2 Figures", "table": "3 Tables"}
FIGURES = [name for name, picture in pictures.items() if picture.kind == "figure"]
TABLES = [name for name, picture in pictures.items() if picture.kind == "table"]
VERDICTS = f"{RESULTS}/verdicts.json"


def files_of(picture):
    """Files of a figure, and its caption; the report shows one of them."""
    stem = f"{RESULTS}/{picture.kind}s/{picture.name}"
    in_report = report(
        f"{stem}.{SHOWN[picture.kind]}",
        caption=str(Path.cwd() / f"{stem}.rst"),
        category=CATEGORY[picture.kind],
        subcategory=picture.study,
        labels={"what": picture.title},
    )
    others = [
        suffix
        for suffix in KIND_SUFFIXES[picture.kind]
        if suffix != SHOWN[picture.kind]
    ]
    return [in_report, f"{stem}.rst", *(f"{stem}.{suffix}" for suffix in others)]


def drawing_code(group):
    """Files that the figures of a group, and the code that draws them, depend on: code, and the ledger of their study."""
    ledgers = [
        study.ledger for study in settings.studies if study.name == group[0].study
    ]
    code = sources(
        "jouleproof.drawing.draw:draw_all",
        *(str(picture.path) for picture in group),
        packages=[study.package for study in settings.added],
    )
    return [*code, *(str(path) for path in ledgers if path)]


def result_files(names):
    return [f"{RESULTS}/{name}.{suffix}" for name in names for suffix in SUFFIXES]


FIGURE_FILES = [
    *(path for picture in pictures.values() for path in files_of(picture)),
    *(f"{RESULTS}/figures/overview.{suffix}" for suffix in KIND_SUFFIXES["figure"]),
    *(f"{RESULTS}/tables/verdicts.{suffix}" for suffix in KIND_SUFFIXES["table"]),
]
RESULT_FILES = result_files(
    dict.fromkeys(source for picture in pictures.values() for source in picture.sources)
)
CHEAP = [
    f"{study.name}/{name}"
    for study in settings.studies
    for name, experiment in study.experiments.items()
    if settings.quick or experiment.group == "small"
]
ADDED = [f"--study={study.package}" for study in settings.added]


def draw_rule(group):
    """Name of the rule that draws a group of figures."""
    return f"draw_{group[0].study}_{group[0].name.partition('/')[2]}"


def of_study(study):
    """All tables of numbers, figures and tables of text of a study."""
    return [
        path
        for path in [*FIGURE_FILES, *EXPERIMENT_FILES]
        if study.name in Path(path).parts
    ]


def results_folder(wildcards):
    return RESULTS


def figures_folder(wildcards):
    return str(HOME / "figures")


def later(function, *arguments):
    """Delay the look-up of an input until its job is needed, since reading code takes milliseconds per file."""
    return lambda wildcards: function(*arguments)


def users_files(id):
    """Files of an input that are in the user's folder: one that comes or goes there is another input."""
    paths = [Path(users_folder(id), file.file) for file in catalogue()[id].files]
    return [str(path) for path in paths if users_folder(id) and path.exists()]


def users_folder(id):
    """Return the user's folder; none for a table of the project, which then does not depend on it."""
    return (
        "" if isinstance(catalogue()[id], CommittedEntry) else settings.inputs_dir or ""
    )
