"""From a source of a recipe to the files of a hub dataset at one commit."""

import importlib.util
import os
from typing import Any

from smidgen.data.files import ENDINGS
from smidgen.data.hub.asking import Question, ask, client_errors, first_sentence
from smidgen.data.hub.dataset import Dataset
from smidgen.data.stored_file import HUB_PREFIX, StoredFile
from smidgen.errors import BadInput
from smidgen.recipes.mixture import Source

# What the hub calls .json are JSON lines as a rule; a file that is not is refused when it is read.
HUB_ENDINGS = (*ENDINGS, ".json", ".json.gz", ".json.zst")
# Where the hub keeps its own conversion to parquet of datasets in other formats, as CONFIG/SPLIT/0000.parquet.
EXPORT = "refs/convert/parquet"
# Folders of splits of which the hub converts only the first few gigabytes.
PARTIAL = "partial-"
# Of one question about many files: a crawl of the web has 25,000.
MOST_PATHS = 1_000


class NotReadable(Exception):
    """Why the files of a dataset cannot be found, or not be read."""


def find_dataset(name: str, source: Source) -> tuple[Dataset, tuple[StoredFile, ...]]:
    """The dataset that a source names, at the commit its revision means today, and the files of its split in order.

    A dataset in another format than parquet or JSON lines is read from the hub's own conversion. Raises ``BadInput``
    for a dataset, revision, config or split that does not exist or may not be read, ``OutOfResources`` when the hub
    does not answer.
    """
    from huggingface_hub import HfApi

    if importlib.util.find_spec("datasets") is None:
        raise BadInput(
            f"source {name!r} is the hub dataset {source.hub}, which needs the package datasets: "
            f"pip install 'smidgen[data]', or give local files with --data {name}=PATH"
        )
    asked = Question(dataset=source.hub, revision=source.revision)
    info = ask(asked, lambda: HfApi().dataset_info(source.hub, revision=source.revision or None))
    notes = [f"the hub dataset {source.hub} has moved to {info.id}"] if info.id != source.hub else []
    asked = Question(dataset=info.id, revision=str(info.sha))
    try:
        config, paths = _files_of_split(name, source, asked)
    except NotReadable as problem:
        asked, config, paths = _converted(name, source, asked, problem)
        notes.append(f"{info.id} is read from the hub's conversion to parquet because {problem}")
        if any(f"/{PARTIAL}" in path for path in paths):
            notes.append(f"the hub has converted only the beginning of split {source.split!r} of {info.id}")
    dataset = Dataset(
        id=info.id,
        config=config,
        split=source.split,
        revision=source.revision,
        commit=asked.revision,
        licenses=_licenses(info),
        notes=tuple(notes),
    )
    return dataset, _stored_files(asked, paths)


def _licenses(info: Any) -> tuple[str, ...]:
    said = (info.card_data.to_dict() if info.card_data else {}).get("license") or ()
    return (said,) if isinstance(said, str) else tuple(map(str, said))


def _stored_files(asked: Question, paths: list[str]) -> tuple[StoredFile, ...]:
    from huggingface_hub import HfApi

    found: dict[str, Any] = {}
    for start in range(0, len(paths), MOST_PATHS):
        some = paths[start : start + MOST_PATHS]
        entries = ask(
            asked,
            lambda some=some: HfApi().get_paths_info(  # type: ignore[misc]
                asked.dataset, some, revision=asked.revision, repo_type="dataset"
            ),
        )
        found |= {entry.path: entry for entry in entries}
    missing = [path for path in paths if path not in found]
    if missing:
        raise BadInput(
            f"the hub dataset {asked.dataset} lists {missing[0]} but does not hold it; give another revision"
        )
    return tuple(
        StoredFile(
            name=path,
            location=f"{HUB_PREFIX}{asked.dataset}@{asked.revision}/{path}",
            size_bytes=found[path].size,
            version=found[path].lfs.sha256 if found[path].lfs else found[path].blob_id,
        )
        for path in paths
    )


# As the card of the dataset says, or the names of its files, by the rules of the library datasets


def _files_of_split(name: str, source: Source, asked: Question) -> tuple[str, list[str]]:
    """The config and the paths of the split's files. Raises ``NotReadable``."""
    config = ask(asked, lambda: _config(name, source, asked))
    splits = {str(split): list(map(str, files)) for split, files in (config.data_files or {}).items()}
    if source.split not in splits:
        raise _unknown(name, "split", source.split, list(splits), asked)
    prefix = f"{HUB_PREFIX}{asked.dataset}@{asked.revision}/"
    unread = [url for url in splits[source.split] if not _is_read(url, prefix)]
    if unread:
        raise NotReadable(f"{os.path.basename(unread[0])} is not of a format that is read here")
    return config.name, [url.removeprefix(prefix) for url in splits[source.split]]


def _is_read(url: str, prefix: str) -> bool:
    # "::" marks a file inside an archive.
    return url.startswith(prefix) and "::" not in url and url.lower().endswith(HUB_ENDINGS)


def _config(name: str, source: Source, asked: Question) -> Any:
    import datasets
    from datasets.exceptions import DatasetNotFoundError
    from huggingface_hub import HfApi

    # A folder of this name below the working directory would be taken for the dataset.
    path = f"{HUB_PREFIX}{asked.dataset}" if os.path.isdir(asked.dataset) else asked.dataset
    try:
        return datasets.load_dataset_builder(path, source.config or None, revision=asked.revision).config
    except Exception as error:
        # A card is read by half a dozen packages, each with errors of its own.
        if isinstance(error, DatasetNotFoundError):
            # It was there a moment ago: this asks why its files may not be read.
            HfApi().auth_check(asked.dataset, repo_type="dataset")
        if isinstance(error, client_errors()) and not _says_not_there(error):
            raise
        if isinstance(error, ValueError):
            known = datasets.get_dataset_config_names(path, revision=asked.revision)
            if source.config not in known and (source.config or len(known) > 1):
                raise _unknown(name, "config", source.config, known, asked) from error
        raise NotReadable(f"its files are not found ({first_sentence(error)})") from error


def _says_not_there(error: Exception) -> bool:
    """Whether this is about the dataset; the client says of the network that a file is not in its cache either."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    return isinstance(error, FileNotFoundError) and not isinstance(error, LocalEntryNotFoundError)


def _unknown(name: str, what: str, given: str, known: list[str], asked: Question) -> BadInput:
    shown = ", ".join(sorted(known)[:20]) + (" ..." if len(known) > 20 else "")
    problem = f"has no {what} {given!r}" if given else f"has several {what}s and none was chosen"
    return BadInput(
        f"the hub dataset {asked.dataset} {problem}; it has {shown}: give one as data.sources.{name}.{what}"
    )


# As the hub itself has converted it


def _converted(name: str, source: Source, asked: Question, problem: NotReadable) -> tuple[Question, str, list[str]]:
    """The commit, the config and the paths of the split in the hub's conversion to parquet."""
    from huggingface_hub import HfApi

    unread = f"the hub dataset {asked.dataset} cannot be read: {problem}"
    if source.revision:
        raise BadInput(f"{unread}; without a revision the hub's conversion to parquet would do")
    try:
        info = ask(asked, lambda: HfApi().dataset_info(asked.dataset, revision=EXPORT))
    except BadInput as error:
        raise BadInput(
            f"{unread}, and the hub has no conversion of it; give local files with --data {name}=PATH"
        ) from error
    converted = Question(dataset=asked.dataset, revision=str(info.sha))
    files: dict[str, dict[str, list[str]]] = {}
    for path in sorted(sibling.rfilename for sibling in info.siblings or ()):
        config, _, rest = path.partition("/")
        split, _, file = rest.rpartition("/")
        if file.endswith(".parquet"):
            files.setdefault(config, {}).setdefault(split.removeprefix(PARTIAL), []).append(path)
    config = source.config or (next(iter(files)) if len(files) == 1 else "default" if "default" in files else "")
    if config not in files:
        raise _unknown(name, "config", config, list(files), asked)
    if source.split not in files[config]:
        raise _unknown(name, "split", source.split, list(files[config]), asked)
    return converted, config, files[config][source.split]
