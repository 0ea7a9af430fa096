"""Observations become designs."""

from toughopt.optimizer.base import Policy, Prediction, Proposal, Surrogate, Task
from toughopt.optimizer.decision import Decision, decide, first_generator_state
from toughopt.optimizer.encoding import Encoder
from toughopt.optimizer.front import Front, FrontMember
from toughopt.optimizer.objectives import Objective
from toughopt.optimizer.observations import Observation, observations_sha256, observe
from toughopt.optimizer.optimizer import Optimizer
from toughopt.optimizer.parameters import Categorical, Integer, Real
from toughopt.optimizer.policies import available_policies, policy
from toughopt.optimizer.recommendation import Recommendation
from toughopt.optimizer.space import Space
from toughopt.optimizer.stopping import Stop, Stopping
from toughopt.optimizer.transfer import Source

__all__ = [
    "Categorical",
    "Decision",
    "Encoder",
    "Front",
    "FrontMember",
    "Integer",
    "Objective",
    "Observation",
    "Optimizer",
    "Policy",
    "Prediction",
    "Proposal",
    "Real",
    "Recommendation",
    "Source",
    "Space",
    "Stop",
    "Stopping",
    "Surrogate",
    "Task",
    "available_policies",
    "decide",
    "first_generator_state",
    "observations_sha256",
    "observe",
    "policy",
]
