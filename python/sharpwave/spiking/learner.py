"""Learning of the estimators over ready-made networks: chunk by chunk, with readouts beside it, and checkpoints."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, fields
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from sharpwave.files import finite

from ..checkpoints import checkpoint_path, fingerprint
from ..images import Images, checked_labels, coded
from .checkpoints import Checkpoint
from .linear_readout import LinearReadout
from .network import Network
from .plasticity import Reduction
from .progress import Position, watching
from .readouts import Readout
from .request import Precision, Repeat
from .state import State
from .votes import made_readout, vote_names

if TYPE_CHECKING:
    from .result import Result

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
L = TypeVar("L", bound="Learner")

CHUNK = 250  # images after which the learning rate falls, in arXiv 1904.06269
_NO_CONFIG = ("epochs", "readout", "threads", "verbose", "checkpoint", "checkpoint_every")
_HISTORY = ("examples", "accuracy", "seconds", "spikes", "presentations")


@dataclass(eq=False, repr=False, kw_only=True)
class Learner(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Parameters and learning of `SpikingClassifier`; see there."""

    readout: str = "proportion"
    readouts: tuple[str, ...] = ("all", "proportion", "ngram")
    epochs: int = 1
    batch: int = 1
    reduction: Reduction = "sum"
    learning_rate_decay: float = 1.0
    min_spikes: int = 5
    pixel_max: float | None = None
    seed: int = 0
    precision: Precision = "double"
    threads: int | None = None
    checkpoint: str | Path | None = None
    checkpoint_every: int = 10_000
    verbose: bool = False

    def fit(self: L, X: ArrayLike, y: ArrayLike, *, resume: bool = False) -> L:
        """Learn images, from new weights on.

        Args:
            X: images (images, rows, columns) or (images, pixels), whole numbers or floats from 0 to `pixel_max`.
            y: their labels, (images,), of any kind.
            resume: whether to go on from the checkpoint, if there is one; the numbers come out as without a break.

        Returns:
            The estimator itself.

        Raises:
            ValueError: images, labels or a parameter that does not fit; a checkpoint of another training.
        """
        path = checkpoint_path(self.checkpoint, resume)
        images, labels = self._begin(X, y, None)
        about = self._config(images, labels) if path else {}
        if resume and path and path.exists():
            self._restore(path, about)
        total = self.epochs * len(images.pixels)
        if self.examples_seen_ > total:
            raise ValueError(f"{path} has learned {self.examples_seen_} images, more than {self.epochs} epochs are")
        self._learn(images, labels, Position(self.examples_seen_, 0, total), about)
        return self

    def partial_fit(self: L, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> L:
        """Learn some more images, once; in parts that are multiples of the batch it comes to the same as `fit` at once.

        Args:
            X, y: as in `fit`.
            classes: at the first call, all labels that there will be; None: those of y.

        Returns:
            The estimator itself.

        Raises:
            ValueError: as in `fit`; a label that is none of the classes; synapses or neurons were deleted.
        """
        if not hasattr(self, "readouts_"):
            images, labels = self._begin(X, y, classes)
        elif self.lesions_:
            raise ValueError(f"{type(self).__name__} cannot learn: {', '.join(self.lesions_)}, for tests only")
        else:
            images = self._images(X)
            labels = coded(checked_labels(y, len(images.pixels)), self.classes_)
        seen = self.examples_seen_
        self._learn(images, labels, Position(seen, seen, seen + len(labels)), {})
        return self

    # What each estimator says of itself: the layer that is read out, how much brighter an image is presented again, and
    # how many pixels at each edge are not seen.
    _layer = "layer"
    _scales: ClassVar[tuple[float, ...]] = (1.0, 2.0, 4.0, 8.0)
    _crop = 0

    @abstractmethod
    def _network(self, shape: tuple[int, int], learning_rate: float) -> Network:
        """The network for images of this shape, its learning rates times a factor."""

    @abstractmethod
    def _drive(self) -> tuple[float, float, float]:
        """Rate of a white pixel, Hz; how long an image is presented, and how long an example is, ms."""

    def _grid(self, shape: tuple[int, int]) -> tuple[int, int] | None:
        """Rows and columns of positions; None for neurons that see the whole image."""
        return None

    def _begin(self, X: ArrayLike, y: ArrayLike | None, classes: ArrayLike | None) -> tuple[Images, Integers]:
        """Check everything, and forget what was learned before."""
        self._check_parameters()
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        images = Images.of(X, self.pixel_max)
        labels = checked_labels(y, len(images.pixels))
        known = np.unique(labels if classes is None else np.asarray(classes))
        codes = coded(labels, known)
        shape = images.shape or (1, images.pixels.shape[1])
        network = self._network(self._window(shape), 1.0)
        self.classes_, self.n_features_in_, self.image_shape_ = known, images.pixels.shape[1], shape
        self.state_: State = network.initial_state()
        self.lesions_: tuple[str, ...] = ()
        self.readouts_ = self._readouts(network)
        self.examples_seen_ = 0
        self.history_: dict[str, list[Any]] = {name: [] for name in _HISTORY}
        return images, codes

    def _readouts(self, network: Network) -> dict[str, Readout]:
        """Readouts that have learned nothing."""
        units, positions = network.populations[self._layer].units, math.prod(self._grid(self._window()) or (1,))
        names = vote_names(self.readout, self.readouts)
        return {name: made_readout(name, len(self.classes_), units, positions) for name in names}

    def _learn(self, images: Images, labels: Integers, position: Position, about: dict[str, Any]) -> None:
        chunk = self.batch * max(1, round(CHUNK / self.batch))
        began = perf_counter() - (self.history_["seconds"][-1] if self.history_["seconds"] else 0.0)
        saved, rate, network = self.examples_seen_, 1.0, self._network(self._window(), 1.0)
        with watching(self.verbose, position) as watch:
            try:
                for seen, part in position.chunks(len(labels), chunk):
                    if self.learning_rate_decay ** (seen // CHUNK) != rate:
                        rate = self.learning_rate_decay ** (seen // CHUNK)
                        network = self._network(self._window(), rate)
                    result = self._run(network, images, part, seen, learning=True, watch=watch.within(seen))
                    self._take(result, labels[part], perf_counter() - began)
                    watch.learned(self.examples_seen_, self.history_["accuracy"][-1])
                    if about and self.examples_seen_ - saved >= self.checkpoint_every:
                        saved = self._save(about)
            finally:  # also where Ctrl-C ends it: what was learned is kept
                if about and self.examples_seen_ > saved:
                    self._save(about)

    def _run(self, network: Network, images: Images, part: slice, first: int, *, learning: bool, watch: Any) -> Result:
        intensity, presented, duration = self._drive()
        return network.run(
            {"input": images.cropped(part, self._crop) * (intensity / images.largest)},
            duration,
            input_duration=presented,
            learning=learning,
            batch=self.batch,
            state=self.state_,
            seed=self.seed,
            first_example=first,
            record=(self._layer,),
            repeat=Repeat(self._layer, self.min_spikes, self._scales) if self.min_spikes else None,
            precision=self.precision,
            threads=self.threads,
            watch=watch,
        )

    def _take(self, result: Result, labels: Integers, seconds: float) -> None:
        """Take over what a chunk has learned, and let the readouts learn it."""
        spikes, accuracy = result.spikes[self._layer], math.nan
        # A linear readout would begin a new regression at each chunk.
        quick = [r for r in self.readouts_.values() if not isinstance(r, LinearReadout)]
        if quick and quick[0].class_examples.any():
            accuracy = float((quick[0].predict(spikes) == labels).mean())
        for readout in self.readouts_.values():
            readout.partial_fit(spikes, labels)
        self.state_ = result.state
        self.examples_seen_ += len(labels)
        means = len(spikes) / len(labels), float(result.presentations.mean())
        for name, value in zip(_HISTORY, (self.examples_seen_, accuracy, seconds, *means), strict=True):
            self.history_[name].append(value)

    def _images(self, X: ArrayLike) -> Images:
        """Images, checked, for an estimator that is fitted."""
        images, (rows, columns) = Images.of(X, self.pixel_max), self.image_shape_
        images.check_features(self.n_features_in_, type(self).__name__, f": images of {rows} x {columns} pixels")
        return Images(images.pixels, self.image_shape_, images.largest)

    def _window(self, shape: tuple[int, int] | None = None) -> tuple[int, int]:
        """Rows and columns of what the network sees."""
        rows, columns = self.image_shape_ if shape is None else shape
        if not 0 <= 2 * self._crop < min(rows, columns):
            raise ValueError(f"crop must be less than half an image of {rows} x {columns} pixels, got {self._crop}")
        return rows - 2 * self._crop, columns - 2 * self._crop

    def _check_parameters(self) -> None:
        for name, least in (("epochs", 1), ("batch", 1), ("min_spikes", 0), ("checkpoint_every", 1), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
                raise ValueError(f"{name} must be a whole number from {least} on, got {value!r}")
        if not 0 < self.learning_rate_decay <= 1:
            raise ValueError(f"learning_rate_decay must be above 0 and at most 1, got {self.learning_rate_decay}")
        intensity = self._drive()[0]
        if not (intensity > 0 and math.isfinite(intensity)):
            raise ValueError(f"intensity must be a positive rate in Hz, got {intensity}")
        vote_names(self.readout, self.readouts)

    def _config(self, images: Images, labels: Integers) -> dict[str, Any]:
        """What the numbers depend on."""
        settings = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _NO_CONFIG}
        data = fingerprint(images.pixels, labels, self.classes_)
        settings |= {"estimator": type(self).__name__, "readouts": sorted(self.readouts_), "data": data}
        found: dict[str, Any] = finite(settings)
        return found

    def _save(self, about: dict[str, Any]) -> int:
        learned = {name: readout.state_dict() for name, readout in self.readouts_.items()}
        found = Checkpoint(about, self.state_, learned, self.examples_seen_, self.history_)
        found.save(Path(str(self.checkpoint)))
        return self.examples_seen_

    def _restore(self, path: Path, about: dict[str, Any]) -> None:
        found = Checkpoint.load(path)
        found.check(about, path)
        self.state_, self.examples_seen_ = found.state, found.position
        for name, values in found.history.items():
            self.history_[name] = [math.nan if value is None else value for value in values]
        for name, learned in found.readouts.items():
            self.readouts_[name].load_state_dict(learned)
