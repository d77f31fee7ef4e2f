# What starts next, from a ring of columns: column i of the lattice, 1 the oldest, is column `place(oldest, i)` of the ring.

@enum TermKind scalar=0 diagonal=1 dense=2

"phi of one column: a number, one number a row, or a matrix (from, to)."
struct Term
    column::Int
    kind::TermKind
    number::Float64
    diagonal::Vector{Float64}
    matrix::Matrix{Float64}
end

struct LinearBoundary
    terms::Vector{Term}
end

struct AttentionBoundary
    score::Matrix{Float64}          # (from, to): the transpose of K Q
    value::Matrix{Float64}
end

function boundary(kind, columns, rows, term_column, term_kind, weights)
    needed(k) = k == 0 ? 1 : k == 1 ? rows : rows^2
    if kind == 1
        length(weights) == 2 * rows^2 || throw(BadArgument("weights", "expected two matrices of $rows rows, got $(length(weights)) numbers"))
        return AttentionBoundary(reshape(weights[1:rows^2], rows, rows), reshape(weights[rows^2+1:end], rows, rows))
    end
    kind == 0 || throw(BadArgument("numbers", "a boundary is 0 (linear) or 1 (attention), got $kind"))
    all(c -> 1 <= c <= columns, term_column) || throw(BadArgument("term_column", "a column outside 1:$columns"))
    length(term_kind) == length(term_column) && all(k -> 0 <= k <= 2, term_kind) || throw(BadArgument("term_kind", "expected 0, 1 or 2 for each"))
    length(weights) == sum(needed, term_kind) || throw(BadArgument("weights", "expected $(sum(needed, term_kind)) numbers, got $(length(weights))"))
    terms, at = Term[], 0
    for (column, k) in zip(term_column, term_kind)
        part = weights[at+1:at+needed(k)]
        push!(terms, Term(column, TermKind(k), k == 0 ? part[1] : 0.0, k == 1 ? part : Float64[], k == 2 ? reshape(part, rows, rows) : zeros(0, 0)))
        at += length(part)
    end
    return LinearBoundary(terms)
end

"Whether rows do not see each other, so that each may go on for itself."
apart(b::LinearBoundary) = all(t -> t.kind != dense, b.terms)
apart(::AttentionBoundary) = false

@inline place(oldest::Int, column::Int, columns::Int) = (oldest + column - 2) % columns + 1

"Room for a step."
struct Space
    next::Vector{Float64}           # by row
    query::Vector{Float64}
    scores::Vector{Float64}         # by column
end
Space(rows::Int, columns::Int) = Space(zeros(rows), zeros(rows), zeros(columns))

"What starts next on the rows of a ring, which are those of the lattice after `before` others."
function compute!(s::Space, b::LinearBoundary, ring::Matrix{Float64}, oldest::Int, before::Int)
    @inbounds for (n, term) in enumerate(b.terms)
        from = place(oldest, term.column, size(ring, 2))
        if term.kind == scalar
            add_scaled!(s.next, ring, from, term.number, n == 1)
        elseif term.kind == diagonal
            add_diagonal!(s.next, ring, from, term.diagonal, before, n == 1)
        else
            add_matrix!(s.next, ring, from, term.matrix, n == 1)
        end
    end
end

@inline function add_scaled!(next, ring, from::Int, number::Float64, first::Bool)
    if first
        @inbounds @simd ivdep for j in axes(ring, 1)
            next[j] = number * ring[j, from]
        end
    else
        @inbounds @simd ivdep for j in axes(ring, 1)
            next[j] += number * ring[j, from]
        end
    end
end

@inline function add_diagonal!(next, ring, from::Int, numbers, before::Int, first::Bool)
    if first
        @inbounds @simd ivdep for j in axes(ring, 1)
            next[j] = numbers[before+j] * ring[j, from]
        end
    else
        @inbounds @simd ivdep for j in axes(ring, 1)
            next[j] += numbers[before+j] * ring[j, from]
        end
    end
end

@inline function add_matrix!(next, ring, from::Int, matrix, first::Bool)
    @inbounds for j in axes(ring, 1)
        total = first ? 0.0 : next[j]
        for k in axes(matrix, 1)
            total += matrix[k, j] * ring[k, from]
        end
        next[j] = total
    end
end

function compute!(s::Space, b::AttentionBoundary, ring::Matrix{Float64}, oldest::Int, ::Int)
    rows, columns = size(ring)
    newest, largest, total = place(oldest, columns, columns), -Inf, 0.0
    add_matrix!(s.query, ring, newest, b.score, true)
    @inbounds for i in 1:columns
        score = 0.0
        @simd for j in 1:rows
            score += ring[j, i] * s.query[j]
        end
        s.scores[i] = score
        largest = max(largest, score)
    end
    @inbounds for i in 1:columns
        s.scores[i] = exp(s.scores[i] - largest)
        total += s.scores[i]
    end
    fill!(s.query, 0.0)
    @inbounds for i in 1:columns
        share = s.scores[i] / total
        @simd ivdep for j in 1:rows
            s.query[j] += share * ring[j, i]
        end
    end
    @inbounds for j in 1:rows
        value = 0.0
        for k in 1:rows
            value += b.value[k, j] * s.query[k]
        end
        s.next[j] = value
    end
end
