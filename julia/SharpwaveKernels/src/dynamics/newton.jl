# Points that come back after some steps, by Newton's method with line search from many starts.

"Room for one start."
struct NewtonSpace
    W::Matrix{Float64}          # recurrent weights (to, from)
    product::Matrix{Float64}    # derivative of some steps
    next::Matrix{Float64}
    there::Vector{Float64}      # a state that is tried
    image::Vector{Float64}      # where some steps lead from it
    drive::Vector{Float64}
    residual::Vector{Float64}
    move::Vector{Float64}
end
NewtonSpace(n::Int) = NewtonSpace(ntuple(_ -> zeros(n, n), 3)..., ntuple(_ -> zeros(n), 5)...)

"x = tanh(W x + b)."
function advance!(x::Vector{Float64}, drive::Vector{Float64}, W::Matrix{Float64}, b)
    n = length(x)
    @inbounds begin
        @simd ivdep for i in 1:n
            drive[i] = b[i]
        end
        for j in 1:n
            value = x[j]
            @simd ivdep for i in 1:n
                drive[i] = muladd(W[i, j], value, drive[i])
            end
        end
        for i in 1:n
            x[i] = tanh(drive[i])
        end
    end
end

"residual = F(there) - there for `period` steps F; its largest component, and its square."
function residual!(s::NewtonSpace, b, period::Int)
    copyto!(s.image, s.there)
    for _ in 1:period
        advance!(s.image, s.drive, s.W, b)
    end
    largest, square = 0.0, 0.0
    @inbounds for i in eachindex(s.there)
        r = s.residual[i] = s.image[i] - s.there[i]
        largest = max(largest, abs(r))
        square += r * r
    end
    return largest, square
end

"product = 1 - F'(x); x is where F leads afterwards."
function system!(s::NewtonSpace, x::Vector{Float64}, b, period::Int)
    n = length(x)
    A, B = s.product, s.next
    for step in 1:period
        advance!(x, s.drive, s.W, b)
        step == 1 ? copyto!(A, s.W) : (multiply_rows!(B, s.W, A, n, 1, n); copyto!(A, B))
        @inbounds for j in 1:n
            @simd ivdep for i in 1:n
                A[i, j] *= 1 - x[i] * x[i]
            end
        end
    end
    @inbounds for j in 1:n
        @simd ivdep for i in 1:n
            A[i, j] = -A[i, j]
        end
        A[j, j] += 1
    end
end

const SHORTEST = 2.0^-12       # share of a step that is still tried
const PATIENCE = 8             # steps in which a residual that leads anywhere becomes half as large

"Take a state to where its residual is small, or as far as steps make it much smaller; how large it is there."
function newton!(h, s::NewtonSpace, b, period::Int, tolerance::Float64, steps::Int)
    copyto!(s.there, h)
    largest, square = residual!(s, b, period)
    before = Inf
    for step in 1:steps
        largest <= tolerance && break
        if step % PATIENCE == 1
            square > before / 4 && break
            before = square
        end
        copyto!(s.move, s.residual)
        copyto!(s.image, h)
        system!(s, s.image, b, period)
        solve!(s.product, s.move)
        share, nearer = 1.0, false
        while share >= SHORTEST
            @inbounds for i in eachindex(s.there)
                s.there[i] = muladd(share, s.move[i], h[i])
            end
            now, total = residual!(s, b, period)
            if total < square
                largest, square, nearer = now, total, true
                break
            end
            share /= 2
        end
        nearer || break
        copyto!(h, s.there)
    end
    return largest
end

"""
Points of networks that come back after `period` steps. Row by row, `states` has the starts of each network, and then where they came
to; `residuals` the largest component of what is missing there.
"""
function find_points(control::Control, numbers, tolerance, recurrent, bias, states, residuals)
    period, steps, threads = numbers
    period > 0 && steps >= 0 || throw(BadArgument("numbers", "expected a period from 1 and steps from 0 on, got $period and $steps"))
    n, starts, maps = size(states)
    expect!(control, maps)
    finished = Threads.Atomic{Int}(0)
    share_out(() -> NewtonSpace(n), maps, threads) do s, m
        transpose!(s.W, view(recurrent, :, :, m))      # as it comes, it is row-major
        for k in 1:starts
            cancelled(control) && return
            residuals[k, m] = newton!(view(states, :, k, m), s, view(bias, :, m), period, tolerance, steps)
        end
        progress!(control, Threads.atomic_add!(finished, 1) + 1)
    end
    throw_if_cancelled(control)
end
@kernel find_points """
    numbers in i64[3]
    tolerance in f64
    recurrent in f64[maps, units, units]
    bias in f64[maps, units]
    states inout f64[maps, starts, units]
    residuals out f64[maps, starts]
"""
