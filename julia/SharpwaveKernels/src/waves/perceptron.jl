# The boundary that is a perceptron with a hidden layer.

struct PerceptronBoundary
    first::Array{Float64,3}         # (row, column, hidden)
    shift::Vector{Float64}
    second::Matrix{Float64}         # (hidden, row)
    last::Vector{Float64}
    rectified::Bool                 # else tanh
    hidden::Vector{Float64}
end
alone(b::PerceptronBoundary) = PerceptronBoundary(b.first, b.shift, b.second, b.last, b.rectified, copy(b.hidden))

function perceptron_boundary(columns, rows, integers, weights)
    expect_integers(integers, 2)
    hidden, kind = integers
    1 <= hidden <= length(weights) && kind in (0, 1) || throw(BadArgument("integers", "expected hidden units, and 0 (tanh) or 1 (relu), got $integers"))
    total = rows * columns * hidden
    expect_weights(weights, total + hidden + hidden * rows + rows)
    second = total + hidden
    return PerceptronBoundary(reshape(weights[1:total], rows, columns, hidden), weights[total+1:second],
                              reshape(weights[second+1:end-rows], hidden, rows), weights[end-rows+1:end], kind == 1, zeros(hidden))
end

function compute!(next, b::PerceptronBoundary, ring::Matrix{Float64}, oldest::Int, ::Int)
    rows, columns = size(ring)
    @inbounds for n in eachindex(b.hidden)
        total = b.shift[n]
        for i in 1:columns
            from = place(oldest, i, columns)
            @simd for j in 1:rows
                total += b.first[j, i, n] * ring[j, from]
            end
        end
        b.hidden[n] = b.rectified ? max(total, 0.0) : tanh(total)
    end
    @inbounds for j in 1:rows
        total = b.last[j]
        @simd for n in eachindex(b.hidden)
            total += b.second[n, j] * b.hidden[n]
        end
        next[j] = total
    end
end
