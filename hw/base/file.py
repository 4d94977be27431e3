"""Files that are either complete or not there."""

import os
import shutil
import tempfile
from pathlib import Path

from hw.base.error import InputError


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write `content` to `path` through a temporary file in the same folder and a rename.

    Missing folders are made. Raises `InputError` if the folder cannot be written or the disk is full.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(
            f"{path.parent} must be writable with room for {len(data)} bytes ({error.strerror}); "
            "free space or change its permissions"
        ) from None
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


def put_in_place(made: Path, target: Path) -> None:
    """Rename a finished file or folder to `target`, on the same file system; a folder of that name goes first.

    Of two processes that do so at once one wins; who must not lose `target` meanwhile holds a lock.
    """
    if target.is_dir():
        shutil.rmtree(target, ignore_errors=True)
    os.replace(made, target)
