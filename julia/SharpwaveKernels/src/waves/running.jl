# Rows that do not see each other go on for themselves, as many together as stay in the cache with all their columns.

const CACHED = 1 << 15              # numbers of a ring

"""
Let waves travel for some steps. `values` takes what starts in each step, or has no steps and takes nothing; `memory` is what started
before, and then what started last, the oldest first. It is the columns, unless `seen_column`, `seen_place` and `seen_weight` say how
they are made of it.
"""
function run_waves(control::Control, numbers, integers, weights, seen_column, seen_place, seen_weight, inputs, memory, values)
    kind, columns, steps, threads = numbers
    rows, places, examples = size(memory)
    steps >= 0 || throw(BadArgument("numbers", "steps must not be negative, got $steps"))
    min(columns, rows, places) >= 1 || throw(BadArgument("memory", "expected at least one column and row, got $columns, $places and $rows"))
    size(inputs, 1) == rows && size(inputs, 3) == examples ||
        throw(BadArgument("inputs", "expected $rows rows and $examples examples, got $(size(inputs))"))
    size(values, 2) in (0, steps) || throw(BadArgument("values", "expected room for $steps steps or none, got $(size(values, 2))"))
    mixed = mixture(columns, places, seen_column, seen_place, seen_weight)
    b = boundary(kind, columns, rows, integers, weights)
    expect!(control, examples * steps)
    # equations may have been compiled after this function was called
    Base.invokelatest(travel!, control, b, mixed, columns, steps, allowed_threads(threads), inputs, memory, values)
    throw_if_cancelled(control)
end
@kernel run_waves """
    numbers in i64[4]
    integers in i64[integers]
    weights in f64[weights]
    seen_column in i64[mixed]
    seen_place in i64[mixed]
    seen_weight in f64[mixed]
    inputs in f64[examples, shown, rows]
    memory inout f64[examples, places, rows]
    values out f64[examples, kept, rows]
"""

"All examples, each by one thread; where rows do not see each other, by several."
function travel!(control, b, mixed::Mixture, columns::Int, steps::Int, allowed::Int, inputs, memory, values)
    rows, places, examples = size(memory)
    together = apart(b) && isempty(mixed.column) ? min(rows, max(64, CACHED ÷ places)) : rows
    parts = cld(rows, together)
    barrier, done = Barrier(max(1, min(allowed, examples * parts))), Threads.Atomic{Int}(0)
    on_threads(barrier) do thread
        own, next, ring = alone(b), zeros(together), zeros(together, places)
        seen = isempty(mixed.column) ? ring : zeros(together, columns)
        for job in thread-1:barrier.threads:examples*parts-1
            example, part = job ÷ parts + 1, job % parts
            count = min(together, rows - part * together)
            if count != size(ring, 1)
                ring = zeros(count, places)
                seen = ring
            end
            roll!(control, done, own, mixed, next, ring, seen, inputs, memory, values, example, steps, part * together)
        end
    end
end

"Some rows of one example, those after `before` others. `seen` is the ring itself where columns are the memory."
function roll!(control, done, b, mixed::Mixture, next, ring, seen, inputs, memory, values, example::Int, steps::Int, before::Int)
    rows, places, oldest = size(ring, 1), size(ring, 2), 1
    for i in 1:places, j in 1:rows
        ring[j, i] = memory[before+j, i, example]
    end
    for t in 1:steps
        t % 256 == 0 && (cancelled(control) && return; progress!(control, Threads.atomic_add!(done, 256) * rows ÷ size(memory, 1)))
        if seen === ring
            compute!(next, b, ring, oldest, before)
        else
            see!(seen, mixed, ring, oldest)
            compute!(next, b, seen, 1, before)
            come_in!(next, mixed, ring, oldest)
        end
        t <= size(inputs, 2) && add_input!(next, inputs, t, example, before, rows)
        start!(ring, oldest, next)
        t <= size(values, 2) && keep!(values, t, example, next, before, rows)
        oldest = oldest == places ? 1 : oldest + 1
    end
    for i in 1:places, j in 1:rows
        memory[before+j, i, example] = ring[j, place(oldest, i, places)]
    end
end

function add_input!(next, inputs, t::Int, example::Int, before::Int, rows::Int)
    @inbounds @simd ivdep for j in 1:rows
        next[j] += inputs[before+j, t, example]
    end
end

function start!(ring, at::Int, next)
    @inbounds @simd ivdep for j in axes(ring, 1)
        ring[j, at] = next[j]
    end
end

function keep!(values, t::Int, example::Int, next, before::Int, rows::Int)
    @inbounds @simd ivdep for j in 1:rows
        values[before+j, t, example] = next[j]
    end
end
