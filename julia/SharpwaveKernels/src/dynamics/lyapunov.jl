# Lyapunov exponents: a frame of directions goes with a trajectory, and is made orthogonal after each step.

"Orthogonal columns of length 1 from `Q`, by Gram and Schmidt, one column after the other; logarithms of the lengths are added up."
function orthogonal!(Q::Matrix{Float64}, total)
    @inbounds for j in axes(Q, 2)
        for k in 1:j-1
            along = 0.0
            @simd for i in axes(Q, 1)
                along = muladd(Q[i, k], Q[i, j], along)
            end
            @simd ivdep for i in axes(Q, 1)
                Q[i, j] = muladd(-along, Q[i, k], Q[i, j])
            end
        end
        square = 0.0
        @simd for i in axes(Q, 1)
            square = muladd(Q[i, j], Q[i, j], square)
        end
        length = sqrt(square)
        total[j] += log(length)
        length > 0 || continue          # a direction that is lost stays 0
        @simd ivdep for i in axes(Q, 1)
            Q[i, j] /= length
        end
    end
end

function exponents!(total, h, s, Q, moved, b, transient::Int, steps::Int)
    n = length(h)
    for _ in 1:transient
        advance!(h, s.drive, s.W, b)
    end
    fill!(total, 0.0)
    @inbounds for j in axes(Q, 2), i in axes(Q, 1)
        Q[i, j] = i == j ? 1.0 : 0.0
    end
    for _ in 1:steps
        advance!(h, s.drive, s.W, b)
        multiply_rows!(moved, s.W, Q, size(Q, 2), 1, n)
        @inbounds for j in axes(Q, 2)
            @simd ivdep for i in axes(Q, 1)
                Q[i, j] = moved[i, j] * (1 - h[i] * h[i])
            end
        end
        orthogonal!(Q, total)
    end
    @inbounds for j in eachindex(total)
        total[j] /= steps
    end
end

"Exponents of networks, each along a trajectory from its start, as they come from the frame."
function find_exponents(control::Control, numbers, recurrent, bias, starts, exponents)
    transient, steps, threads = numbers
    transient >= 0 && steps > 0 || throw(BadArgument("numbers", "expected at least one step, got $steps after $transient"))
    n, maps = size(starts)
    wanted = size(exponents, 1)
    wanted <= n || throw(BadArgument("exponents", "there are $n, not $wanted"))
    expect!(control, maps)
    finished = Threads.Atomic{Int}(0)
    room() = (NewtonSpace(n), zeros(n, wanted), zeros(n, wanted), zeros(n))
    share_out(room, maps, threads) do (s, Q, moved, h), m
        cancelled(control) && return
        transpose!(s.W, view(recurrent, :, :, m))
        copyto!(h, view(starts, :, m))
        exponents!(view(exponents, :, m), h, s, Q, moved, view(bias, :, m), transient, steps)
        progress!(control, Threads.atomic_add!(finished, 1) + 1)
    end
    throw_if_cancelled(control)
end
@kernel find_exponents """
    numbers in i64[3]
    recurrent in f64[maps, units, units]
    bias in f64[maps, units]
    starts in f64[maps, units]
    exponents out f64[maps, exponents]
"""
