"""Where studies are kept: in memory, in a journal file, or in a database."""

import optuna


def open_storage(place: str) -> optuna.storages.BaseStorage | None:
    """Open what keeps studies: "" is memory, a URL a database, anything else a journal file.

    Raises
    ------
    ValueError
        In one line, when it cannot be opened.
    """
    if not place:
        return None
    try:
        if "://" in place:
            return optuna.storages.RDBStorage(place)
        backend = optuna.storages.journal.JournalFileBackend(place)
        return optuna.storages.JournalStorage(backend)
    except Exception as error:  # every database has kinds of its own
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"storage '{place}' cannot be opened: {reason}; it is \"\" for memory, the path of a "
            "journal file, or a database's URL, such as sqlite:///studies.db"
        ) from error
