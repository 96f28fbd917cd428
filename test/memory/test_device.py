# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the machine has left, as the kernel's files say it."""

import pytest
import torch

from xstreamvggt_ros.memory.device import free_bytes, host_free_bytes

MIB = 2**20
UNLIMITED = 2**63 - 4096


@pytest.fixture
def machine(tmp_path):
    """Make a machine with 4096 MiB available, in groups as `cgroup` says."""
    proc, cgroups = tmp_path / 'proc', tmp_path / 'cgroup'
    (proc / 'self').mkdir(parents=True)
    cgroups.mkdir()
    (proc / 'meminfo').write_text(
        'MemTotal:  8388608 kB\nMemFree:  1024 kB\nMemAvailable:  4194304 kB\n'
    )

    def make(cgroup, **groups):
        (proc / 'self' / 'cgroup').write_text(cgroup)
        for folder, files in groups.items():
            place = cgroups / folder.replace('_', '/')
            place.mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                (place / name).write_text(f'{text}\n')
        return host_free_bytes(proc, cgroups)

    return make


def version_2(limit, usage, inactive=0):
    return {
        'memory.max': limit,
        'memory.current': usage,
        'memory.stat': f'anon 5\ninactive_file {inactive}',
    }


def version_1(limit, usage, inactive=0):
    return {
        'memory.limit_in_bytes': limit,
        'memory.usage_in_bytes': usage,
        'memory.stat': f'cache 5\ntotal_inactive_file {inactive}',
    }


def test_without_groups_it_is_what_the_kernel_calls_available(machine):
    assert machine('0::/\n') == 4096 * MIB


def test_a_group_s_limit_counts_and_files_that_can_be_given_up_do_not(machine):
    group = version_2(1000 * MIB, 700 * MIB, 100 * MIB)

    assert machine('0::/box\n', box=group) == 400 * MIB


def test_the_tightest_of_nested_groups_holds(machine):
    inner, outer = version_2('max', 100 * MIB), version_2(300 * MIB, 250 * MIB)

    assert machine('0::/outer/inner\n', outer=outer, outer_inner=inner) == 50 * MIB


def test_groups_of_version_1(machine):
    groups = {'memory': version_1(UNLIMITED, 5), 'memory_box': version_1(200 * MIB, 50 * MIB)}

    assert machine('5:cpu,cpuacct:/\n4:memory:/box\n', **groups) == 150 * MIB


def test_a_container_sees_its_own_group_at_the_root(machine):
    groups = {'memory': version_1(200 * MIB, 80 * MIB)}

    assert machine('4:memory:/docker/0123\n', **groups) == 120 * MIB


def test_a_group_over_its_limit_leaves_nothing(machine):
    assert machine('0::/box\n', box=version_2(100 * MIB, 101 * MIB)) == 0


def test_this_machine_has_some():
    assert 0 < free_bytes(torch.device('cpu')) < 2**50
