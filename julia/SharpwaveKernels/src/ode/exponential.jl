# The exponential of a dense matrix, by scaling and squaring of its Taylor polynomial.

"Room for the exponential of a matrix of `m` rows."
struct ExponentialSpace
    A::Matrix{Float64}          # the matrix, then its scaled self
    powers::NTuple{3,Matrix{Float64}}
    result::Matrix{Float64}
    spare::Matrix{Float64}
end
ExponentialSpace(m::Int) = ExponentialSpace(zeros(m, m), ntuple(_ -> zeros(m, m), 3), zeros(m, m), zeros(m, m))

# The polynomial of degree 15 is exact to rounding where the norm is at most this: 0.5^16 / 16! < 1e-18.
const TAYLOR_NORM = 0.5
const INVERSE_FACTORIALS = ntuple(k -> 1 / factorial(k - 1), 16)

"How often to halve the matrix for its polynomial, at least twice; -1 if the matrix is not finite."
function halvings(A::Matrix{Float64})
    norm = 0.0
    for j in 1:size(A, 2)
        column = 0.0
        @inbounds for i in 1:size(A, 1)
            column += abs(A[i, j])
        end
        norm = max(norm, column)        # max keeps NaN
    end
    isfinite(norm) || return -1
    return norm <= TAYLOR_NORM / 4 ? 2 : max(2, ceil(Int, log2(norm / TAYLOR_NORM)) + 1)
end

"Set `e.result` to exp(e.A / 2^halvings), by Paterson and Stockmeyer's grouping in fourth powers; `e.A` is overwritten."
function exponential!(e::ExponentialSpace, halvings::Int)
    A, (A2, A3, A4), R, S = e.A, e.powers, e.result, e.spare
    A .*= 2.0^-halvings
    mul!(A2, A, A)
    mul!(A3, A2, A)
    mul!(A4, A2, A2)
    fill!(R, 0.0)
    add_group!(R, e, 12)
    for first in (8, 4, 0)
        mul!(S, R, A4)
        copyto!(R, S)
        add_group!(R, e, first)
    end
    return nothing
end

"Add the Taylor terms of degree `first` to `first + 3`, over A^first."
function add_group!(R, e::ExponentialSpace, first::Int)
    c0, c1, c2, c3 = ntuple(k -> INVERSE_FACTORIALS[first+k], 4)
    A, A2, A3 = e.A, e.powers[1], e.powers[2]
    @inbounds @simd ivdep for i in eachindex(R)
        R[i] += c1 * A[i] + c2 * A2[i] + c3 * A3[i]
    end
    @inbounds for i in 1:size(R, 1)
        R[i, i] += c0
    end
end

"Square `e.result`."
function square!(e::ExponentialSpace)
    mul!(e.spare, e.result, e.result)
    copyto!(e.result, e.spare)
    return nothing
end
