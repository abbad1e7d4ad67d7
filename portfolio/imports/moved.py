"""Moving a file of the inbox to where it is kept, with what lies next to it about how to take it.

Also to another file system, and so that a kill in the middle loses nothing: what says how to take a file is copied
before the file moves and removed after, so the file never lies in the inbox without it. What such a kill left in the
inbox is removed at the next start: a later file of that name is not to be taken by it.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from portfolio.imports.dropped import Changed, beside, identity_of, read_beside
from portfolio.imports.order import ORDER
from storage.folder import keep_file_private


def move(path: Path, target: Path) -> None:
    """Move a file, and what lies next to it about how to take it. Raises OSError, Changed: nothing has moved then."""
    order, order_target = beside(path, ORDER), beside(target, ORDER)
    if read_beside(order) is None:
        _move(path, target)
        keep_file_private(target)
        return
    try:
        _copy(order, order_target)
        _move(path, target)
    except (OSError, Changed):
        order_target.unlink(missing_ok=True)
        raise
    order.unlink()
    for moved in (target, order_target):
        keep_file_private(moved)


def remove_left_over(folder: Path, kept: Sequence[Path]) -> None:
    """Remove each order in `folder` whose file a kill let move to a folder of `kept` alone: a copy went before it."""
    alone = [path for path in folder.iterdir() if path.name.endswith(ORDER) and not _file_of(path).exists()]
    copies = [path for place in kept for path in place.iterdir() if path.name.endswith(ORDER)] if alone else []
    for order in alone:
        if any(_is_copy(order, copy) for copy in copies):
            order.unlink()


def _file_of(order: Path) -> Path:
    return order.with_name(order.name.removesuffix(ORDER))


def _is_copy(path: Path, other: Path) -> bool:
    """Return whether two files were written in the same moment, and are the same."""
    if path.lstat().st_mtime_ns != other.lstat().st_mtime_ns:
        return False
    content = read_beside(path)
    return content is not None and content == read_beside(other)


def _move(path: Path, target: Path) -> None:
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    else:
        return
    _copy(path, target)
    try:
        path.unlink()
    except OSError:
        target.unlink()
        raise


def _copy(path: Path, target: Path) -> None:
    """Copy a file and its time so that a crash leaves all of it or nothing. Raises OSError, or Changed meanwhile."""
    before = identity_of(path.lstat())
    part = target.with_name(f".{target.name}.part")
    try:
        shutil.copy2(path, part, follow_symlinks=False)
        _sync(part)
        if identity_of(path.lstat()) != before:
            raise Changed
        part.rename(target)
        _sync(target.parent)
    except (OSError, Changed):
        part.unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
