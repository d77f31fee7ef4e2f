"""Networks that dream up inputs: variational autoencoders, plain, or with a prior and gates for each kind."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def _layers(sizes: Sequence[int]) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))


class Decoder(nn.Module):
    """From latent numbers back to inputs; hidden units may be shut for some kinds of examples.

    Args:
        latent: numbers.
        hidden: units, from the latent numbers on.
        features: of an input.
        kinds: of examples; 0: no gates.
        shut: share of the hidden units that is shut for each kind.
        generator: of which ones.
    """

    def __init__(
        self, latent: int, hidden: Sequence[int], features: int, kinds: int = 0, shut: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if not 0 <= shut < 1:
            raise ValueError(f"the share of shut units must be from 0 to below 1, got {shut}")
        self.layers, self.out = _layers((latent, *hidden)), nn.Linear((latent, *hidden)[-1], features)
        self.gated = bool(kinds and shut)
        for place, units in enumerate(hidden if self.gated else ()):
            order = torch.rand(kinds, units, generator=generator).argsort(1)
            self.register_buffer(f"open_{place}", (order >= round(shut * units)).float())

    def forward(self, z: Tensor, kind: Tensor | None = None) -> Tensor:
        """Logits of inputs, (examples, features), of latent numbers and kinds, (examples,)."""
        for place, layer in enumerate(self.layers):
            z = torch.relu(layer(z))
            if self.gated and kind is not None:
                z = z * self.get_buffer(f"open_{place}")[kind]
        found: Tensor = self.out(z)
        return found


class Latent(nn.Module):
    """From activities to a normal distribution of latent numbers, and what is expected of them.

    Args:
        units: of the activities.
        latent: numbers.
        kinds: of examples, each with a normal distribution of its own that is learned; 0: the standard one for all.
    """

    def __init__(self, units: int, latent: int, kinds: int = 0) -> None:
        super().__init__()
        self.mean, self.log_variance = nn.Linear(units, latent), nn.Linear(units, latent)
        self.latent, self.kinds = latent, kinds
        if kinds:
            self.prior_mean = nn.Parameter(torch.randn(kinds, latent))
            self.prior_log_variance = nn.Parameter(torch.zeros(kinds, latent))

    def forward(self, h: Tensor, kind: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Latent numbers that are drawn, (examples, latent), and the divergence from what was expected, (examples,)."""
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=generator)
        expected, expected_log = self._prior(kind, mean)
        ratio = log_variance - expected_log
        away = (mean - expected).square() * (-expected_log).exp()
        return z, (ratio.exp() + away - 1 - ratio).sum(1) / 2

    def draw(self, kind: Tensor, generator: torch.Generator) -> Tensor:
        """Latent numbers as they are expected of examples of some kinds."""
        noise = torch.randn((len(kind), self.latent), generator=generator)
        mean, log_variance = self._prior(kind, noise)
        return mean + (log_variance / 2).exp() * noise

    def _prior(self, kind: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        if not self.kinds:
            return torch.zeros_like(like), torch.zeros_like(like)
        return self.prior_mean[kind], self.prior_log_variance[kind]


class Autoencoder(nn.Module):
    """A variational autoencoder.

    Args:
        features: of an input, from 0 to 1.
        hidden: units of the encoder; the decoder has them in the other order.
        latent: numbers.

    Source:
        Kingma and Welling, 2014; sizes of van de Ven and others, 2022: 400, 400 and 100.
    """

    def __init__(self, features: int, hidden: Sequence[int], latent: int = 100) -> None:
        super().__init__()
        self.encoder, self.latent = _layers((features, *hidden)), Latent((features, *hidden)[-1], latent)
        self.decoder = Decoder(latent, tuple(reversed(hidden)), features)

    def loss(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """What it costs to say inputs by latent numbers, by feature: see `cost`."""
        h = x
        for layer in self.encoder:
            h = torch.relu(layer(h))
        z, divergence = self.latent(h, torch.zeros(len(x), dtype=torch.int64), generator)
        return cost(x, self.decoder(z), divergence)

    @torch.no_grad()
    def dream(self, number: int, generator: torch.Generator) -> Tensor:
        """Inputs that it makes up, (number, features)."""
        z = self.latent.draw(torch.zeros(number, dtype=torch.int64), generator)
        found: Tensor = self.decoder(z).sigmoid()
        return found


def cost(x: Tensor, logits: Tensor, divergence: Tensor) -> Tensor:
    """The variational bound by feature: cross-entropy of inputs with what is decoded, and the divergence of latents.

    Args:
        x: (examples, features), from 0 to 1.
        logits: decoded, (examples, features).
        divergence: (examples,).
    """
    return functional.binary_cross_entropy_with_logits(logits, x) + divergence.mean() / x.shape[1]


def cost_of_activities(h: Tensor, decoded: Tensor, divergence: Tensor) -> Tensor:
    """The variational bound by unit: squared distance of activities from what is decoded, and the divergence.

    Args:
        h: (examples, units).
        decoded: (examples, units).
        divergence: (examples,).
    """
    return functional.mse_loss(decoded, h) + divergence.mean() / h.shape[1]
