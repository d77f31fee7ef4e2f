# Rows that do not see each other go on for themselves, as many together as stay in the cache with all their columns.

const CACHED = 1 << 15              # numbers of a ring

"""
Let waves travel for some steps. `values` takes what starts in each step, or has no steps and takes nothing; `substrate` is the lattice
before, and then after them, column 1 first.
"""
function run_waves(control::Control, numbers, term_column, term_kind, weights, inputs, substrate, values)
    kind, steps, threads = numbers
    rows, columns, examples = size(substrate)
    steps >= 0 || throw(BadArgument("numbers", "steps must not be negative, got $steps"))
    size(inputs, 1) == rows && size(inputs, 3) == examples ||
        throw(BadArgument("inputs", "expected $rows rows and $examples examples, got $(size(inputs))"))
    size(values, 2) in (0, steps) || throw(BadArgument("values", "expected room for $steps steps or none, got $(size(values, 2))"))
    b = boundary(kind, columns, rows, term_column, term_kind, weights)
    allowed = allowed_threads(threads)
    expect!(control, examples * steps)
    together = apart(b) ? clamp(CACHED ÷ columns, 64, rows) : rows
    parts = cld(rows, together)
    barrier, done = Barrier(max(1, min(allowed, examples * parts))), Threads.Atomic{Int}(0)
    on_threads(barrier) do thread
        space, ring = Space(together, columns), zeros(together, columns)
        for job in thread-1:barrier.threads:examples*parts-1
            example, part = job ÷ parts + 1, job % parts
            count = min(together, rows - part * together)
            count == size(ring, 1) || (ring = zeros(count, columns))
            roll!(control, done, b, space, ring, inputs, substrate, values, example, steps, part * together)
        end
    end
    throw_if_cancelled(control)
end
@kernel run_waves """
    numbers in i64[3]
    term_column in i64[terms]
    term_kind in i64[terms]
    weights in f64[weights]
    inputs in f64[examples, shown, rows]
    substrate inout f64[examples, columns, rows]
    values out f64[examples, kept, rows]
"""

"Some rows of one example, those after `before` others."
function roll!(control, done, b, space::Space, ring::Matrix{Float64}, inputs, substrate, values, example::Int, steps::Int, before::Int)
    rows, columns, oldest = size(ring, 1), size(ring, 2), 1
    for i in 1:columns, j in 1:rows
        ring[j, i] = substrate[before+j, i, example]
    end
    for t in 1:steps
        t % 256 == 0 && (cancelled(control) && return; progress!(control, Threads.atomic_add!(done, 256) * rows ÷ size(substrate, 1)))
        compute!(space, b, ring, oldest, before)
        t <= size(inputs, 2) && add_input!(space.next, inputs, t, example, before, rows)
        start!(ring, oldest, space.next)
        t <= size(values, 2) && keep!(values, t, example, space.next, before, rows)
        oldest = oldest == columns ? 1 : oldest + 1
    end
    for i in 1:columns, j in 1:rows
        substrate[before+j, i, example] = ring[j, place(oldest, i, columns)]
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
