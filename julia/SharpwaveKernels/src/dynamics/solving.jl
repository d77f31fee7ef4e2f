# A small system of linear equations, solved in place.

"""
    solve!(A, b)

Turn `b` into the solution of `A x = b` by elimination with the largest pivot of each column, and destroy `A`. A pivot of 0 counts as
the rounding of the largest number of `A`, so that a singular system has some solution, a large one.
"""
function solve!(A::Matrix{Float64}, b::Vector{Float64})
    n, least = length(b), eps(Float64) * max(maximum(abs, A), floatmin(Float64))
    @inbounds for k in 1:n
        p = pivot_row(A, k, n)
        if p != k
            swap_rows!(A, k, p, n)
            b[k], b[p] = b[p], b[k]
        end
        A[k, k] == 0 && (A[k, k] = least)
        inverse = 1 / A[k, k]
        @simd ivdep for i in k+1:n
            A[i, k] *= inverse
        end
        for j in k+1:n
            top = A[k, j]
            @simd ivdep for i in k+1:n
                A[i, j] = muladd(-A[i, k], top, A[i, j])
            end
        end
        top = b[k]
        @simd ivdep for i in k+1:n
            b[i] = muladd(-A[i, k], top, b[i])
        end
    end
    @inbounds for k in n:-1:1
        value = b[k] /= A[k, k]
        @simd ivdep for i in 1:k-1
            b[i] = muladd(-A[i, k], value, b[i])
        end
    end
    return b
end
