# Systems of linear equations: LU factors with partial pivoting.

# From this size on LAPACK's blocked factorization is faster than the loops here.
const LAPACK_SIZE = 48

"Factors of one matrix of N rows, or of any number if N is 0."
struct Factors{N}
    n::Int
    A::Matrix{Float64}              # L below the diagonal, U on and above it
    reciprocals::Vector{Float64}    # of U's diagonal
    pivots::Vector{Int}
    blas_pivots::Base.RefValue{Vector{LinearAlgebra.BlasInt}}
end
Factors{N}(n::Int) where {N} =
    Factors{N}(n, zeros(n, n), zeros(n), zeros(Int, n), Ref(LinearAlgebra.BlasInt[]))

@inline dim(f::Factors{N}) where {N} = N == 0 ? f.n : N

"Set the matrix to factorize to shift * I - J."
@inline function shifted!(f::Factors, shift::Float64, J::Matrix{Float64})
    n, A = dim(f), f.A
    @inbounds for j in 1:n
        @simd ivdep for i in 1:n
            A[i, j] = -J[i, j]
        end
        A[j, j] += shift
    end
end

function factorize!(f::Factors{N}) where {N}
    n, A = dim(f), f.A
    if N == 0 && n >= LAPACK_SIZE
        _, f.blas_pivots[], _ = LAPACK.getrf!(A)
        return nothing
    end
    @inbounds for k in 1:n
        p, largest = k, abs(A[k, k])
        for i in k+1:n
            size = abs(A[i, k])
            p, largest = ifelse(size > largest, (i, size), (p, largest))
        end
        f.pivots[k] = p
        if p != k
            for j in 1:n
                A[k, j], A[p, j] = A[p, j], A[k, j]
            end
        end
        # A singular matrix gives what is not finite, and the step is rejected.
        reciprocal = 1 / A[k, k]
        f.reciprocals[k] = reciprocal
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

"Solve for the right side b, in place."
@inline function solve!(f::Factors{N}, b::Vector{Float64}) where {N}
    n, A = dim(f), f.A
    if N == 0 && n >= LAPACK_SIZE
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
        b[k] *= f.reciprocals[k]
        value = b[k]
        @simd ivdep for i in 1:k-1
            b[i] = muladd(-value, A[i, k], b[i])
        end
    end
    return nothing
end
