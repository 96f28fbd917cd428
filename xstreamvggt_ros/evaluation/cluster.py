# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Runs on a Ray cluster.

Sequences, checkpoint and output folder must be at the same paths on every node, as on a shared
file system, and the package installed there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from xstreamvggt_ros.evaluation.plan import PlannedRun
from xstreamvggt_ros.evaluation.workers import Finished, limit_threads, RunFailure


def ray_runs(
    runs: Sequence[PlannedRun],
    execute: Callable[[PlannedRun], object],
    address: str,
    threads: int,
) -> Iterator[Finished]:
    """
    Execute runs on the cluster at `address` ('auto', host:port, 'local'); give each as it ends.

    Each takes `threads` CPUs, and one GPU where its device is one. Raises ConnectionError where
    there is no such cluster, ImportError without Ray.
    """
    import ray

    ray.init(address=address, log_to_driver=False, configure_logging=False)
    try:

        @ray.remote(num_cpus=threads, max_retries=0)
        def remote(run: PlannedRun) -> None:
            limit_threads(threads)
            execute(run)

        waiting = {remote.options(num_gpus=_gpus(run)).remote(run): run for run in runs}
        while waiting:
            (ready, *_), _ = ray.wait(list(waiting))
            run = waiting.pop(ready)
            try:
                ray.get(ready)
            except Exception as error:  # an error of the run's own, or the loss of its process
                yield run, RunFailure.of(getattr(error, 'cause', None) or error)
            else:
                yield run, None
    finally:
        ray.shutdown()


def _gpus(run: PlannedRun) -> int:
    return int(run.config.device.startswith('cuda'))
