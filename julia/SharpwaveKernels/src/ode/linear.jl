# Systems of linear equations, by LU factors with partial pivoting. For a number of rows known to the compiler the
# factors' inverses are kept, since a product with each costs a fraction of a substitution, whose every row waits for
# the one before.

"Factors of one matrix of N rows, or of any number if N is 0."
struct Factors{N}
    n::Int
    A::Matrix{Float64}              # the matrix; then U, and for N = 0 below its diagonal L
    forward::Matrix{Float64}        # inverse of L, rows permuted
    backward::Matrix{Float64}       # inverse of U
    column::Vector{Float64}
    pivots::Vector{Int}
    blas_pivots::Base.RefValue{Vector{LinearAlgebra.BlasInt}}
end
Factors{N}(n::Int) where {N} = Factors{N}(n, zeros(n, n), zeros(N, N), zeros(N, N), zeros(n), zeros(Int, n),
                                          Ref(LinearAlgebra.BlasInt[]))

@inline dim(f::Factors{N}) where {N} = N == 0 ? f.n : N

"Set the matrix to factorize to shift * I - J."
@inline function shifted!(f::Factors, shift::Float64, J::Matrix{Float64})
    n, A = dim(f), f.A
    @inbounds for j in 1:n
        @simd ivdep for i in 1:n
            A[i, j] = -J[i, j]
        end
    end
    @inbounds for j in 1:n
        A[j, j] += shift
    end
end

# A singular matrix gives what is not finite, and the step is rejected.
function factorize!(f::Factors{N}) where {N}
    A, L, U, column = f.A, f.forward, f.backward, f.column
    set_identity!(L, N)
    @inbounds for k in 1:N
        p = pivot_row(A, k, N)
        if p != k
            swap_rows!(A, k, p, N)
            swap_rows!(L, k, p, N)
        end
        reciprocal = 1 / A[k, k]
        # whole columns with zeros where nothing changes: such loops become vector instructions
        @simd ivdep for i in 1:N
            column[i] = ifelse(i > k, A[i, k] * reciprocal, 0.0)
        end
        for j in k+1:N
            subtract_column!(A, j, column, A[k, j], N)
        end
        for j in 1:N
            subtract_column!(L, j, column, L[k, j], N)
        end
    end
    set_identity!(U, N)
    @inbounds for k in N:-1:1
        reciprocal = 1 / A[k, k]
        @simd ivdep for i in 1:N
            column[i] = ifelse(i < k, A[i, k], 0.0)
        end
        for j in k:N
            value = U[k, j] * reciprocal
            U[k, j] = value
            subtract_column!(U, j, column, value, N)
        end
    end
    return nothing
end

"Solve for the right side b, in place."
@inline function solve!(f::Factors{N}, b::Vector{Float64}) where {N}
    multiply_small!(b, f.forward, Val(N))
    multiply_small!(b, f.backward, Val(N))
    return nothing
end

"b = A b"
@inline function multiply_small!(b, A, ::Val{N}) where {N}
    values = ntuple(i -> (@inbounds b[i]), Val(N))
    @inbounds @simd ivdep for i in 1:N
        b[i] = stage_sum(values, A, i, 1)
    end
end

@inline function set_identity!(A, n)
    @inbounds for j in 1:n
        @simd ivdep for i in 1:n
            A[i, j] = ifelse(i == j, 1.0, 0.0)
        end
    end
end

@inline function pivot_row(A, k, n)
    @inbounds p, largest = k, abs(A[k, k])
    @inbounds for i in k+1:n
        size = abs(A[i, k])
        p, largest = ifelse(size > largest, i, p), ifelse(size > largest, size, largest)
    end
    return p
end

@inline function swap_rows!(A, k, p, n)
    @inbounds for j in 1:n
        A[k, j], A[p, j] = A[p, j], A[k, j]
    end
end

@inline function subtract_column!(A, j, column, factor, n)
    factor == 0 && return nothing       # often: Jacobians are sparse, and inverses start from the identity
    @inbounds @simd ivdep for i in 1:n
        A[i, j] = muladd(-factor, column[i], A[i, j])
    end
end

# From this size on LAPACK's blocked factorization is faster than the loops here.
const LAPACK_SIZE = 48

function factorize!(f::Factors{0})
    n, A = f.n, f.A
    if n >= LAPACK_SIZE
        # newer Julias refuse what is not finite, where LAPACK would hand it on
        all(isfinite, A) || fill!(A, 1.0)
        _, f.blas_pivots[], _ = LAPACK.getrf!(A)
        return nothing
    end
    @inbounds for k in 1:n
        p = pivot_row(A, k, n)
        f.pivots[k] = p
        p != k && swap_rows!(A, k, p, n)
        reciprocal = 1 / A[k, k]
        f.column[k] = reciprocal
        @simd ivdep for i in k+1:n
            A[i, k] *= reciprocal
        end
        for j in k+1:n
            factor = A[k, j]
            @simd ivdep for i in k+1:n
                A[i, j] = muladd(-factor, A[i, k], A[i, j])
            end
        end
    end
    return nothing
end

function solve!(f::Factors{0}, b::Vector{Float64})
    n, A = f.n, f.A
    if n >= LAPACK_SIZE
        LAPACK.getrs!('N', A, f.blas_pivots[], b)
        return nothing
    end
    @inbounds for k in 1:n
        p = f.pivots[k]
        b[k], b[p] = b[p], b[k]
    end
    @inbounds for k in 1:n
        value = b[k]
        @simd ivdep for i in k+1:n
            b[i] = muladd(-value, A[i, k], b[i])
        end
    end
    @inbounds for k in n:-1:1
        value = b[k] * f.column[k]
        b[k] = value
        @simd ivdep for i in 1:k-1
            b[i] = muladd(-value, A[i, k], b[i])
        end
    end
    return nothing
end
