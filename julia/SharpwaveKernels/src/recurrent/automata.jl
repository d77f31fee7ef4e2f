# Timed automata: transitions that depend on clocks, which count steps.

"""
States after each symbol. A row of `transitions` is source and symbol (-1 for any), target, and which of the bounds it demands (from, and
before); a row of `bounds` is clock, period (0 for none), and between which numbers it must be (from, and before). Exactly one transition
is possible in each step: the caller has seen to that.
"""
function run_automaton(control::Control, states, alphabet, transitions, bounds, resets, symbols, found)
    steps, examples = size(symbols)
    in_range(a, low, high) = all(x -> low <= x <= high, a)
    in_range(view(transitions, 1, :), -1, states - 1) && in_range(view(transitions, 3, :), 0, states - 1) ||
        throw(BadArgument("transitions", "a state outside 0:$(states - 1)"))
    in_range(view(transitions, 2, :), -1, alphabet - 1) || throw(BadArgument("transitions", "a symbol outside 0:$(alphabet - 1)"))
    in_range(view(transitions, 4:5, :), 0, size(bounds, 2)) || throw(BadArgument("transitions", "a bound outside 0:$(size(bounds, 2))"))
    in_range(view(bounds, 1, :), 0, size(resets, 1) - 1) || throw(BadArgument("bounds", "a clock outside 0:$(size(resets, 1) - 1)"))
    in_range(view(bounds, 2, :), 0, typemax(Int)) || throw(BadArgument("bounds", "a negative period"))
    in_range(symbols, 0, alphabet - 1) || throw(BadArgument("symbols", "a symbol outside 0:$(alphabet - 1)"))
    expect!(control, examples)
    places = choices(states, alphabet, transitions)
    barrier, done = Barrier(max(1, min(Threads.nthreads(), examples))), Threads.Atomic{Int}(0)
    on_threads(barrier) do thread
        clocks = zeros(Int, size(resets, 1))
        for example in thread:barrier.threads:examples
            cancelled(control) && return
            run_example!(places, transitions, bounds, resets, symbols, found, clocks, example)
            progress!(control, Threads.atomic_add!(done, 1))
        end
    end
    throw_if_cancelled(control)
end
@kernel run_automaton """
    states in i64
    alphabet in i64
    transitions in i64[transitions, 5]
    bounds in i64[bounds, 4]
    resets in i64[transitions, clocks]
    symbols in i64[examples, steps]
    found out i64[examples, steps]
"""

"For each state and symbol, the transitions that clocks may allow."
choices(states, alphabet, transitions) =
    [[k for k in axes(transitions, 2) if transitions[1, k] in (-1, state) && transitions[2, k] in (-1, symbol)]
     for symbol in 0:alphabet-1, state in 0:states-1]

function run_example!(places, transitions, bounds, resets, symbols, found, clocks, example::Int)
    state = 0
    fill!(clocks, 0)
    @inbounds for t in axes(symbols, 1)
        for k in places[symbols[t, example]+1, state+1]
            allowed(bounds, clocks, transitions[4, k], transitions[5, k]) || continue
            state = transitions[3, k]
            for c in eachindex(clocks)
                resets[c, k] == 1 && (clocks[c] = 0)
            end
            break
        end
        found[t, example] = state
        for c in eachindex(clocks)
            clocks[c] += 1
        end
    end
end

@inline function allowed(bounds, clocks, first::Int, last::Int)
    @inbounds for b in first+1:last
        value = clocks[bounds[1, b]+1]
        period = bounds[2, b]
        period > 0 && (value %= period)
        bounds[3, b] <= value < bounds[4, b] || return false
    end
    return true
end
