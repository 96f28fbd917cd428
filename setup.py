# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Package set-up for ament_python (colcon) and pip."""

from glob import glob

from setuptools import find_packages, setup

PACKAGE = 'xstreamvggt_ros'
SHARE = f'share/{PACKAGE}'

setup(
    name=PACKAGE,
    version='0.1.0',
    description='Streaming 3-D reconstruction from camera images with StreamVGGT and a '
    'compressed KV cache, as a ROS 2 lifecycle node',
    author='The xstreamvggt_ros authors',
    author_email='xstreamvggt_ros@users.noreply.github.com',
    maintainer='The xstreamvggt_ros authors',
    maintainer_email='xstreamvggt_ros@users.noreply.github.com',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    # The bundled checkpoint lies beside the code that loads it.
    package_data={PACKAGE: ['**/*.safetensors', '**/*.xml', 'evaluation/report/assets/*']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (SHARE, ['package.xml']),
        (f'{SHARE}/config', sorted(glob('config/*'))),
        (f'{SHARE}/launch', sorted(glob('launch/*.launch.py'))),
    ],
    zip_safe=True,
    install_requires=[
        'numpy>=1.24',  # images and clouds between ROS messages and torch
        'pillow>=9',  # reads image files and JPEG streams
        'safetensors>=0.4',  # reads the checkpoints
        'scipy>=1.10',  # rotations and quaternions, nearest neighbours of clouds
        'torch>=2.4',  # the network
    ],
    extras_require={
        # What a machine with ROS 2 has from its own packages, for one that has no ROS 2.
        'wheels': [
            'catkin_pkg',  # reads package.xml for rosidl's generators (tools/build_tf2_msgs.py)
            'opencv-python-headless>=4.8',  # python3-opencv: colour conversion, undistortion
            'ros-common-interfaces',  # sensor_msgs, geometry_msgs, nav_msgs, std_srvs, …
            'ros-rclpy[fastrtps]',  # rclpy and a DDS to talk over
        ],
        # What `make demo` needs beside the node.
        'demo': [
            'matplotlib>=3.6',  # the contact sheet
            'rich>=13',  # progress and tables in the terminal
            'rosbags>=0.11.9',  # reads and writes bags without ROS; brings zstd, lz4 and YAML
        ],
        # What evaluation needs beside the network, and to read other than folders of images.
        'evaluation': [
            'jinja2>=3.1',  # the report's page
            'rich>=13',  # progress in the terminal
            'h5py>=3.8',  # NYU Depth V2's labelled file, MATLAB 7.3
            'rosbags>=0.11.9',  # bags, without ROS; brings zstd, lz4 and YAML
            'opencv-python-headless>=4.8',  # the images in them; undistortion
        ],
        # `xstreamvggt_view`: the page that follows a node or a recorded run.
        'view': [
            'rich>=13',  # through which viser speaks
            'rosbags>=0.11.9',  # recorded runs, without ROS
            'viser>=1.0',  # the page and its scene (Apache-2.0)
        ],
        # What `make test` needs beside the demo.
        'test': [
            'import-linter>=2.1',  # which room imports which
            'hypothesis>=6.100',  # properties of the geometry and of the cache
            'pytest>=7.4',
            'pytest-xdist>=3.5',  # nodes in one process, all else in another
            'ray>=2.40',  # sweeps on a cluster, here of one machine
            'rerun-sdk>=0.30',  # recordings of runs
            'ruff>=0.9',  # lint and format
            'selenium>=4.20',  # drives Chromium, where there is one, over the view's page
        ],
        # `evaluate run --ray-address`: sweeps on a cluster.
        'ray': ['ray>=2.40'],
        # `evaluate export --rerun`: a run for the Rerun viewer.
        'rerun': ['rerun-sdk>=0.30'],
        # Checkpoints named by their Hugging Face repository instead of a file.
        'hub': ['huggingface_hub>=0.23'],
        # `attention: flash_attn`, on CUDA devices; built from source with `pip install`.
        'flash': ['flash-attn>=2.6'],
    },
    entry_points={
        'console_scripts': [
            f'reconstruction_node = {PACKAGE}.node:main',
            f'xstreamvggt_demo = {PACKAGE}.demo.cli:main',
            f'xstreamvggt_play = {PACKAGE}.rig.play:main',
            f'xstreamvggt_view = {PACKAGE}.view.command:main',
            f'xstreamvggt_evaluate = {PACKAGE}.evaluation.__main__:main',
            # What it was called first.
            f'evaluate = {PACKAGE}.evaluation.__main__:main',
        ],
    },
)
