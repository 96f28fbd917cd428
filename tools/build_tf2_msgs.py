# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Build ``tf2_msgs/msg/TFMessage`` into the virtual environment that runs this script.

The ROS 2 wheels on PyPI carry no tf2_msgs, but they do carry rosidl's generators, headers and
libraries, from which a message package is generated and compiled in seconds. The package lands
where the wheels put theirs: libraries in ``<venv>/lib``, the Python package in site-packages, the
interface files and the ament index entry in ``<venv>/share``.

``python tools/build_tf2_msgs.py`` needs gcc, g++ and Python's headers (tools/make_venv.py checks).
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
import io
import logging
import os
from pathlib import Path
import shutil
import subprocess
import sys
import sysconfig
import tempfile

PACKAGE = 'tf2_msgs'
# What the real package holds; its action and its graph service are not used here.
MESSAGE = 'geometry_msgs/TransformStamped[] transforms\n'
MANIFEST = f"""<?xml version="1.0"?>
<package format="3">
  <name>{PACKAGE}</name>
  <version>0.0.0</version>
  <description>TFMessage only, generated for the ROS 2 wheels</description>
  <maintainer email="nobody@example.com">generated</maintainer>
  <license>BSD-3-Clause</license>
  <depend>geometry_msgs</depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
</package>
"""
DEPENDENCIES = ('geometry_msgs', 'std_msgs', 'builtin_interfaces')
DATA_TYPESUPPORTS = ('rosidl_typesupport_fastrtps_c', 'rosidl_typesupport_introspection_c')
TYPESUPPORTS = ('rosidl_typesupport_c', *DATA_TYPESUPPORTS)
RUNTIME_LIBRARIES = (
    'rosidl_runtime_c',
    'rosidl_typesupport_c',
    'rosidl_typesupport_fastrtps_c',
    'rosidl_typesupport_fastrtps_cpp',
    'rosidl_typesupport_introspection_c',
    'rcutils',
    'fastcdr',
)


class BuildError(RuntimeError):
    """tf2_msgs could not be built; the message says why and what to do."""


def generate(prefix: Path, build: Path) -> None:
    """Write the message's sources, each generator's into ``build/<generator>/tf2_msgs``."""
    os.environ['AMENT_PREFIX_PATH'] = str(prefix)
    # The wheels register each generator twice, which rosidl takes with a warning.
    logging.getLogger('rosidl_cli').setLevel(logging.ERROR)
    try:
        from rosidl_generator_c.cli import GenerateC
        from rosidl_generator_py.cli import GeneratePython
        from rosidl_typesupport_c.cli import GenerateCTypesupport
        from rosidl_typesupport_fastrtps_c.cli import GenerateFastRTPSCTypesupport
        from rosidl_typesupport_introspection_c.cli import GenerateIntrospectionCTypesupport
    except ImportError as error:
        raise BuildError(
            f'{error}: the ROS 2 wheels are not installed in {prefix}; run `make venv`'
        ) from error
    source = build / 'source' / PACKAGE
    (source / 'msg').mkdir(parents=True)
    (source / 'package.xml').write_text(MANIFEST)
    (source / 'msg' / 'TFMessage.msg').write_text(MESSAGE)
    # Two generators write a file of the same name, hence a folder for each.
    for name, generator in (
        ('rosidl_generator_c', GenerateC),
        ('rosidl_typesupport_c', GenerateCTypesupport),
        ('rosidl_typesupport_fastrtps_c', GenerateFastRTPSCTypesupport),
        ('rosidl_typesupport_introspection_c', GenerateIntrospectionCTypesupport),
        ('rosidl_generator_py', GeneratePython),
    ):
        with redirect_stdout(io.StringIO()):
            generator(name).generate(
                PACKAGE,
                [f'{source}:msg/TFMessage.msg'],
                [str(prefix / 'share' / dependency) for dependency in DEPENDENCIES],
                build / name / PACKAGE,
            )


def compile_shared(prefix: Path, build: Path, output: Path, sources, libraries) -> None:
    """Compile ``sources`` into the shared library ``output``, linked to ``libraries``."""
    import numpy

    sources = sorted(map(str, sources))
    if not sources:
        raise BuildError(f'the rosidl generators wrote no sources for {output.name}')
    includes = [
        *build.glob('rosidl_*'),
        prefix / 'include',
        *(prefix / 'include').iterdir(),
        sysconfig.get_paths()['include'],
        numpy.get_include(),
    ]
    compiler = 'g++' if sources[0].endswith('.cpp') else 'gcc'
    command = [compiler, '-shared', '-fPIC', '-O2', '-DNDEBUG', '-o', str(output), *sources]
    command += [f'-I{directory}' for directory in includes]
    command += [f'-L{output.parent}', f'-L{prefix / "lib"}', '-Wl,--as-needed']
    command += [f'-l{library}' for library in libraries]
    try:
        result = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise BuildError(f'{compiler} not found; on Debian: apt install g++') from error
    if result.returncode:
        raise BuildError(f'{" ".join(command)}\n{result.stderr}')


def compile_package(prefix: Path, build: Path) -> Path:
    """Compile five libraries and three extension modules; return the folder holding them."""
    output = build / 'lib'
    output.mkdir()

    def library(part: str, linked: tuple = ()) -> None:
        folder = build / part / PACKAGE / 'msg'
        needed = [f'{PACKAGE}__{name}' for name in linked]
        needed += [f'{name}__{part}' for name in DEPENDENCIES]
        sources = [*folder.glob('**/*.c'), *folder.glob('**/*.cpp')]
        target = output / f'lib{PACKAGE}__{part}.so'
        compile_shared(prefix, build, target, sources, [*needed, *RUNTIME_LIBRARIES])

    def extension(typesupport: str) -> None:
        name = f'{PACKAGE}_s__{typesupport}.so'
        source = build / 'rosidl_generator_py' / PACKAGE / f'_{PACKAGE}_s.ep.{typesupport}.c'
        needed = [f'{PACKAGE}__{part}' for part in ('rosidl_generator_py', typesupport)]
        needed += [f'{PACKAGE}__rosidl_typesupport_c', f'{PACKAGE}__rosidl_generator_c']
        compile_shared(prefix, build, output / name, [source], [*needed, *RUNTIME_LIBRARIES])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        library('rosidl_generator_c')
        list(pool.map(lambda part: library(part, ('rosidl_generator_c',)), TYPESUPPORTS))
        library('rosidl_generator_py', ('rosidl_typesupport_c', 'rosidl_generator_c'))
        list(pool.map(extension, TYPESUPPORTS))
    return output


def replace_tree(source: Path, target: Path) -> None:
    """Put a copy of `source` in the place of `target`, in one step for those who read it."""
    fresh, old = target.with_name(f'.{target.name}.new'), target.with_name(f'.{target.name}.old')
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(source, fresh, ignore=shutil.ignore_patterns('*.c', 'tmp'))
    if target.exists():
        target.replace(old)
    fresh.replace(target)
    shutil.rmtree(old, ignore_errors=True)


def install(prefix: Path, build: Path, binaries: Path) -> None:
    """Copy libraries, Python package, interface files and ament index entries below `prefix`."""
    package = build / 'rosidl_generator_py' / PACKAGE
    (package / '__init__.py').touch()
    libraries = prefix / 'lib'
    libraries.mkdir(parents=True, exist_ok=True)
    for binary in binaries.glob(f'{PACKAGE}_s__*.so'):
        shutil.copy(binary, package)
    for binary in binaries.glob('lib*.so'):
        # A rename leaves the old file whole to those processes that have it mapped.
        fresh = Path(shutil.copy(binary, libraries / f'.{binary.name}.new'))
        fresh.replace(libraries / binary.name)
    site_packages = Path(sysconfig.get_path('purelib', vars={'base': str(prefix)}))
    site_packages.mkdir(parents=True, exist_ok=True)
    replace_tree(package, site_packages / PACKAGE)

    interface = build / 'source' / PACKAGE
    generated = build / 'rosidl_generator_c' / PACKAGE
    shutil.copy(generated / 'msg' / 'TFMessage.json', interface / 'msg')
    shutil.copy(generated / 'tmp' / 'msg' / 'TFMessage.idl', interface / 'msg')
    index = prefix / 'share' / 'ament_index' / 'resource_index'
    for kind, content in (
        ('packages', ''),
        ('rosidl_interfaces', 'msg/TFMessage.idl\nmsg/TFMessage.msg'),
    ):
        (index / kind).mkdir(parents=True, exist_ok=True)
        (index / kind / PACKAGE).write_text(content)
    replace_tree(interface, prefix / 'share' / PACKAGE)


def check() -> None:
    """Load the installed type support in a fresh interpreter."""
    code = 'from tf2_msgs.msg import TFMessage; TFMessage.__import_type_support__()'
    code += '; assert TFMessage._TYPE_SUPPORT, "the type support does not load"'
    command = [sys.executable, '-c', code]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    if result.returncode:
        raise BuildError(f'tf2_msgs was built but cannot be used:\n{result.stderr}')


def main() -> int:
    """Build, install and check; return the exit status."""
    prefix = Path(sys.prefix)
    if sys.prefix == sys.base_prefix:
        print('build_tf2_msgs: run it with the Python of a virtual environment', file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix='build_tf2_msgs_') as folder:
            build = Path(folder)
            generate(prefix, build)
            install(prefix, build, compile_package(prefix, build))
        check()
    except BuildError as error:
        print(f'build_tf2_msgs: {error}', file=sys.stderr)
        return 1
    print(f'tf2_msgs built into {prefix}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
