# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the package's configuration lies, in a checkout and where it is installed."""

from pathlib import Path

PACKAGE_FOLDER = Path(__file__).resolve().parents[1]
SHARE = Path('share', PACKAGE_FOLDER.name)


def shipped_parameters() -> Path:
    """
    Find config/recon.yaml: beside the sources, or in `share` of the prefix (colcon, pip).

    Raises FileNotFoundError where the installation lacks it.
    """
    folders = [PACKAGE_FOLDER.parent, *(folder / SHARE for folder in PACKAGE_FOLDER.parents)]
    for folder in folders:
        file = folder / 'config' / 'recon.yaml'
        if file.is_file():
            return file
    raise FileNotFoundError(
        f'no config/recon.yaml beside {PACKAGE_FOLDER} nor in {SHARE} of a prefix; '
        'install the package again'
    )
