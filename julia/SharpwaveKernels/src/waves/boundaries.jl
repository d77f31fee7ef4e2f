# What starts next, from a ring of columns: column i of the lattice, 1 the oldest, is column `place(oldest, i)` of the ring.

"A boundary from what a caller describes it by: a kind, and integers and weights that this kind takes."
function boundary(kind, columns, rows, integers, weights)
    kind == 0 && return linear_boundary(columns, rows, integers, weights)
    kind == 1 && return attention_boundary(columns, rows, integers, weights)
    kind == 2 && return perceptron_boundary(columns, rows, integers, weights)
    kind == 3 && return equation_boundary(columns, rows, integers, weights)
    throw(BadArgument("numbers", "a boundary is 0 (linear), 1 (attention), 2 (perceptron) or 3 (equations), got $kind"))
end

expect_weights(weights, count::Int) =
    length(weights) == count || throw(BadArgument("weights", "expected $count numbers, got $(length(weights))"))
expect_integers(integers, count::Int) =
    length(integers) == count || throw(BadArgument("integers", "expected $count numbers, got $(length(integers))"))

"Matrices (from, to) one after the other in `weights`, after `at` numbers."
matrices(weights, at::Int, from::Int, to::Int, count::Int) = reshape(weights[at+1:at+from*to*count], from, to, count)

"Whether rows do not see each other, so that each may go on for itself."
apart(::Any) = false

@inline place(oldest::Int, column::Int, columns::Int) = (oldest + column - 2) % columns + 1
