"""Transformers of attention alone learn English, character by character, and go on writing as waves."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...files import whole
from ..experiment import Context
from ..sweeping import mean_and_sd, points, shown, swept
from .characters import CHARACTERS, bits_of_counts, decoded, read

if TYPE_CHECKING:
    from .config import WaveTransformerConfig


def text(context: Context) -> dict[str, Any]:
    """Train on the Brown corpus, test, and let lattice and transformer write."""
    config, home = context.config, points(context)
    learned, tested = read(config.documents)
    rows = [
        [f"counts of {n + 1} characters", f"{bits_of_counts(learned, tested[: config.tested], n):.3f}", "", ""]
        for n in range(3)
    ]
    seeds = range(config.seed, config.seed + config.seeds)
    names = {(layers, seed): f"layers-{layers}-seed-{seed}" for layers in config.text_layers for seed in seeds}
    done = swept(
        context, {name: partial(_learn, config, *kind, home / name) for kind, name in names.items()}, config.jobs
    )
    found = {kind: done[name] for kind, name in names.items()}
    for layers in config.text_layers:
        ones = [found[layers, seed] for seed in seeds]
        bits = mean_and_sd(one["bits"] for one in ones)
        difference = np.array([one["difference"] for one in ones], dtype=np.float64).max()
        same = all(one["same"] for one in ones)
        context.metric(f"text, layers {layers}: bits a character", bits[0])
        rows.append([
            f"attention, layers {layers}", shown(*bits, 3), f"{difference:.1e}", "yes" if same else "no"
        ])  # fmt: skip
    largest = np.array([one["difference"] for one in found.values()], dtype=np.float64).max()
    context.metric("largest difference of lattice and transformer, text", float(largest))
    context.table(
        "Text",
        ["what predicts", "bits a character", "lattice - transformer", "write the same"],
        rows,
        f"The Brown corpus in {len(CHARACTERS)} characters; every tenth of {config.documents} documents is a test. "
        f"Attention: {config.text_columns} columns of {config.text_rows} rows, {config.heads} heads, "
        f"{config.text_steps} steps. Difference: the largest, over 256 windows, of what starts on the lattice (of one "
        "layer: in Julia) and what the transformer says. The last column: whether both write the same "
        f"{config.written} characters.",
    )
    context.table(
        "Written",
        ["layers", "after", "goes on"],
        [[layers, one["given"], one["written"]] for (layers, seed), one in found.items() if seed == config.seed],
        "The character that is most probable, again and again.",
    )
    shape = (len(config.text_layers), config.seeds)
    values = {
        name: (("layers", "seed"), np.array([one[name] for one in found.values()], dtype=np.float64).reshape(shape))
        for name in ("bits", "difference")
    }
    return {**values, "layers": list(config.text_layers), "seed": list(seeds)}


def _learn(config: WaveTransformerConfig, layers: int, seed: int, home: Path) -> dict[str, Any]:
    import torch

    from .model import CharacterModel

    learned, tested = read(config.documents)
    model = CharacterModel(config.text_columns, config.text_rows, layers, config.heads, seed)
    optimizer = torch.optim.Adam(model.parameters(), config.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.text_steps)
    rng, offsets = np.random.default_rng(seed), np.arange(config.text_columns + 1)
    for _ in range(config.text_steps):
        starts = rng.integers(0, len(learned) - config.text_columns, 64)
        batch = torch.from_numpy(learned[starts[:, None] + offsets].astype(np.int64))
        loss = torch.nn.functional.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
    arrays: dict[str, Any] = {name: value.numpy() for name, value in model.state_dict().items()}
    home.parent.mkdir(parents=True, exist_ok=True)
    with whole(home.with_suffix(".npz")) as path, path.open("wb") as file:
        np.savez(file, **arrays)
    return _measured(config, model.double().eval(), tested[: config.tested])


def _measured(config: WaveTransformerConfig, model: Any, tested: Any) -> dict[str, Any]:
    import torch

    windows = np.lib.stride_tricks.sliding_window_view(tested.astype(np.int64), config.text_columns + 1)
    with torch.no_grad():
        bits = 0.0
        for part in torch.split(torch.from_numpy(windows.copy()), 2048):
            newest = model(part[:, :-1])[:, -1]
            bits += float(torch.nn.functional.cross_entropy(newest, part[:, -1], reduction="sum")) / np.log(2)
        some = torch.from_numpy(windows[:256, :-1].copy())
        vectors = model.embedding(some)
        said = model.transformer(vectors)[:, -1].numpy()
        given = some[0]
        written = model.written(given, config.written)
    lattice = model.transformer.lattice()
    starts = lattice.run(steps=1, initial=vectors.numpy()).values[:, 0]
    waves = model.lattice().run(steps=config.written, initial=vectors[:1].numpy()).values[0]
    as_waves = model.characters(torch.from_numpy(waves)).tolist()
    return {
        "bits": bits / len(windows),
        "difference": float(np.abs(starts - said).max()),
        "same": as_waves == written,
        "given": decoded(given.tolist()),
        "written": decoded(as_waves),
    }
