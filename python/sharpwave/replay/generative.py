"""Replay of what a network dreams up."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..counts import count, count_or_none, positive
from ..torch_state import (
    frozen_copy,
    grouped,
    module_arrays,
    optimizer_arrays,
    restore_module,
    restore_optimizer,
    under,
)
from .distilling import distillation, kept_of
from .draws import torch_seed
from .generators import Autoencoder, Decoder, Latent, cost, cost_of_activities
from .learner import Learner
from .network import Perceptron
from .part import Arrays, Batch, Part, bytes_of


class _Dreaming(Part):
    """What generative replays have in common: a copy of all that learns, as it was before the task.

    Args:
        batch: inputs that are dreamed up at a time; None: as many as there are new ones.
        temperature: of what the network as it was says of them.
    """

    def __init__(self, batch: int | None, temperature: float) -> None:
        self.batch, self.temperature = count_or_none("batch", batch), positive("temperature", temperature)
        self.old: tuple[Perceptron, nn.ModuleDict] | None = None

    @property
    @abstractmethod
    def own(self) -> nn.ModuleDict:
        """The modules that dream."""

    def begin(self, place: int) -> None:
        """See `Part`."""
        self.old = (frozen_copy(self.learner.network), frozen_copy(self.own)) if place else None

    def kept(self, now: Tensor, x: Tensor, level: int = 0) -> Tensor:
        """How far what the network says of dreams is from what it said before the task."""
        assert self.old is not None
        learner, old = self.learner, self.old[0]
        then = old.head(old.features(x, level))
        return kept_of(learner.stream, learner.place, now, then, self.away)

    def away(self, now: Tensor, then: Tensor) -> Tensor:
        """How far what is said is from what was, (examples, outputs) both: a distillation."""
        return distillation(now, then, self.temperature)

    def arrays(self) -> Arrays:
        """See `Part`."""
        if self.old is None:
            return {}
        network, own = self.old
        return grouped({"old network": module_arrays(network), "old own": module_arrays(own)})

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        self.begin(1 if under("old network", arrays) else 0)
        if self.old is not None:
            for group, one in zip(("old network", "old own"), self.old, strict=True):
                restore_module(one, under(group, arrays))


class GenerativeReplay(_Dreaming):
    """An autoencoder beside the network dreams up inputs, and the network as it was says what they are.

    Both learn dreams beside new examples, with a weight of 1 - 1 / t in task t.

    Args:
        latent: numbers of the autoencoder, whose layers are as those of the network.
        batch: inputs that are dreamed up at a time; None: as many as there are new ones.
        target: `"labels"`, the likeliest ones of dreams; or `"logits"`, by distillation.
        temperature: of a distillation.

    Raises:
        ValueError: another target.

    Source:
        Shin and others, NeurIPS 2017, with labels; with distillation van de Ven and Tolias, arXiv 1809.10635.
    """

    def __init__(
        self, latent: int = 100, batch: int | None = None, target: Literal["labels", "logits"] = "labels",
        temperature: float = 2.0,
    ) -> None:  # fmt: skip
        super().__init__(batch, temperature)
        if target not in ("labels", "logits"):
            raise ValueError(f"target must be 'labels' or 'logits', got {target!r}")
        self.latent, self.target = count("latent", latent), target

    def away(self, now: Tensor, then: Tensor) -> Tensor:
        """How far what is said is from what was, (examples, outputs) both; see `target`."""
        if self.target == "logits":
            return super().away(now, then)
        return functional.cross_entropy(now, then.argmax(1))

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(learner.seed, "dreams"))
            self.generator = Autoencoder(learner.stream.features, learner.settings.hidden, self.latent)
        self.optimizer = learner.adam(self.generator)

    @property
    def own(self) -> nn.ModuleDict:
        """See `_Dreaming`."""
        return nn.ModuleDict({"generator": self.generator})

    def loss(self, batch: Batch, loss: Tensor) -> Tensor:
        """See `Part`."""
        random = self.learner.generator
        dreaming = self.generator.loss(batch.x, random)
        if self.old is not None:
            generator = self.old[1]["generator"]
            assert isinstance(generator, Autoencoder)
            x = generator.dream(self.batch or len(batch), random)
            self.learner.replayed += len(x)
            share = self.learner.share(len(x))
            dreaming = share * dreaming + (1 - share) * self.generator.loss(x, random)
            loss = self.learner.weighed(loss, self.kept(self.learner.network(x), x), len(x))
        if not bool(dreaming.isfinite()):
            raise self.learner.diverged(float(dreaming.detach()), ", of the autoencoder,")
        self.optimizer.zero_grad()
        torch.autograd.backward([dreaming])
        self.optimizer.step()
        return loss

    @property
    def bytes(self) -> int:
        """See `Part`; what the optimizer keeps is not counted, as it is of no network."""
        return bytes_of(super().arrays()) + bytes_of(module_arrays(self.generator))

    def learned(self) -> Arrays:
        """See `Part`."""
        return grouped({"generator": module_arrays(self.generator), "optimizer": optimizer_arrays(self.optimizer)})

    def arrays(self) -> Arrays:
        """See `Part`."""
        return super().arrays() | self.learned()

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        super().restore(arrays)
        restore_module(self.generator, under("generator", arrays))
        restore_optimizer(self.optimizer, under("optimizer", arrays))


class BrainInspiredReplay(_Dreaming):
    """The network itself dreams, through feedback from its last hidden layer, in its own way for each kind of example.

    Latent numbers of each kind have a distribution that is learned, and each kind shuts some of the feedback's units.
    A kind is a class; where tasks share outputs, it is a class of a task.

    Args:
        latent: numbers.
        shut: share of the feedback's hidden units that is shut for each kind; 0: no gates. The default is that of
            van de Ven and others, Nature Machine Intelligence 4, 2022, for split MNIST where tasks are not told.
        by_kind: whether each kind has a distribution of its own.
        batch, temperature: see `GenerativeReplay`.
        level: hidden layer whose activities are dreamed (internal replay); 0: inputs are. Layers up to it learn the
            first task only; how far activities are from what is decoded is their squared distance.

    Raises:
        ValueError: a share that is none, or a level above which there is no hidden layer.

    Source:
        van de Ven and others, Brain-inspired replay, Nature Communications 11, 2020, with one mode for each kind. There
        the layers below internal replay were trained on other images before; here on the first task, as a choice. So
        is that where tasks are told, what is kept of a dream is what was said of all earlier tasks, not of its own
        alone; that where they share outputs, each class of each task has a distribution and gates of its own; and that
        dreams are to have the distribution of the kind that they were drawn from.
    """

    def __init__(
        self, latent: int = 100, shut: float = 0.1, by_kind: bool = True, batch: int | None = None,
        temperature: float = 2.0, level: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(batch, temperature)
        if not 0 <= shut < 1:
            raise ValueError(f"shut must be from 0 to below 1, got {shut}")
        self.latent, self.shut, self.by_kind = count("latent", latent), shut, by_kind
        self.level = count("level", level, 0)

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        stream, hidden = learner.stream, learner.settings.hidden
        if len(hidden) <= self.level:
            raise ValueError(
                f"BrainInspiredReplay dreams from the last hidden layer, which must be above level {self.level}: "
                f"settings have {len(hidden)} hidden layers"
            )
        self._together = stream.scenario == "domain"
        kinds = stream.outputs * (len(stream.tasks) if self._together else 1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(learner.seed, "dreams"))
            self.latents = Latent(hidden[-1], self.latent, kinds if self.by_kind else 0)
            self.feedback = Decoder(
                self.latent, tuple(reversed(hidden[self.level :])), (stream.features, *hidden)[self.level], kinds,
                self.shut, learner.generator,
            )  # fmt: skip
        learner.teach("dreaming", self.own)
        learner.replace_loss(self._loss, self)

    @property
    def own(self) -> nn.ModuleDict:
        """See `_Dreaming`."""
        return nn.ModuleDict({"latents": self.latents, "feedback": self.feedback})

    def _kind(self, y: Tensor, task: Tensor) -> Tensor:
        return y + task * self.learner.stream.outputs if self._together else y

    @property
    def freezes(self) -> int:
        """See `Part`."""
        return self.level

    def _seen(self, x: Tensor, kind: Tensor) -> tuple[Tensor, Tensor]:
        """What the network says of activities of the level, or of inputs, and what it costs to say them back."""
        h = self.learner.network.features(x, self.level)
        z, divergence = self.latents(h, kind, self.learner.generator)
        back = self.feedback(z, kind)
        costs = cost_of_activities if self.level else cost
        return self.learner.network.head(h), costs(x.detach(), back, divergence)

    def _loss(self, batch: Batch) -> Tensor:
        x = self.learner.network.features(batch.x, 0, self.level)
        said, dreaming = self._seen(x, self._kind(batch.y, batch.task))
        return self.learner.entropy(said, batch) + dreaming

    def loss(self, batch: Batch, loss: Tensor) -> Tensor:
        """See `Part`."""
        if self.old is None:
            return loss
        kind = self._before(self.batch or len(batch))
        x = self.dream(kind)
        self.learner.replayed += len(x)
        said, dreaming = self._seen(x, kind)
        return self.learner.weighed(loss, self.kept(said, x, self.level) + dreaming, len(x))

    def _before(self, number: int) -> Tensor:
        """Kinds of the tasks before, all as likely, drawn."""
        stream, place = self.learner.stream, self.learner.place
        every = (
            output + (task * stream.outputs if self._together else 0)
            for task in range(place)
            for output in stream.tasks[task].outputs
        )
        kinds = list(dict.fromkeys(every))
        return torch.tensor(kinds)[torch.randint(len(kinds), (number,), generator=self.learner.generator)]

    @torch.no_grad()
    def dream(self, kind: Tensor) -> Tensor:
        """Inputs of some kinds, or activities, as they were dreamed before the task, (examples, features)."""
        assert self.old is not None
        latents, feedback = self.old[1]["latents"], self.old[1]["feedback"]
        assert isinstance(latents, Latent)
        assert isinstance(feedback, Decoder)
        back: Tensor = feedback(latents.draw(kind, self.learner.generator), kind)
        return back.relu() if self.level else back.sigmoid()
