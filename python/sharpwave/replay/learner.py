"""A network that learns tasks one after the other, and the parts that keep it from forgetting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ..counts import count
from ..forward.method import DivergedError
from ..torch_state import grouped, module_arrays, optimizer_arrays, restore_module, restore_optimizer, under
from .describing import described
from .draws import torch_seed
from .network import Perceptron, Settings
from .part import Arrays, Batch, Part, bytes_of
from .passes import batches
from .streams import Array, Examples, Integers, Stream
from .weighing import Weighing

_CHUNK = 2000  # examples that are scored together


class Learner:
    """A network, and what is done with it.

    Args:
        stream: of tasks.
        settings: how each is learned.
        parts: in the order in which they act; one of them, at most, answers.
        seed: of initial weights and of all that is drawn.

    Attributes:
        network: that learns.
        besides: other modules that learn with it, by name; see `teach`.
        optimizer: of all their weights.
        own_loss: of a batch of new examples, before parts add to it; a part may put another in its place.
        borders: whether it is known which task is learned; see `weighed`.
        finished: tasks that have been learned.
        iteration: batches of the present task that have been.
        replayed: examples that parts have shown again.
        described: parts and their settings.

    Raises:
        ValueError: two parts that answer, parts that have been in use, or that do not fit the stream or each other.
    """

    def __init__(self, stream: Stream, settings: Settings, parts: Sequence[Part], seed: int) -> None:
        self.stream, self.settings, self.parts, self.seed = stream, settings, tuple(parts), count("seed", seed, 0)
        self.replayed, self.finished, self.iteration = 0, 0, 0
        self.own_loss: Callable[[Batch], Tensor] = self.plain_loss
        self.borders = True
        self.generator = torch.Generator().manual_seed(torch_seed(seed, "steps"))
        self._loss_of: Part | None = None
        answering = [type(part).__name__ for part in self.parts if part.overrides("scores")]
        if len(answering) > 1:
            raise ValueError(f"{' and '.join(answering)} all answer in the network's place: use one of them")
        for part in self.parts:
            if hasattr(part, "learner"):
                raise ValueError(
                    f"parts are used once, but this {type(part).__name__} has been: a strategy makes new ones each "
                    "time it is called"
                )
        self.described = [described(part) for part in self.parts]
        self.renew()
        self.place = 0
        for part in self.parts:
            part.start(self)

    def renew(self) -> None:
        """Begin with initial weights, drawn from the seed."""
        self.besides: dict[str, nn.Module] = {}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network = Perceptron(
                self.stream.features, self.settings.hidden, self.stream.outputs, self.settings.bias
            )
        for part in self.parts:
            part.draw_weights(self)
        self.optimizer: torch.optim.Optimizer = self.adam(self.network)

    def teach(self, name: str, module: nn.Module) -> None:
        """Let another module learn too, from the same loss; before the first task."""
        self.besides[name] = module
        self.optimizer = self.adam(self.network, *self.besides.values())

    @property
    def loss_of(self) -> Part | None:
        """Whose loss of new examples it learns, if it is not the plain one."""
        return self._loss_of

    def replace_loss(self, loss: Callable[[Batch], Tensor], whose: Part) -> None:
        """Put another loss of new examples in the place of the plain one; before the first task.

        What other parts show again is learned by cross-entropy all the same.

        Raises:
            ValueError: another part has done so.
        """
        if self._loss_of is not None:
            names = f"{type(self._loss_of).__name__} and {type(whose).__name__}"
            raise ValueError(f"{names} both replace the loss of new examples: use one of them")
        self.own_loss, self._loss_of = loss, whose

    def adam(self, *modules: nn.Module) -> torch.optim.Adam:
        """An optimizer of modules, with the learning rate of the settings."""
        weights = [one for module in modules for one in module.parameters()]
        return torch.optim.Adam(weights, lr=self.settings.learning_rate, fused=True)

    @property
    def place(self) -> int:
        """Of the task that is learned, or was last."""
        return self._place

    @place.setter
    def place(self, place: int) -> None:
        self._place = place
        self._mask = torch.from_numpy(self.stream.mask(place))
        if frozen := max((part.freezes for part in self.parts), default=0):
            for layer in self.network.hidden[:frozen]:
                layer.requires_grad_(place == 0)

    def learn(self, place: int, every: int | None = None, kept: Callable[[], None] | None = None) -> None:
        """Learn a task, the next one, or the rest of it.

        Args:
            place: of the task.
            every, kept: what is called after so many batches.

        Raises:
            ValueError: it is not its turn.
            DivergedError: the loss is not finite; it says whose.
        """
        if place != self.finished or place >= len(self.stream.tasks):
            tasks = len(self.stream.tasks)
            raise ValueError(
                f"tasks are learned in order, each once: {self.finished} of {tasks} have been, and task {place} is "
                + ("among them" if place < self.finished else "not the next one" if place < tasks else "none")
            )
        self.place = place
        if self.iteration == 0:
            for part in self.parts:
                part.begin(place)
        examples, settings = self.stream.tasks[place].train, self.settings
        iterations = settings.iterations if all(part.learns(place) for part in self.parts) else 0
        order = batches(len(examples), settings.batch, iterations, self.seed, place)
        for some in islice(order, self.iteration, None):
            self.step(self.batch(examples, some, place))
            self.iteration += 1
            if kept and every and self.iteration % every == 0:
                kept()
        for part in self.parts:
            part.end(place, examples)
        self.finished, self.iteration = place + 1, 0

    @property
    def name(self) -> str:
        """What learns, with its settings besides those that all learners have."""
        return type(self).__name__

    def check_borderless(self) -> None:
        """Raise a ValueError if it has learned anything, or has parts that wait for tasks to begin or to end."""
        if self.finished or self.iteration:
            raise ValueError(f"expected a learner that has learned nothing; this one has learned {self.finished} tasks")
        for part in self.parts:
            if part.overrides("begin", "learns", "end") and getattr(part, "when", None) != "step":
                raise ValueError(
                    f"{type(part).__name__} waits for tasks to begin or to end, which nobody tells of here: use parts "
                    'that go by the step, such as ExperienceReplay(budget, when="step")'
                )

    def step(self, batch: Batch) -> None:
        """Learn a batch of new examples."""
        self.network.train()
        seen, beside = self._together(batch, [part.beside(batch) for part in self.parts])
        losses = [self.own_loss(seen)]
        self._weighing = Weighing(losses[0], len(batch), self.place if self.borders else None)
        for part, some in zip(self.parts, beside, strict=True):
            loss = losses[-1] if some is None else self.weighed(losses[-1], part.loss_beside(some), len(some))
            losses.append(part.loss(seen, loss))
        loss = losses[-1]
        if not bool(loss.isfinite()):
            first = next(k for k, one in enumerate(losses) if not bool(one.isfinite()))
            whose = f", with what {type(self.parts[first - 1]).__name__} adds," if first else ""
            raise self.diverged(float(losses[first].detach()), whose)
        self.optimizer.zero_grad()
        torch.autograd.backward([loss])
        for part in self.parts:
            part.project(batch)
        self.optimizer.step()
        for part in self.parts:
            part.after(batch)
        for part in self.parts:
            part.between()

    def _together(self, batch: Batch, beside: Sequence[Batch | None]) -> tuple[Batch, list[Batch | None]]:
        """The same with activities of the last hidden layer, from one pass; new examples where their loss is plain."""
        every = [None if self._loss_of else batch, *beside]
        some = [one for one in every if one is not None]
        if not some:
            return batch, list(beside)
        features = self.network.features(torch.cat([one.x for one in some]))
        its = iter(torch.split(features, [len(one) for one in some]))
        seen, *others = (None if one is None else replace(one, features=next(its)) for one in every)
        return seen or batch, others

    def diverged(self, value: object, whose: str = "") -> DivergedError:
        """The error that says that the loss of the present task, or that of a part of it, is not finite."""
        name = self.stream.tasks[self.place].name
        return DivergedError(f"the loss of task {name}{whose} is {value}: lower the learning rate")

    def check_finite(self) -> None:
        """Raise a DivergedError if something that learns is not finite."""
        groups = [*self._learned().items(), *((type(part).__name__, part.learned()) for part in self.parts)]
        for group, arrays in groups:
            for name, array in arrays.items():
                if not np.isfinite(array).all():
                    raise DivergedError(f"{group}: {name} is not finite: lower the learning rate")

    def follow(self, loss: Tensor) -> None:
        """Take a step that is of no new examples, and that parts do not hear of; see `Part.between`.

        Raises:
            DivergedError: the loss is not finite.
        """
        if not bool(loss.isfinite()):
            raise self.diverged(float(loss.detach()), ", of what is replayed,")
        self.optimizer.zero_grad()
        torch.autograd.backward([loss])
        self.optimizer.step()

    def batch(self, examples: Examples, some: NDArray[np.int64], place: int) -> Batch:
        """Some examples of a task."""
        x, y = torch.from_numpy(examples.inputs(some)), torch.from_numpy(examples.labels[some])
        return Batch(x, y, torch.full((len(y),), place))

    def mixed(self, tasks: Integers, places: Integers) -> Batch:
        """Examples of several tasks: of each, the task and its place there."""
        its = [(int(task), places[tasks == task]) for task in np.unique(tasks)]
        return Batch.joined([self.batch(self.stream.tasks[task].train, some, task) for task, some in its])

    def features(self, batch: Batch) -> Tensor:
        """Activities of the last hidden layer, (examples, units); found, if they are not known."""
        return self.network.features(batch.x) if batch.features is None else batch.features

    def logits(self, batch: Batch) -> Tensor:
        """What the network says, (examples, outputs)."""
        found: Tensor = self.network.head(self.features(batch))
        return found

    def plain_loss(self, batch: Batch) -> Tensor:
        """Cross-entropy of what the network says."""
        return self.entropy(self.logits(batch), batch)

    def competing(self, task: Tensor) -> Tensor:
        """Whether an output competes while examples of these tasks are learned, (examples, outputs)."""
        return self._mask[task]

    def said(self, logits: Tensor, batch: Batch) -> Tensor:
        """Logarithms of the probabilities of outputs among those that compete, -inf of others, (examples, outputs)."""
        return logits.masked_fill(~self.competing(batch.task), -torch.inf).log_softmax(1)

    def entropy(self, logits: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy among outputs that compete."""
        return functional.nll_loss(self.said(logits, batch), batch.y)

    def share(self, number: int) -> float:
        """Weight of the new examples of this step beside so many old ones; see `Weighing`."""
        return self._weighing.share(number)

    def weighed(self, loss: Tensor, old: Tensor, number: int) -> Tensor:
        """The loss of this step so far with that of so many old examples; see `Weighing`."""
        return self._weighing.add(loss, old, number)

    def accuracy(self, place: int) -> float:
        """Share of a task's test examples that are told right.

        Among outputs that have been taught, or, of a task that is still to come, those that will have been.
        """
        test = self.stream.tasks[place].test
        right = [
            self.answers(test.inputs(slice(first, first + _CHUNK)), place) == test.labels[first : first + _CHUNK]
            for first in range(0, len(test), _CHUNK)
        ]
        return float(np.concatenate(right).mean())

    @torch.no_grad()
    def answers(self, inputs: Array, place: int) -> Integers:
        """Which output speaks for itself most, of those among which an answer is chosen, (examples,).

        Args:
            inputs: (examples, features), float32.
            place: of the task.
        """
        choices = np.array(self.stream.choices(place, self.place))
        found: Integers = choices[self.scores(torch.from_numpy(inputs))[:, choices].argmax(1).numpy()]
        return found

    def scores(self, x: Tensor) -> Tensor:
        """What speaks for each output, (examples, outputs)."""
        for part in self.parts:
            found = part.scores(x)
            if found is not None:
                return found
        said: Tensor = self.network.eval()(x)
        return said

    @property
    def bytes(self) -> int:
        """That parts keep besides the network, and modules that learn with it; not what their optimizers keep."""
        besides = sum(bytes_of(module_arrays(module)) for module in self.besides.values())
        return sum(part.bytes for part in self.parts) + besides

    def arrays(self) -> Arrays:
        """All that it goes on from."""
        counts = np.array([self.place, self.finished, self.iteration, self.replayed])
        found = {"counts": counts, "random": self.generator.get_state().numpy().copy()}
        groups = self._learned()
        groups |= {f"part {k}": _numbers(part) for k, part in enumerate(self.parts)}
        return found | grouped(groups)

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up what `arrays` gave."""
        self.place, self.finished, self.iteration, self.replayed = (int(number) for number in arrays["counts"])
        self.generator.set_state(torch.tensor(arrays["random"]))
        self._restore_learned(arrays)
        for k, part in enumerate(self.parts):
            part.restore(under(f"part {k}", arrays))

    def _learned(self) -> dict[str, Arrays]:
        """What learns, by name."""
        found = {name: module_arrays(module) for name, module in self._modules().items()}
        return found | {"optimizer": optimizer_arrays(self.optimizer)}

    def _restore_learned(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        for name, module in self._modules().items():
            restore_module(module, under(name, arrays))
        restore_optimizer(self.optimizer, under("optimizer", arrays))

    def _modules(self) -> dict[str, nn.Module]:
        return {"network": self.network, **{f"besides/{name}": module for name, module in self.besides.items()}}


def _numbers(part: Part) -> Arrays:
    """What a part goes on from, as arrays of numbers."""
    found = {name: np.asarray(array) for name, array in part.arrays().items()}
    for name, array in found.items():
        if array.dtype.kind == "O":
            raise ValueError(f"{type(part).__name__}.arrays must give arrays of numbers, but {name} is none")
    return found
