# An epoch of learning, and states without learning, in single and in double precision.

"Examples of a batch, a thread its share of the columns; places below 0 are empty, and the last ones."
function gather!(to::Matrix{T}, from::Matrix{T}, places, thread::Int, x::Space{T}) where {T}
    for j in thread:x.barrier.threads:length(places), i in axes(from, 1)
        to[i, j] = places[j] < 0 ? zero(T) : from[i, places[j]+1]
    end
end

"How many of the outputs are largest elsewhere than the target is, and the mean squared distance."
function wrong_outputs(x::Space, n::RateNetwork, used::Int)
    outputs, wrong, total = n.sizes[end], 0, 0.0
    for j in 1:used
        given, wanted = view(x.free_state[end], 1:outputs, j), view(x.target, 1:outputs, j)
        wrong += argmax(given) != argmax(wanted)
        total += sum(k -> abs2(Float64(given[k] - wanted[k])), 1:outputs)
    end
    return wrong, total / max(1, used)
end

"""
Learn from batches of examples, one after the other. `order` has the places of each batch's examples, from 0; -1 is none. `factors` has for each
batch what rates are multiplied by, `betas` how strongly its outputs are nudged first. `kept` has the states that examples settled to
last, if it has any. `stopped` is the batch in which a state of a layer was not finite, and that layer, or -1: weights stay as before it.
"""
function learn_rates(control::Control, numbers, settings, sizes, links, rates, bias_rates, order, factors, betas, inputs, targets,
                     weights, biases, kept, wrong, distance, change, steps, stopped)
    free_steps, nudged_steps, clipped, constant, both, contrastive, threads = numbers
    step, tolerance, decay = settings
    n = RateNetwork(sizes, links, rates, bias_rates, weights, biases)
    s = Settling(free_steps, nudged_steps, step, tolerance, clipped != 0)
    size(inputs, 1) == n.inputs || throw(BadArgument("inputs", "expected $(n.inputs) of each example, got $(size(inputs, 1))"))
    size(targets, 1) == n.sizes[end] || throw(BadArgument("targets", "expected $(n.sizes[end]) of each example, got $(size(targets, 1))"))
    all(place -> -1 <= place < size(inputs, 2), order) || throw(BadArgument("order", "expected places from 0 to $(size(inputs, 2) - 1), or -1"))
    size(kept, 2) in (0, size(inputs, 2)) || throw(BadArgument("kept", "expected a row for each example, or none"))
    free_steps > 0 && nudged_steps > 0 || throw(BadArgument("numbers", "expected steps, got $free_steps and $nudged_steps"))
    x = Space(n, size(order, 1), allowed_threads(threads))
    expect!(control, size(order, 2))
    stopped .= -1
    on_threads(x.barrier) do thread
        turn = 1
        for batch in axes(order, 2)
            l = Learning(betas[batch], constant != 0, both != 0, contrastive != 0, decay)
            places = view(order, :, batch)
            used = count(>=(0), places)
            gather!(x.x, inputs, places, thread, x)
            gather!(x.target, targets, places, thread, x)
            meet!(x.barrier)
            turn = free!(n, x, s, thread, places, kept, batch, steps, change, turn)
            bad = stop_if_lost!(x, turn, batch, thread, stopped)
            if thread == 1
                wrong[batch], distance[batch] = wrong_outputs(x, n, used)
            end
            bad && return
            plus = x.free_active
            turn = nudge!(n, x, s, l, thread, used, l.beta, turn)
            stop_if_lost!(x, turn, batch, thread, stopped) && return
            minus, span = x.free_active, l.beta
            if l.both
                for k in eachindex(n.sizes)
                    copy_rows!(x.plus_active[k], x.active[turn][k], x.rows[k, thread])
                end
                plus = x.plus_active
                turn = nudge!(n, x, s, l, thread, used, -l.beta, turn)
                stop_if_lost!(x, turn, batch, thread, stopped) && return
                minus, span = x.active[turn], 2 * l.beta
            else
                plus = x.active[turn]
            end
            learn!(n, x, l, thread, plus, minus, factors[batch] / (span * max(1, used)), factors[batch], used)
            end_batch!(x, control, batch, thread) && return
        end
    end
    store!(n, weights, biases)
    throw_if_cancelled(control)
end

"Let a batch settle freely, and keep where it came to."
function free!(n::RateNetwork, x::Space{T}, s::Settling, thread::Int, places, kept, batch::Int, steps, change, turn::Int) where {T}
    set_constant!(n, x, thread)
    first_unit = cumsum([0; n.sizes])
    held(k, i, j) = i <= n.sizes[k] && size(kept, 2) > 0 && places[j] >= 0
    begin!(x, thread, (k, i, j) -> held(k, i, j) ? kept[first_unit[k]+i, places[j]+1] : zero(T), turn)
    meet!(x.barrier)
    done, turn = settle!(n, x, s, thread, count(>=(0), places), s.free_steps, s.tolerance > 0 ? s.tolerance : -1.0, x.constant[end], 1.0, turn)
    for k in eachindex(n.sizes)
        copy_rows!(x.free_state[k], x.state[k], x.rows[k, thread])
        copy_rows!(x.free_active[k], x.active[turn][k], x.rows[k, thread])
        for j in eachindex(places), i in x.rows[k, thread]
            held(k, i, j) && (kept[first_unit[k]+i, places[j]+1] = x.state[k][i, j])
        end
    end
    if thread == 1
        steps[batch] = done
        for k in eachindex(n.sizes)
            change[k, batch] = maximum(view(x.change, k, :, 3 - turn))
        end
    end
    meet!(x.barrier)
    return turn
end

"Whether a state is not finite; all threads know the same."
function stop_if_lost!(x::Space, turn::Int, batch::Int, thread::Int, stopped)
    isfinite(largest_change(x, turn)) && return false
    if thread == 1
        stopped[1] = batch - 1
        stopped[2] = findfirst(k -> any(!isfinite, view(x.change, k, :, 3 - turn)), axes(x.change, 1)) - 1
    end
    return true
end

"States (units of all layers, examples) that batches of examples settle to freely."
function settle_rates(control::Control, numbers, settings, sizes, links, inputs, weights, biases, states, change, steps)
    free_steps, clipped, batch, threads = numbers
    step, tolerance = settings
    n = RateNetwork(sizes, links, zeros(size(links, 2)), zeros(length(sizes) - 1), weights, biases)
    s = Settling(free_steps, 0, step, tolerance, clipped != 0)
    size(inputs, 1) == n.inputs || throw(BadArgument("inputs", "expected $(n.inputs) of each example, got $(size(inputs, 1))"))
    free_steps > 0 && batch > 0 || throw(BadArgument("numbers", "expected steps and examples of a batch, got $free_steps and $batch"))
    examples = size(inputs, 2)
    x = Space(n, Int(batch), allowed_threads(threads))
    expect!(control, length(steps))
    on_threads(x.barrier) do thread
        turn, first_unit = 1, cumsum([0; n.sizes])
        for k in eachindex(steps)
            places = [place < examples ? place : -1 for place in (k-1)*batch:k*batch-1]
            gather!(x.x, inputs, places, thread, x)
            meet!(x.barrier)
            turn = free!(n, x, s, thread, places, view(states, :, 1:0), k, steps, change, turn)
            for layer in eachindex(n.sizes), (j, place) in enumerate(places), i in x.rows[layer, thread]
                place >= 0 && i <= n.sizes[layer] && (states[first_unit[layer]+i, place+1] = x.state[layer][i, j])
            end
            end_batch!(x, control, k, thread) && return
        end
    end
    throw_if_cancelled(control)
end

for (suffix, T) in (("", "f32"), ("_64", "f64"))
    learning, settling = Symbol("learn_rates", suffix), Symbol("settle_rates", suffix)
    if suffix != ""
        @eval $learning(control::Control, arguments...) = learn_rates(control, arguments...)
        @eval $settling(control::Control, arguments...) = settle_rates(control, arguments...)
    end
    @eval @kernel $learning $("""
        numbers in i64[7]
        settings in f64[3]
        sizes in i64[levels]
        links in i64[links, 2]
        rates in f64[links]
        bias_rates in f64[layers]
        order in i64[batches, batch]
        factors in f64[batches]
        betas in f64[batches]
        inputs in $T[examples, pixels]
        targets in $T[examples, outputs]
        weights inout $T[weights]
        biases inout $T[biases]
        kept inout $T[held, biases]
        wrong out i64[batches]
        distance out f64[batches]
        change out f64[batches, layers]
        steps out i64[batches]
        stopped out i64[2]
    """)
    @eval @kernel $settling $("""
        numbers in i64[4]
        settings in f64[2]
        sizes in i64[levels]
        links in i64[links, 2]
        inputs in $T[examples, pixels]
        weights in $T[weights]
        biases in $T[biases]
        states out $T[examples, biases]
        change out f64[batches, layers]
        steps out i64[batches]
    """)
end
