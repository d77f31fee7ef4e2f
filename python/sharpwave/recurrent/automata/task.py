"""What a timed automaton does, as a task for networks."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .automaton import TimedAutomaton

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class AutomatonTask:
    """Networks see symbols, one of as many inputs a step, and are to say in which state an automaton is.

    An output is a logit. Of two states there is one, which is to be positive in the second state; of more there is one
    for each state. The loss is the binary cross-entropy of all outputs of all steps. Time is no input.

    Args:
        automaton: what is to be imitated.
        probabilities: of each symbol in every step, (symbols,); None: all the same.
        name: of the task.

    Raises:
        ValueError: probabilities of another number, below 0, or that do not add up to 1; an automaton of one state.

    Example:
        >>> from .flipflop import temporal_flipflop
        >>> inputs, targets = AutomatonTask(temporal_flipflop()).batch(seed=0, step=0, examples=5, horizon=60)
        >>> inputs.shape, targets.shape
        (torch.Size([5, 60, 2]), torch.Size([5, 60, 1]))
    """

    automaton: TimedAutomaton
    probabilities: ArrayLike | None = None
    name: str = "automaton"

    def __post_init__(self) -> None:
        count = len(self.automaton.alphabet)
        given = self.probabilities
        chances = np.full(count, 1 / count) if given is None else np.array(given, dtype=np.float64)
        if chances.shape != (count,) or not (chances >= 0).all() or not np.isclose(chances.sum(), 1.0):
            raise ValueError(
                f"probabilities must be {count} numbers from 0 on that add up to 1, one for each symbol, got {given}"
            )
        if len(self.automaton.states) < 2:
            raise ValueError("an automaton of one state gives nothing to learn")
        chances.flags.writeable = False
        object.__setattr__(self, "probabilities", chances)

    @property
    def inputs(self) -> int:
        """One for each symbol."""
        return len(self.automaton.alphabet)

    @property
    def outputs(self) -> int:
        """One, or of more than two states one for each."""
        states = len(self.automaton.states)
        return 1 if states == 2 else states

    @property
    def skipped(self) -> int:
        """0: every step counts."""
        return 0

    @property
    def mark(self) -> str:
        """Name, and a digest of the automaton and the probabilities."""
        one = self.automaton
        about = repr((one.states, one.alphabet, one.transitions, one.clocks, np.asarray(self.probabilities).tolist()))
        return f"{self.name} {sha256(about.encode()).hexdigest()}"

    def symbols(self, seed: int, step: int, examples: int, horizon: int, stream: int = 0) -> NDArray[np.int64]:
        """The symbols of `batch`, as places in the alphabet, (examples, horizon)."""
        words = np.random.Philox(key=seed, counter=[0, step, stream, 0]).random_raw(examples * horizon)
        drawn = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
        found = np.searchsorted(np.cumsum(np.asarray(self.probabilities))[:-1], drawn, side="right")
        return found.reshape(examples, horizon).astype(np.int64)

    def batch(self, seed: int, step: int, examples: int, horizon: int, stream: int = 0) -> tuple[Tensor, Tensor]:
        """Sequences, and the states of the automaton, which depend on the three numbers alone.

        Args:
            seed, step, stream: whole numbers, from 0.
            examples: how many.
            horizon: steps.

        Returns:
            Inputs of 0 and 1, (examples, horizon, symbols), and targets of -1 and 1, (examples, horizon, outputs).

        Raises:
            ValueError: sequences shorter than what the automaton counts to, such as its period.
        """
        import torch

        if horizon < self.automaton.counted:
            raise ValueError(
                f"the automaton counts to {self.automaton.counted} steps, and sequences of {horizon} never show all "
                "that it does: use a longer horizon"
            )
        symbols = self.symbols(seed, step, examples, horizon, stream)
        states = self.automaton.simulate(symbols)
        inputs = np.eye(self.inputs, dtype=np.float32)[symbols]
        wanted = states[..., None] == (np.array([1]) if self.outputs == 1 else np.arange(self.outputs))
        return torch.from_numpy(inputs), torch.from_numpy(np.where(wanted, 1.0, -1.0).astype(np.float32))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Binary cross-entropy of logits, (replicas,)."""
        import torch

        return torch.nn.functional.softplus(-targets * outputs).mean((1, 2, 3))
