# The boundary that attends to columns, the newest one as the query.

struct AttentionBoundary
    score::Array{Float64,3}         # (from, to, head): the transpose of K Q
    value::Array{Float64,3}
    bias::Matrix{Float64}           # (column, head)
    seen::Vector{Float64}           # by row: the query, then the mean of columns
    scores::Vector{Float64}         # by column
end
alone(b::AttentionBoundary) = AttentionBoundary(b.score, b.value, b.bias, copy(b.seen), copy(b.scores))

function attention_boundary(columns, rows, integers, weights)
    expect_integers(integers, 2)
    heads, biased = integers
    1 <= heads <= length(weights) || throw(BadArgument("integers", "expected at least one head, and two matrices of each, got $heads"))
    total = rows^2 * heads
    expect_weights(weights, 2 * total + (biased == 1 ? columns * heads : 0))
    score, value = matrices(weights, 0, rows, rows, heads), matrices(weights, total, rows, rows, heads)
    bias = biased == 1 ? reshape(weights[2*total+1:end], columns, heads) : zeros(columns, heads)
    return AttentionBoundary(score, value, bias, zeros(rows), zeros(columns))
end

function compute!(next, b::AttentionBoundary, ring::Matrix{Float64}, oldest::Int, ::Int)
    rows, columns = size(ring)
    newest = place(oldest, columns, columns)
    fill!(next, 0.0)
    for head in axes(b.score, 3)
        @inbounds for j in 1:rows
            total = 0.0
            @simd for k in 1:rows
                total += b.score[k, j, head] * ring[k, newest]
            end
            b.seen[j] = total
        end
        share!(b, ring, oldest, head)
        fill!(b.seen, 0.0)
        @inbounds for i in 1:columns
            share, from = b.scores[i], place(oldest, i, columns)
            @simd ivdep for j in 1:rows
                b.seen[j] += share * ring[j, from]
            end
        end
        @inbounds for j in 1:rows
            total = 0.0
            @simd for k in 1:rows
                total += b.value[k, j, head] * b.seen[k]
            end
            next[j] += total
        end
    end
end

"How much of a head's attention each column gets."
function share!(b::AttentionBoundary, ring, oldest::Int, head::Int)
    rows, columns = size(ring)
    largest, total = -Inf, 0.0
    @inbounds for i in 1:columns
        from, score = place(oldest, i, columns), b.bias[i, head]
        @simd for j in 1:rows
            score += ring[j, from] * b.seen[j]
        end
        b.scores[i] = score
        largest = max(largest, score)
    end
    @inbounds for i in 1:columns
        b.scores[i] = exp(b.scores[i] - largest)
        total += b.scores[i]
    end
    @inbounds for i in 1:columns
        b.scores[i] /= total
    end
end
