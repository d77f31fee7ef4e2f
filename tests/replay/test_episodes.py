"""Episodes: orders of replay, what is put together anew, values that are learned, the sequence memory as a store."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.replay import ORDERS, Episode, EpisodeStore, SequenceMemory, learn_values, ordered

RANDOM = np.random.default_rng(0)


def track(first: int, length: int, reward: float = 1.0) -> Episode:
    rewards = np.zeros(length - 1)
    rewards[-1] = reward
    return Episode(np.arange(first, first + length), rewards)


def test_orders_have_the_same_transitions_and_compressed_ones_their_sums() -> None:
    episode = Episode(np.array([3, 1, 4, 1, 5]), np.array([1.0, 2.0, 4.0, 8.0]))
    forward = ordered(episode, "forward", 0.5, RANDOM)
    assert [t[:3] for t in forward] == [(3, 1, 1.0), (1, 4, 2.0), (4, 1, 4.0), (1, 5, 8.0)]
    assert ordered(episode, "reverse", 0.5, RANDOM) == forward[::-1]
    assert sorted(ordered(episode, "shuffled", 0.5, RANDOM)) == sorted(forward)
    seen = set()
    for _ in range(20):
        compressed = ordered(episode, "compressed", 0.5, RANDOM)
        assert sum(t.steps for t in compressed) == 4
        assert sum(t.reward * 0.5 ** sum(u.steps for u in compressed[:k]) for k, t in enumerate(compressed)) == 4.0
        seen.add(tuple(t.state for t in compressed))
    assert seen == {(3, 4), (3, 1, 1)}
    with pytest.raises(ValueError, match="unknown order 'revers': did you mean 'reverse'"):
        ordered(episode, "revers", 0.5, RANDOM)


def test_a_spliced_episode_was_never_made_but_each_of_its_steps_was() -> None:
    store = EpisodeStore(10_000)
    store.keep(Episode(np.array([0, 1, 5, 2]), np.array([0.0, 0.0, 1.0])))
    store.keep(Episode(np.array([3, 5, 4]), np.array([0.0, 7.0])))
    ways = {tuple((t.state, t.after, t.reward) for t in store.replay("spliced", 0.9, RANDOM)) for _ in range(50)}
    assert ways == {((0, 1, 0.0), (1, 5, 0.0), (5, 4, 7.0)), ((3, 5, 0.0), (5, 2, 1.0))}
    alone = EpisodeStore(1000)
    alone.keep(track(0, 4))
    assert [t.after for t in alone.replay("spliced", 0.9, RANDOM)] == [1, 2, 3]


def test_the_budget_holds_and_the_oldest_episodes_go() -> None:
    store = EpisodeStore(200)
    for first in range(10):
        store.keep(track(first, 4))
        assert store.bytes <= 200
    assert [int(episode.states[0]) for episode in store.episodes] == [7, 8, 9]
    with pytest.raises(ValueError, match="a budget of 200 bytes is smaller than an episode of 312 bytes"):
        store.keep(track(0, 20))
    with pytest.raises(ValueError, match="nothing can be replayed"):
        EpisodeStore(100).replay("forward", 0.9, RANDOM)
    with pytest.raises(ValueError, match="got 3 states and 3 rewards"):
        Episode(np.arange(3), np.zeros(3))


@pytest.mark.parametrize("order", ORDERS)
def test_values_come_out_right_in_any_order(order: str) -> None:
    store = EpisodeStore(1000)
    store.keep(track(0, 6, 2.0))
    values = np.zeros(6)
    for _ in range(200):
        learn_values(values, store.replay(order, 0.9, RANDOM), 0.5, 0.9)
    np.testing.assert_allclose(values, [*(2.0 * 0.9 ** np.arange(4, -1, -1)), 0.0], rtol=1e-6)


def test_one_reverse_replay_takes_a_reward_to_the_beginning() -> None:
    for order, reached in (("reverse", 6), ("forward", 1)):
        values = np.zeros(7)
        learn_values(values, ordered(track(0, 7), order, 0.9, RANDOM), 1.0, 0.9)
        assert np.count_nonzero(values) == reached


@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_a_sequence_memory_replays_its_episodes_both_ways(backend) -> None:
    patterns = np.random.default_rng(3).choice([-1.0, 1.0], (12, 150))
    memory = SequenceMemory(patterns, backend=backend)
    for first in (0, 6):
        memory.keep(track(first, 6))
    for first in (0, 6):
        assert memory.recalled(first).tolist() == list(range(first, first + 6))
        assert memory.recalled(first, reverse=True).tolist() == list(range(first + 5, first - 1, -1))
    store = EpisodeStore(1000)
    for first in (0, 6):
        store.keep(track(first, 6))
    for order in ("forward", "reverse", "shuffled", "compressed"):
        one, other = (kept.replay(order, 0.9, np.random.default_rng(7)) for kept in (memory, store))
        assert one == other
    faster = SequenceMemory(patterns, speed=4.0, backend=backend)
    faster.keep(track(0, 6))
    assert faster.recalled(0).tolist() == list(range(6))
    assert faster.dwell(0) < 0.7 * memory.dwell(0)


def test_episodes_that_part_on_the_way_back_are_not_replayed_in_reverse() -> None:
    memory = SequenceMemory(np.random.default_rng(3).choice([-1.0, 1.0], (5, 150)), backend="torch")
    memory.keep(Episode(np.array([0, 1, 2]), np.array([0.0, 1.0])))
    with pytest.raises(ValueError, match=r"the transition 3 to 4 is kept with a reward of 1\.0, got 5\.0"):
        memory.keep(Episode(np.array([3, 4, 3, 4]), np.array([1.0, 0.0, 5.0])))
    assert len(memory.edges) == 2
    with pytest.raises(ValueError, match=r"the transition 1 to 2 is kept with a reward of 1\.0, got 0\.0"):
        memory.keep(Episode(np.array([3, 1, 2]), np.array([0.0, 0.0])))
    before = memory.bytes
    memory.keep(Episode(np.array([3, 1, 2]), np.array([0.0, 1.0])))
    assert memory.bytes == before + 2 * 24  # one more transition, and one more end
    assert memory.recalled(3).tolist() == [3, 1, 2]
    with pytest.raises(ValueError, match="episodes come to state 1 from 0 and 3"):
        memory.replay("reverse", 0.9, RANDOM)


def test_what_is_no_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="patterns must be"):
        SequenceMemory(np.zeros((3, 10)))
    with pytest.raises(ValueError, match="speed must be positive, got 0"):
        SequenceMemory(np.ones((3, 10)), speed=0)
    with pytest.raises(ValueError, match="nothing can be replayed"):
        SequenceMemory(np.ones((3, 10))).replay("forward", 0.9, RANDOM)
    memory = SequenceMemory(np.ones((6, 10)), backend="torch")
    memory.keep(track(0, 3))
    with pytest.raises(ValueError, match="an episode that begins at state 0 is kept already"):
        memory.keep(track(0, 3))
    with pytest.raises(ValueError, match="has no episodes to splice"):
        memory.replay("spliced", 0.9, RANDOM)
    with pytest.raises(ValueError, match="recall stays at state 0"):
        memory.replay("forward", 0.9, RANDOM)
