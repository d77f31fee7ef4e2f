"""
Let waves travel for some steps. `values` takes what starts in each step, or has no steps and takes nothing; `substrate` is the lattice
before, and then after them, column 1 first.
"""
function run_waves(control::Control, numbers, term_column, term_kind, weights, inputs, substrate, values)
    kind, steps, threads = numbers
    rows, columns, examples = size(substrate)
    steps >= 0 || throw(BadArgument("numbers", "steps must not be negative, got $steps"))
    size(inputs, 1) == rows && size(inputs, 3) == examples || throw(BadArgument("inputs", "expected $rows rows and $examples examples, got $(size(inputs))"))
    size(values, 2) in (0, steps) || throw(BadArgument("values", "expected room for $steps steps or none, got $(size(values, 2))"))
    b = boundary(kind, columns, rows, term_column, term_kind, weights)
    allowed = min(threads > 0 ? threads : Threads.nthreads(), Threads.nthreads())
    expect!(control, examples * steps)
    parts = apart(b) && examples < allowed ? min(allowed, cld(rows, 64)) : 1             # of the rows
    barrier, done = Barrier(max(1, min(allowed, examples * parts))), Threads.Atomic{Int}(0)
    on_threads(barrier) do thread
        space, ring = Space(rows, columns), zeros(rows, columns)
        for job in thread-1:barrier.threads:examples*parts-1
            example, part = job ÷ parts + 1, job % parts
            mine = (rows * part) ÷ parts + 1:(rows * (part + 1)) ÷ parts
            roll!(control, done, b, space, ring, inputs, substrate, values, example, steps, mine)
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

"Some rows of one example."
function roll!(control, done, b, space::Space, ring::Matrix{Float64}, inputs, substrate, values, example::Int, steps::Int, mine)
    columns, oldest = size(ring, 2), 1
    copy_columns!(ring, substrate, example, 1, mine, true)
    for t in 1:steps
        t % 256 == 0 && (cancelled(control) && return; progress!(control, Threads.atomic_add!(done, 256)))
        compute!(space, b, ring, oldest, mine)
        t <= size(inputs, 2) && add_input!(space.next, inputs, t, example, mine)
        start!(ring, oldest, space.next, mine)
        t <= size(values, 2) && keep!(values, t, example, space.next, mine)
        oldest = oldest == columns ? 1 : oldest + 1
    end
    copy_columns!(ring, substrate, example, oldest, mine, false)
end

function copy_columns!(ring, substrate, example::Int, oldest::Int, mine, into_ring::Bool)
    @inbounds for i in axes(ring, 2)
        at = place(oldest, i, size(ring, 2))
        @simd ivdep for j in mine
            into_ring ? (ring[j, at] = substrate[j, i, example]) : (substrate[j, i, example] = ring[j, at])
        end
    end
end

function add_input!(next, inputs, t::Int, example::Int, mine)
    @inbounds @simd ivdep for j in mine
        next[j] += inputs[j, t, example]
    end
end

function start!(ring, at::Int, next, mine)
    @inbounds @simd ivdep for j in mine
        ring[j, at] = next[j]
    end
end

function keep!(values, t::Int, example::Int, next, mine)
    @inbounds @simd ivdep for j in mine
        values[j, t, example] = next[j]
    end
end
