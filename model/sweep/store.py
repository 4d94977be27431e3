"""The store of an exploration: Parquet files of points with their digests, each file complete or not there.

A file holds the points of one chunk of one space, in order. Its name carries the digest of its points, so that the same
chunk is the same file whoever computed it, and its bytes depend on the points and their results alone. pandas, polars
and DuckDB read the folder as it is.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hw.base.error import InputError
from hw.base.file import write_atomically
from model.sweep.space import Space

VERSION = 1
_KEY, _AXES, _IDENTITY = b"kcloud-cosim store", b"kcloud-cosim axes", b"kcloud-cosim identity"


class Store:
    """A folder of Parquet files.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Raises
    ------
    InputError
        If a file in it is of another program or of a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for path in self.files():
            _version(path)

    def files(self) -> list[Path]:
        """All files of points, sorted by name."""
        return sorted(self.folder.glob("points-*.parquet")) if self.folder.is_dir() else []

    def points(self, space: Space, results: Sequence[str] = ()) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Numbers of the points of `space` that are here, ascending, each once, and their `results`.

        A point is told by its settings and the values of its axes, which are what its digest is made of.
        """
        numbers, parts = [np.zeros(0, dtype=np.int64)], []
        names, free = list(space.distinct), None
        for path in self.files():
            schema = pq.read_schema(path)
            if not {*names, *results} <= set(schema.names):
                continue
            given = (schema.metadata or {}).get(_IDENTITY)
            if given is not None and (given.decode() != space.identity or _axes(schema) != set(names)):
                continue
            columns = [*names, *results] if given is not None else ["digest", *results]
            table = pq.read_table(path, columns=columns, read_dictionary=[n for n in names if n in columns])
            if given is not None:
                places = space.numbers_of({name: _codes(table.column(name)) for name in names})
            else:  # of a program that wrote no identity: by the digests
                free = free or dict(zip(space.digests(np.arange(space.size)), range(space.size), strict=True))
                places = np.array([free.get(digest, -1) for digest in table.column("digest").to_pylist()])
            here = places >= 0
            numbers.append(places[here])
            parts.append([table.column(name).to_numpy()[here] for name in results])
        joined = np.concatenate(numbers)
        each, first = np.unique(joined, return_index=True)
        return each, {
            name: np.concatenate([np.zeros(0), *(part[place] for part in parts)])[first]
            for place, name in enumerate(results)
        }

    def path_of(self, index: int, digests: Sequence[str]) -> Path:
        """Where the chunk `index` with these points lies."""
        name = hashlib.blake2b("".join(digests).encode(), digest_size=8).hexdigest()
        return self.folder / f"points-{index:06d}-{name}.parquet"

    def write(
        self,
        path: Path,
        digests: Sequence[str],
        axes: Mapping[str, np.ndarray],
        results: Mapping[str, np.ndarray],
        identity: str = "",
    ) -> None:
        """Write one chunk; `InputError` if the folder cannot be written or the disk is full.

        Parameters
        ----------
        identity : str
            `Space.identity` of the points: what their digests hold besides the axes.
        """
        columns: dict[str, Any] = {"digest": pa.array(digests, pa.string())}
        columns |= {name: _array(values) for name, values in axes.items()}
        columns |= {name: pa.array(values, pa.float64()) for name, values in results.items()}
        told = {_KEY: str(VERSION).encode(), _AXES: "\n".join(axes).encode(), _IDENTITY: identity.encode()}
        table = pa.table(columns).replace_schema_metadata(told)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", use_dictionary=True)
        write_atomically(path, sink.getvalue().to_pybytes())

    def read(self, columns: Sequence[str]) -> Iterator[tuple[list[str], dict[str, np.ndarray]]]:
        """(digests, columns) of every file that has all these columns; others belong to other subjects."""
        for path in self.files():
            names = set(pq.read_schema(path).names)
            if set(columns) <= names:
                table = pq.read_table(path, columns=["digest", *columns])
                yield (
                    table.column("digest").to_pylist(),
                    {name: table.column(name).to_numpy(zero_copy_only=False) for name in columns},
                )


def _array(values: np.ndarray) -> pa.Array:
    if values.dtype.kind in "US":
        return pa.array(values.tolist(), pa.string())
    if values.dtype.kind == "b":
        return pa.array(values)
    return pa.array(values, pa.int64() if values.dtype.kind in "iu" else pa.float64())


def _axes(schema: pa.Schema) -> set[str]:
    return set((schema.metadata or {}).get(_AXES, b"").decode().split("\n"))


def _codes(column: pa.ChunkedArray) -> tuple[list[Any], np.ndarray]:
    """(distinct values, place of each row's value among them)."""
    joined = column.combine_chunks()
    if not pa.types.is_dictionary(joined.type):
        joined = joined.dictionary_encode()
    return joined.dictionary.to_pylist(), joined.indices.to_numpy()


def _version(path: Path) -> None:
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{path} must be a Parquet file of this project, and cannot be read ({error}); delete it"
        ) from None
    given = metadata.get(_KEY)
    if given is None:
        raise InputError(
            f"{path} must be a store of this project, not a Parquet file of another; choose another folder"
        )
    if not given.isdigit() or int(given) > VERSION:
        raise InputError(
            f"{path} must be of version {VERSION} of the store or older, not {given.decode(errors='replace')}; "
            "use the newer program or another folder"
        )


def free_bytes(folder: Path) -> int:
    """Bytes free where the folder is, or will be."""
    place = folder
    while not place.exists():
        place = place.parent
    state = os.statvfs(place)
    return state.f_bavail * state.f_frsize
