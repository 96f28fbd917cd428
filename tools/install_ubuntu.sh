#!/usr/bin/env bash
# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Build this package in a workspace of ROS 2 on Ubuntu, with torch in a virtual environment.
#
#   source /opt/ros/jazzy/setup.bash && tools/install_ubuntu.sh [WORKSPACE]
#
# WORKSPACE (default: ~/ros2_ws) may hold other packages; this one is linked into its src/ unless
# it is there. Environment: VENV (default: WORKSPACE/.venv), TORCH_INDEX_URL (where pip finds
# torch; https://download.pytorch.org/whl/cpu for a machine without a GPU), SKIP_ROSDEP=1 (ROS's
# dependencies are there already), ROSDEP_SKIP_KEYS (not these of them, such as rviz2).
#
# UNTESTED on Ubuntu with ROS 2 installed; checked by shellcheck, and run with colcon from PyPI and
# the ROS 2 wheels in place of an installation.
set -euo pipefail

PACKAGE=xstreamvggt_ros
# rosdep would call pip for it, which Ubuntu 24.04 refuses; make_environment installs it.
IN_ENVIRONMENT=python3-rosbags-pip
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  echo "install_ubuntu.sh: $*" >&2
  exit 1
}

case ${1:-} in
  -h | --help)
    sed -n '5,16s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  -*) fail "there is no option $1; see --help" ;;
esac
# Not relative to where colcon runs.
workspace=$(realpath -m -- "${1:-$HOME/ros2_ws}")
venv=$(realpath -ms -- "${VENV:-$workspace/.venv}")

check_ros() {
  [[ -n ${ROS_DISTRO:-} && -n ${AMENT_PREFIX_PATH:-} ]] ||
    fail 'ROS 2 is not sourced; run this first: source /opt/ros/<jazzy or lyrical>/setup.bash'
  case $ROS_DISTRO in
    jazzy | kilted | lyrical | rolling) ;;
    *) fail "ROS 2 $ROS_DISTRO is too old; Jazzy (Ubuntu 24.04) or a later one is needed" ;;
  esac
  # What ament_python's scripts are run by is the Python that ROS was built for.
  python=${PYTHON:-/usr/bin/python3}
  "$python" -c 'import rclpy' 2> /dev/null ||
    fail "$python cannot import rclpy of ROS 2 $ROS_DISTRO; name ROS's Python in PYTHON"
}

check_tools() {
  local missing=()
  "$python" -c 'import ensurepip, venv' 2> /dev/null || missing+=(python3-venv)
  if [[ -z ${SKIP_ROSDEP:-} ]]; then
    command -v rosdep > /dev/null || missing+=(python3-rosdep)
  fi
  "$python" -c 'import colcon_core' 2> /dev/null || missing+=(python3-colcon-common-extensions)
  ((${#missing[@]} == 0)) || fail "missing: sudo apt install ${missing[*]}"
}

link_package() {
  mkdir -p "$workspace/src"
  local place=$workspace/src/$PACKAGE
  [[ $here -ef $place ]] && return
  if [[ -e $place || -L $place ]]; then
    [[ $here -ef $(readlink -f "$place") ]] || fail "$place is there and is not $here; move it away"
  else
    ln -s "$here" "$place"
  fi
}

install_ros_dependencies() {
  [[ -z ${SKIP_ROSDEP:-} ]] || return 0
  [[ -e /etc/ros/rosdep/sources.list.d/20-default.list ]] || sudo rosdep init
  rosdep update --rosdistro "$ROS_DISTRO"
  rosdep install --from-paths "$workspace/src/$PACKAGE" --ignore-src --rosdistro "$ROS_DISTRO" -y \
    --skip-keys "$IN_ENVIRONMENT ${ROSDEP_SKIP_KEYS:-}"
}

make_environment() {
  # ROS's packages are the system's, torch is not: the environment sees both.
  [[ -x $venv/bin/python ]] || "$python" -m venv --system-site-packages "$venv"
  # colcon passes over what has this file.
  touch "$venv/COLCON_IGNORE"
  local index=()
  [[ -z ${TORCH_INDEX_URL:-} ]] || index=(--index-url "$TORCH_INDEX_URL")
  "$venv/bin/python" -m pip install --quiet ${index[@]+"${index[@]}"} 'torch>=2.4'
  # numpy is compiled into ROS's messages and cv_bridge: the system's stays.
  local numpy
  numpy=$("$venv/bin/python" -c 'import numpy; print(numpy.__version__)')
  # colcon does not go with setuptools 80 and later.
  "$venv/bin/python" -m pip install --quiet "numpy==$numpy" 'setuptools>=64,<80' \
    'safetensors>=0.4' 'matplotlib>=3.6' 'rich>=13' 'rosbags>=0.11.9' 'huggingface_hub>=0.23'
}

build() {
  cd "$workspace"
  # By the environment's Python, so that the console scripts are run by it and find torch.
  "$venv/bin/python" -m colcon build --packages-select "$PACKAGE"
  local script=$workspace/install/$PACKAGE/lib/$PACKAGE/reconstruction_node
  [[ -x $script ]] || fail "$script was not made; see $workspace/log/latest_build"
  head -n 1 "$script" | grep -qF "$venv/bin/python" ||
    fail "$script is not run by $venv/bin/python but by: $(head -n 1 "$script")"
}

check_ros
check_tools
link_package
install_ros_dependencies
make_environment
build
cat << END

Built. In every shell:
  source $workspace/install/setup.bash
  ros2 launch $PACKAGE recon.launch.py image_topic:=/camera/image_raw rviz:=true
END
