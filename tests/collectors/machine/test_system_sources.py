"""The parsers and parts, on what a real kernel wrote."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from collectors.machine.linux.clock import STA_NANO, STA_UNSYNC, TIME_ERROR, Timex, WallClock, discipline
from collectors.machine.linux.cpu import Averages, Cpu, Load, busy, shares
from collectors.machine.linux.devices import Devices
from collectors.machine.linux.kernel import Kernel
from collectors.machine.linux.limits import Limits, find_sensors
from collectors.machine.linux.memory import Memory, Pressure
from collectors.machine.linux.mounts import parse_filesystems, parse_mounts, unescape
from collectors.machine.linux.network import Interfaces, Tcp
from collectors.machine.linux.part import Part
from collectors.machine.linux.processes import parse_io, parse_stat, title
from collectors.machine.linux.sockets import tcp_states
from core.clock import FakeClock
from core.errors import SourceUnavailable
from core.model import Sample

CAPTURED = Path(__file__).parents[1] / "captured"
APART_SECONDS = 9.34
"""By the two /proc/uptime."""


class Machine:
    """A machine whose /proc can be moved from the first capture to the later one, and edited."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.sys = folder / "proc", folder / "sys"
        self.sys.mkdir()
        self.show("first")
        self.kernel = Kernel(str(self.proc), str(self.sys))

    def show(self, capture: str) -> None:
        shutil.copytree(CAPTURED / capture / "proc", self.proc, dirs_exist_ok=True)

    def write(self, path: str, text: str) -> None:
        file = self.sys.parent / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def remove(self, path: str) -> None:
        target = self.proc / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def values(samples: list[Sample]) -> dict[str, float]:
    """Samples as `metric` or `metric{label values}`: value."""
    return {s.metric + ("{" + ",".join(v for _, v in s.labels) + "}" if s.labels else ""): s.value for s in samples}


def both(machine: Machine, part: Part) -> dict[str, float]:
    part.samples(100.0)
    machine.show("later")
    return values(part.samples(100.0 + APART_SECONDS))


def test_a_core_kept_busy_for_six_of_nine_seconds(machine: Machine) -> None:
    found = both(machine, Cpu(machine.kernel))
    assert found["system_cpu_busy_ratio{1}"] == pytest.approx(6.6 / APART_SECONDS, abs=0.03)
    assert found["system_cpu_busy_ratio{0}"] < 0.06
    assert found["system_cpu_busy_ratio{total}"] == pytest.approx(693 / 1861, abs=1e-9)
    for core in ("total", "0", "1"):
        modes = {name: value for name, value in found.items() if name.startswith(f"system_cpu_mode_ratio{{{core},")}
        assert len(modes) == 8
        assert sum(modes.values()) == pytest.approx(1)
    assert found["system_cpu_cores"] == 2
    captured = dict(line.split(maxsplit=1) for line in (CAPTURED / "first/proc/stat").read_text().splitlines())
    assert found["system_boot_time_seconds"] == int(captured["btime"])


def test_the_first_look_has_no_rates_and_a_machine_without_proc_is_unavailable(machine: Machine) -> None:
    first = values(Cpu(machine.kernel).samples(100.0))
    assert not [name for name in first if "ratio" in name or "per_second" in name]
    machine.remove("stat")
    with pytest.raises(SourceUnavailable, match="/proc/stat"):
        Cpu(machine.kernel).samples(101.0)


def test_iowait_slipping_back_is_no_reset_but_user_time_slipping_back_is() -> None:
    before = (100, 0, 50, 1_000, 30, 0, 0, 0)
    slipped = shares(before, (150, 0, 60, 1_040, 28, 0, 0, 0))
    assert slipped is not None
    assert busy(slipped) == pytest.approx(0.6)
    assert shares(before, (10, 0, 5, 2_000, 40, 0, 0, 0)) is None


def test_the_five_minute_average_is_exact_and_waits_for_five_minutes() -> None:
    averages = Averages()
    user = idle = 0
    for tick in range(200):
        averages.add((user, 0, 0, idle, 0, 0, 0, 0), tick * 5.0)
        if tick < 60:
            assert averages.mean(300) is None
        busy_now = 140 <= tick < 170
        user, idle = user + 500 * busy_now, idle + 500 * (not busy_now)
    # Of the last 300 s (ticks 139 to 199) the machine was busy for 30 ticks of 5 s.
    assert averages.mean(300) == pytest.approx(0.5)
    assert averages.mean(900) == pytest.approx(150 / 900)


def test_memory_of_the_captured_machine(machine: Machine) -> None:
    found = values(Memory(machine.kernel).samples(100.0))
    assert found["system_memory_total_bytes"] == 24_684_084 * 1_024
    parts = found["system_memory_used_bytes"] + found["system_memory_available_bytes"]
    assert parts == found["system_memory_total_bytes"]
    assert found["system_memory_used_bytes"] + found["system_memory_free_bytes"] <= found["system_memory_total_bytes"]
    assert found["system_swap_total_bytes"] == 0
    assert "system_swap_used_ratio" not in found, "a machine without swap has no share of it in use"


def test_an_oom_kill_shows_and_a_restarted_counter_does_not_turn_negative(machine: Machine) -> None:
    part = Memory(machine.kernel)
    seen = []
    for tick, kills in enumerate((3, 5, 0, 1)):
        machine.write("proc/vmstat", f"pswpin 0\npswpout 0\npgmajfault 9\noom_kill {kills}\n")
        seen.append(values(part.samples(100.0 + 5 * tick)).get("system_oom_kills_per_second"))
    assert seen == [None, 0.4, None, 0.2]


def test_pressure_in_ratios_and_from_the_total(machine: Machine) -> None:
    found = both(machine, Pressure(machine.kernel))
    assert found["system_pressure_ratio{some,cpu,60s}"] == pytest.approx(0.0009)
    assert found["system_pressure_stall_ratio{some,cpu}"] == pytest.approx(61_032e-6 / APART_SECONDS)
    machine.remove("pressure")
    assert Pressure(machine.kernel).samples(200.0) == [], "a kernel without pressure information gives no sample"


def test_a_device_that_took_sixty_four_mebibytes(machine: Machine) -> None:
    machine.write("sys/block/vda/size", "1")
    machine.write("sys/block/loop0/size", "1")
    found = both(machine, Devices(machine.kernel))
    assert found["system_device_written_bytes_per_second{vda}"] == pytest.approx(131_160 * 512 / APART_SECONDS)
    assert found["system_device_busy_ratio{vda}"] == pytest.approx(0.032 / APART_SECONDS)
    assert found["system_device_await_seconds{vda}"] == pytest.approx((88 + 161) / 440 / 1_000)
    assert not [name for name in found if "loop" in name]


def test_an_idle_device_has_no_waiting_time(machine: Machine) -> None:
    machine.write("sys/block/vda/size", "1")
    part = Devices(machine.kernel)
    part.samples(100.0)
    found = values(part.samples(105.0))
    assert found["system_device_busy_ratio{vda}"] == 0
    assert "system_device_await_seconds{vda}" not in found


def test_an_interface_and_its_share_of_the_link(machine: Machine) -> None:
    machine.write("sys/class/net/eth0/operstate", "up\n")
    machine.write("sys/class/net/eth0/speed", "1000\n")
    machine.write("sys/class/net/ifb0/operstate", "down\n")
    part = Interfaces(machine.kernel)
    part.samples(100.0)
    text = (machine.proc / "net/dev").read_text()
    start = text.index("eth0:")
    words = text[start:].splitlines()[0].partition(":")[2].split()
    words[0], words[3] = str(int(words[0]) + 250_000_000), str(int(words[3]) + 20)
    machine.write("proc/net/dev", text[:start] + "eth0: " + " ".join(words) + "\n")
    found = values(part.samples(110.0))
    assert found["system_network_receive_bytes_per_second{eth0}"] == pytest.approx(25e6)
    assert found["system_network_link_used_ratio{eth0}"] == pytest.approx(0.2)
    assert found["system_network_receive_drops_per_second{eth0}"] == pytest.approx(2)
    assert "system_network_up{ifb0}" not in found, "down and never used"
    assert "system_network_link_used_ratio{lo}" not in found, "loopback has no speed"


def test_tcp_and_sockets(machine: Machine) -> None:
    found = both(machine, Tcp(machine.kernel))
    assert found["system_tcp_established"] == 0
    assert found["system_tcp_listen_drops_per_second"] == 0
    states = tcp_states(machine.kernel)
    assert states is not None
    assert states["listen"] == 2
    assert states["time_wait"] == 0
    machine.remove("net")
    assert tcp_states(machine.kernel) is None


def test_load_files_and_threads(machine: Machine) -> None:
    machine.write("proc/loadavg", "3.00 1.50 0.50 4/115 7372\n")
    found = values(Load(machine.kernel).samples(100.0)) | values(Limits(machine.kernel).samples(100.0))
    assert found["system_load{5}"] == 1.5
    assert found["system_load_per_core{5}"] == 0.75
    assert found["system_threads"] == 115
    assert found["system_threads_limit"] == 32_768
    assert 0 < found["system_files_open"] < found["system_files_limit"]


def test_two_disks_of_one_kind_keep_their_own_temperature(machine: Machine) -> None:
    assert find_sensors(machine.kernel) == []
    for chip in ("hwmon0", "hwmon1"):
        machine.write(f"sys/class/hwmon/{chip}/name", "nvme\n")
        machine.write(f"sys/class/hwmon/{chip}/temp1_label", "Composite\n")
        machine.write(f"sys/class/hwmon/{chip}/temp1_input", "41850\n")
    assert [name for name, _ in find_sensors(machine.kernel)] == ["nvme Composite", "nvme Composite hwmon1"]


def test_which_mounts_hold_data() -> None:
    on_disk = parse_filesystems("nodev\tsysfs\nnodev\toverlay\n\text4\n\tsquashfs\n\txfs\n")
    text = "\n".join(
        (
            "overlay / overlay rw 0 0",
            "proc /proc proc rw 0 0",
            "tmpfs /dev/shm tmpfs rw 0 0",
            "overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0",
            "/dev/sda1 /etc/hosts ext4 rw 0 0",
            "/dev/sda1 /var/lib/data ext4 rw 0 0",
            "/dev/sda1 /mnt ext4 rw 0 0",
            "/dev/loop3 /snap/core squashfs ro 0 0",
            "server:/export /net nfs4 rw 0 0",
            "/dev/sdb1 /my\\040disk xfs rw 0 0",
        )
    )
    found = parse_mounts(text, on_disk, lambda path: path != "/etc/hosts")
    assert [(mount.path, mount.kind) for mount in found] == [("/", "overlay"), ("/mnt", "ext4"), ("/my disk", "xfs")]
    assert unescape("a\\134b") == "a\\b"


def test_a_process_whose_name_is_made_to_confuse() -> None:
    fields = "R 1 1 1 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 7 0 1234 9999 321"
    stat = parse_stat(f"42 (evil) S (name) {fields}\n")
    assert (stat.pid, stat.name, stat.state, stat.threads) == (42, "evil) S (name", "running", 7)
    assert stat.cpu_seconds == pytest.approx(3.0)
    assert parse_io("rchar: 9\nread_bytes: 4096\nwrite_bytes: 8192\n") == (4_096, 8_192)
    assert parse_io("") is None


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("/usr/bin/python3\0-u\0/opt/strategy_pairs.py\0--password=hunter2\0", "python3 strategy_pairs.py"),
        ("python\0-m\0collectors\0", "python -m collectors"),
        ("java\0-Xmx4g\0-jar\0/opt/ibgateway.jar\0", "java -jar ibgateway.jar"),
        ("python\0-c\0import os; token='secret'\0", "python -c"),
        ("nginx: worker process\0", "nginx"),
        ("/usr/bin/redis-server 127.0.0.1:6379\0", "redis-server"),
        ("", "kworker/0:1"),
    ],
)
def test_the_title_of_a_process_tells_what_it_is_and_no_secret(command: str, shown: str) -> None:
    assert title("kworker/0:1", command) == shown


def test_the_clock_says_how_far_it_is_off_only_when_disciplined() -> None:
    assert discipline(Timex(status=STA_NANO, offset=-2_500_000, esterror=700), 0).offset_seconds == pytest.approx(
        -0.0025
    )
    assert discipline(Timex(status=0, offset=2_500), 0).offset_seconds == pytest.approx(0.0025)
    assert discipline(Timex(status=STA_UNSYNC, offset=0), TIME_ERROR).offset_seconds is None


def test_of_a_clock_that_is_set_from_outside_nothing_is_said_unless_a_daemon_is_seen() -> None:
    free, disciplined = discipline(Timex(status=STA_UNSYNC), TIME_ERROR), discipline(Timex(status=0, offset=2_500), 0)
    for is_guest, known, told in [(False, free, 0.0), (True, free, None), (True, disciplined, 1.0)]:
        part = WallClock(FakeClock(), lambda known=known: known, is_guest)  # type: ignore[misc]
        assert values(part.samples(0.0)).get("system_clock_synchronised") == told


def test_a_step_of_the_wall_clock_shows_and_passing_time_does_not() -> None:
    clock = FakeClock()
    part = WallClock(clock, lambda: None)
    steps = []
    for jump in (0.0, 0.0, -3.5, 0.0):
        clock.advance(5)
        clock.jump(jump)
        steps.append(values(part.samples(clock.monotonic())).get("system_clock_step_seconds"))
    assert steps == [None, pytest.approx(0, abs=1e-6), pytest.approx(-3.5, abs=1e-6), pytest.approx(0, abs=1e-6)]
