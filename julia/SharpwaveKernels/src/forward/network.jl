# Layers of rates, and what links them. Matrices have a column an example; their rows come in whole chunks, and those that are too many
# stay 0, so that loops over rows are vector instructions to their end.

const CHUNK = 32

padded(n::Int) = cld(n, CHUNK) * CHUNK

"""
Activities of one layer that drive another; the input is layer 0. From the layer after the outputs comes what their
activities lack, while they are nudged.
"""
struct Link
    from::Int
    to::Int
    rate::Float64
end

struct RateNetwork{T}
    inputs::Int
    sizes::Vector{Int}      # of the layers after the input
    links::Vector{Link}
    weights::Vector{Matrix{T}}      # of each link, (to, from)
    biases::Vector{Vector{T}}
    bias_rates::Vector{Float64}
end

"`sizes` begin with the input's; `weights` has the matrices of all links (from, to), row by row, `biases` those of all layers."
function RateNetwork(sizes, links, rates, bias_rates, weights::Vector{T}, biases::Vector{T}) where {T}
    all(>(0), sizes) && length(sizes) > 1 || throw(BadArgument("sizes", "expected an input and a layer at least, of at least one unit, got $sizes"))
    layers = length(sizes) - 1
    all(k -> 0 <= links[1, k] <= layers + 1 && 1 <= links[2, k] <= layers, axes(links, 2)) ||
        throw(BadArgument("links", "expected pairs of layers, from 0 to $(layers + 1) and to 1 to $layers"))
    expected = sum(sizes[1+min(layers, links[1, k])] * sizes[1+links[2, k]] for k in axes(links, 2))
    length(weights) == expected || throw(BadArgument("weights", "expected $expected, got $(length(weights))"))
    length(biases) == sum(sizes) - sizes[1] || throw(BadArgument("biases", "expected $(sum(sizes) - sizes[1]), got $(length(biases))"))
    found = [Link(links[1, k], links[2, k], rates[k]) for k in axes(links, 2)]
    matrices = [zeros(T, padded(Int(sizes[1+link.to])), sizes[1+min(layers, link.from)]) for link in found]
    network = RateNetwork{T}(sizes[1], sizes[2:end], found, matrices, [zeros(T, padded(Int(size))) for size in sizes[2:end]], bias_rates)
    each_part((own, given) -> copyto!(own, given), network, weights, biases)
    return network
end

"Put the network's numbers back into the vectors that it was made of."
store!(network::RateNetwork, weights, biases) = each_part((own, given) -> copyto!(given, own), network, weights, biases)

function each_part(work::F, n::RateNetwork, weights, biases) where {F}
    at = 0
    for (link, matrix) in zip(n.links, n.weights)
        rows, columns = n.sizes[link.to], size(matrix, 2)
        work(view(matrix, 1:rows, :), reshape(view(weights, at+1:at+rows*columns), rows, columns))
        at += rows * columns
    end
    at = 0
    for (k, size) in enumerate(n.sizes)
        work(view(n.biases[k], 1:size), view(biases, at+1:at+size))
        at += size
    end
end
