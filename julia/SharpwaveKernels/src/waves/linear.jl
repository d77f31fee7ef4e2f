# The boundary that is a sum over columns.

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
alone(b::LinearBoundary) = b

"From columns, kinds of their terms, and the terms' numbers."
function linear_boundary(columns, rows, integers, weights)
    count = length(integers) ÷ 2
    term_column, term_kind = integers[1:count], integers[count+1:end]
    needed(k) = k == 0 ? 1 : k == 1 ? rows : rows^2
    iseven(length(integers)) && count >= 1 || throw(BadArgument("integers", "expected a column and a kind for each term"))
    all(c -> 1 <= c <= columns, term_column) || throw(BadArgument("integers", "a column outside 1:$columns"))
    all(k -> 0 <= k <= 2, term_kind) || throw(BadArgument("integers", "expected a kind from 0 to 2 for each term"))
    expect_weights(weights, sum(needed, term_kind))
    terms, at = Term[], 0
    for (column, k) in zip(term_column, term_kind)
        part = weights[at+1:at+needed(k)]
        push!(terms, Term(column, TermKind(k), k == 0 ? part[1] : 0.0, k == 1 ? part : Float64[], k == 2 ? reshape(part, rows, rows) : zeros(0, 0)))
        at += length(part)
    end
    return LinearBoundary(terms)
end

apart(b::LinearBoundary) = all(t -> t.kind != dense, b.terms)

"What starts next on the rows of a ring, which are those of the lattice after `before` others."
function compute!(next, b::LinearBoundary, ring::Matrix{Float64}, oldest::Int, before::Int)
    @inbounds for (n, term) in enumerate(b.terms)
        from = place(oldest, term.column, size(ring, 2))
        if term.kind == scalar
            add_scaled!(next, ring, from, term.number, n == 1)
        elseif term.kind == diagonal
            add_diagonal!(next, ring, from, term.diagonal, before, n == 1)
        else
            add_matrix!(next, ring, from, term.matrix, n == 1)
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

