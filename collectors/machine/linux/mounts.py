"""Which mounts hold data, and how full they are (/proc/self/mounts, statvfs)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass

from collectors.machine.linux.kernel import Kernel
from core.machine.spec import LeftOut, Mount, WhyLeftOut

NEVER_WRITTEN = frozenset({"squashfs", "iso9660", "erofs", "cramfs", "udf"})
"""Images that are full by nature."""
WITHOUT_BLOCK_DEVICE = frozenset({"zfs", "bcachefs"})
"""File systems on disks that the kernel lists as "nodev"."""

IN_MEMORY = frozenset({"tmpfs", "ramfs"})
ON_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "beegfs", "afs", "9p", "virtiofs", "ncpfs",
     "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.juicefs"}
)  # fmt: skip
HOLD_NOTHING = frozenset(
    {"devtmpfs", "proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "debugfs", "tracefs", "securityfs", "pstore",
     "bpf", "configfs", "fusectl", "hugetlbfs", "binfmt_misc", "autofs", "nsfs", "rpc_pipefs", "efivarfs", "selinuxfs",
     "nfsd", "fuse.gvfsd-fuse", "fuse.portal", "fuse.lxcfs", "resctrl"}
)  # fmt: skip
"""The kernel's own, which are windows on it and no place for files."""


@dataclass(frozen=True, slots=True)
class Space:
    """How full a mount is. `available` is what programs can still have: without the share kept for root."""

    total_bytes: int
    used_bytes: int
    available_bytes: int
    inodes_total: int
    inodes_free: int
    read_only: bool

    @property
    def used_ratio(self) -> float | None:
        """Return the share of usable space in use, as df does; None for a file system without size."""
        usable = self.used_bytes + self.available_bytes
        return self.used_bytes / usable if usable else None

    @property
    def inodes_used_ratio(self) -> float | None:
        """Return the share of inodes in use; None where inodes do not run out."""
        return 1 - self.inodes_free / self.inodes_total if self.inodes_total else None


def parse_filesystems(text: str) -> frozenset[str]:
    """Return the kinds of file system that live on block devices, from /proc/filesystems."""
    return frozenset(line.strip() for line in text.splitlines() if line and not line.startswith("nodev"))


def parse_mounts(text: str, on_disk: frozenset[str], is_folder: Callable[[str], bool]) -> list[Mount]:
    """Return the mounts that hold data: one a device, and always the root, whatever it is (a container's overlay).

    Left out: the kernel's own file systems, read-only images, memory, single files bound into a container,
    and network file systems. A dead file server would hang the question how full it is, and with it every
    other figure of this machine.
    """
    found: dict[str, Mount] = {}
    for line in text.splitlines():
        words = line.split(" ")
        if len(words) < 3:
            continue
        device, path, kind = unescape(words[0]), unescape(words[1]), words[2]
        holds_data = kind in on_disk or kind in WITHOUT_BLOCK_DEVICE
        if path != "/" and (not holds_data or kind in NEVER_WRITTEN):
            continue
        if not is_folder(path):
            continue
        key = device if holds_data else path
        known = found.get(key)
        if known is None or path == "/" or (known.path != "/" and len(path) < len(known.path)):
            found[key] = Mount(path, device, kind)
    return sorted(found.values(), key=lambda mount: mount.path)


def parse_left_out(text: str, on_disk: frozenset[str], is_folder: Callable[[str], bool]) -> list[LeftOut]:
    """Return the mounts that hold data or could and are not among the disks, by path, each with why."""
    found: dict[str, LeftOut] = {}
    for line in text.splitlines():
        words = line.split(" ")
        if len(words) < 3 or words[2] in HOLD_NOTHING:
            continue
        path, kind = unescape(words[1]), words[2]
        why = _why_left_out(kind, on_disk) if path != "/" else None
        # A server that is away hangs whoever asks whether there is a folder: of those that is not asked.
        if why is not None and (why is WhyLeftOut.NETWORK or is_folder(path)):
            found[path] = LeftOut(path, kind, why)
    return sorted(found.values(), key=lambda each: each.path)


def _why_left_out(kind: str, on_disk: frozenset[str]) -> WhyLeftOut | None:
    if kind in NEVER_WRITTEN:
        return WhyLeftOut.IMAGE
    if kind in on_disk or kind in WITHOUT_BLOCK_DEVICE:
        return None
    if kind in IN_MEMORY:
        return WhyLeftOut.MEMORY
    return WhyLeftOut.NETWORK if kind in ON_NETWORK else WhyLeftOut.OTHER


def unescape(text: str) -> str:
    r"""Return `text` with the octal escapes of /proc/self/mounts (\040 for a space) undone."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def data_mounts(kernel: Kernel) -> list[Mount]:
    """Return the mounts of this machine that hold data."""
    on_disk = parse_filesystems(kernel.proc("filesystems") or "")
    return parse_mounts(kernel.proc("self/mounts") or "", on_disk, os.path.isdir)


def left_out_mounts(kernel: Kernel) -> list[LeftOut]:
    """Return the mounts of this machine that are not among the disks."""
    on_disk = parse_filesystems(kernel.proc("filesystems") or "")
    return parse_left_out(kernel.proc("self/mounts") or "", on_disk, os.path.isdir)


def space(path: str) -> Space | None:
    """Return how full the file system at `path` is, or None when it cannot be asked (just unmounted, forbidden)."""
    try:
        answer = os.statvfs(path)
    except OSError:
        return None
    unit = answer.f_frsize
    return Space(
        total_bytes=answer.f_blocks * unit,
        used_bytes=(answer.f_blocks - answer.f_bfree) * unit,
        available_bytes=answer.f_bavail * unit,
        inodes_total=answer.f_files,
        inodes_free=answer.f_ffree,
        read_only=bool(answer.f_flag & os.ST_RDONLY),
    )
