# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters as a node has them: misspelt, mistyped, whole numbers for others."""

import pytest
import rclpy
from rclpy.context import Context
from rclpy.exceptions import ParameterNotDeclaredException
from rclpy.parameter import Parameter

from xstreamvggt_ros.parameters import DeclaredParameters

pytestmark = pytest.mark.ros
FILE = """
/**:
  ros__parameters:
    cache:
      bits: 8
    output:
      scale: 2.5
"""


@pytest.fixture
def declare(tmp_path):
    """Declare on a node that was started with a parameters file and these words."""
    context = Context()
    nodes = []
    file = tmp_path / 'parameters.yaml'
    file.write_text(FILE)

    def make(*words, **overrides):
        arguments = ['--ros-args', '--params-file', str(file), *words]
        rclpy.init(context=context, args=arguments)
        given = [Parameter(name.replace('__', '.'), value=v) for name, v in overrides.items()]
        node = rclpy.create_node('reconstruction', context=context, parameter_overrides=given)
        nodes.append(node)
        return node, DeclaredParameters(node, lambda parameters: None, arguments)

    yield make
    for node in nodes:
        node.destroy_node()
    context.try_shutdown()


def test_a_misspelt_name_is_a_warning_with_the_nearest_one(declare):
    _, declared = declare('-p', 'cache.buget_tokens:=300', '-p', 'use_sim_time:=true')

    (warning,) = declared.warnings()
    assert warning.startswith('there is no parameter cache.buget_tokens')
    assert warning.endswith('did you mean cache.budget_tokens?')


def test_a_name_like_no_other_points_to_the_list(declare):
    _, declared = declare(xyzzy=1, qos_overrides__image__depth=3)

    assert [warning for warning in declared.warnings() if 'xyzzy' in warning] == [
        'there is no parameter xyzzy, and its value is ignored: docs/reference.md lists those '
        'there are'
    ]
    assert not any('qos_overrides' in warning for warning in declared.warnings())


def test_a_mistyped_value_is_refused_though_the_file_has_a_right_one(declare):
    node, declared = declare('-p', 'cache.bits:=four')
    with pytest.raises(ValueError, match="cache.bits is 'four' on the command line"):
        declared.read()

    node.set_parameters([Parameter('cache.bits', value=4)])
    assert declared.read().cache.bits == 4


def test_whole_numbers_will_do_for_others_at_the_start_and_later(declare):
    node, declared = declare('-p', 'output.scale:=3', input__max_rate=7)
    assert declared.read().output.scale == 3.0
    assert declared.read().input.max_rate == 7.0

    (result,) = node.set_parameters([Parameter('output.scale', value=5)])
    assert result.successful, result.reason
    assert declared.read().output.scale == 5.0
    assert node.get_parameter('output.scale').type_ is Parameter.Type.DOUBLE


def test_a_whole_number_out_of_range_is_refused(declare):
    _, declared = declare(output__scale=-3)

    with pytest.raises(ValueError, match=r'output\.scale .*-3'):
        declared.read()


def test_the_value_of_the_file_holds_without_another(declare):
    _, declared = declare()

    assert declared.read().output.scale == 2.5
    assert declared.warnings() == []


def test_an_off_without_quotes_is_the_word(declare):
    node, declared = declare(output__tf_mode=False, model__memory_check=False, cache__policy=False)

    assert node.get_parameter('output.tf_mode').value == 'off'
    assert node.get_parameter('model.memory_check').value == 'off'
    (result,) = node.set_parameters([Parameter('output.tf_mode', value='odom')])
    assert result.successful
    (result,) = node.set_parameters([Parameter('output.tf_mode', value=False)])
    assert result.successful
    assert node.get_parameter('output.tf_mode').value == 'off'
    with pytest.raises(ValueError, match=r'cache\.policy was started with a value'):
        declared.read()


def test_a_name_that_there_is_not_is_named_where_it_is_set(declare):
    node, _ = declare()
    with pytest.raises(ParameterNotDeclaredException, match='cache.buget_tokens'):
        node.set_parameters([Parameter('cache.buget_tokens', value=300)])


@pytest.mark.parametrize('locked', [True, False])
def test_one_without_a_value_can_be_given_one_unless_that_is_locked(declare, locked):
    node, declared = declare('-p', 'input.image_topics:=[]')
    with pytest.raises(ValueError, match=r"input\.image_topics has no value; set it like \['"):
        declared.read()

    declared.locked = locked
    (result,) = node.set_parameters([Parameter('input.image_topics', value=['/left'])])
    assert result.successful is not locked
    if locked:
        assert 'only while the node is unconfigured' in result.reason
    else:
        assert declared.read().input.topics == ('/left',)
