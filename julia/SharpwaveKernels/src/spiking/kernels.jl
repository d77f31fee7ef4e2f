# The kernels that run a network, and hand over the spikes that were not known to be so many.

const KEPT_SPIKES = Dict{Int,Vector{Recorded}}()
const KEPT_SPIKES_LOCK = ReentrantLock()

"""
Run a network for a set of examples. `numbers`: examples, the number of the first, batch, steps, steps with input, seed, whether to
learn, threads at most (0: all), key, spikes wanted of an example, the population watched for that. `rates` are those of all input units
(Hz or probabilities a step; one column where no population draws its spikes). Events are sorted by example, `event_first` their
positions by example and one more. `recorded` and `counted` say which populations' spikes are kept and counted. A monitor has
population, array (1 on), every, number of units; its units follow in `monitored_units`. `summary` has for each example
spikes by population, presentations, whether all states are finite. `kept` is the number of spikes kept by population.
"""
function simulate_spiking(control::Control, handle, numbers, dt, scales, weights, columns, initial, rates, event_first, event_step,
                          event_unit, reward, recorded, counted, monitors, monitored_units, monitored, summary, counts, kept)
    net = network(handle)
    examples, first_example, batch, steps, input_steps, seed, learning, threads, key, wanted, watched = numbers
    sizes = (("weights", weights, net.weights), ("columns", columns, net.columns), ("recorded", recorded, length(net.populations)), ("counted", counted, length(net.populations)))
    for (name, array, size) in sizes
        length(array) == size || throw(BadArgument(name, "expected $size numbers, got $(length(array))"))
    end
    size(initial, 1) == net.states && size(initial, 2) in (1, examples) ||
        throw(BadArgument("initial", "expected $(net.states) for all or for each of $examples examples, got $(size(initial))"))
    examples > 0 && batch > 0 && steps > 0 && 0 <= input_steps <= steps && dt > 0 && first_example >= 0 ||
        throw(BadArgument("numbers", "expected positive sizes, got $numbers"))
    draws = any(p -> p.source in (poisson, bernoulli), net.populations)
    size(rates) == (draws ? (net.inputs, examples) : (0, examples)) ||
        throw(BadArgument("rates", "expected $(net.inputs) for each of $examples examples, got $(size(rates))"))
    all(x -> 0 <= x < Inf, rates) || throw(BadArgument("rates", "expected rates, not negative and finite"))
    length(event_first) == examples + 1 && issorted(event_first) && event_first[1] == 0 && event_first[end] == length(event_step) ||
        throw(BadArgument("event_first", "expected rising positions from 0 to $(length(event_step))"))
    all(t -> 0 <= t < steps, event_step) || throw(BadArgument("event_step", "a step outside 0:$(steps - 1)"))
    size(reward, 1) in (0, 1, steps) || throw(BadArgument("reward", "expected 1 or $steps for each example, got $(size(reward, 1))"))
    isempty(scales) && throw(BadArgument("scales", "expected at least one"))
    all(x -> 0 < x < Inf, scales) || throw(BadArgument("scales", "expected positive factors"))
    wanted == 0 || one_of("numbers", watched, length(net.populations))
    size(summary, 1) == length(net.populations) + 2 || throw(BadArgument("summary", "expected a row for each population and two"))
    size(counts, 1) == sum(Int[p.units for (k, p) in enumerate(net.populations) if counted[k] != 0]) ||
        throw(BadArgument("counts", "expected a number for each unit of the counted populations"))
    fill!(counts, 0)
    watching = checked_monitors(net, monitors, monitored_units, monitored, steps)
    outcome = Outcome(summary, counts, [k for k in eachindex(counted) if counted[k] != 0], [Recorded() for _ in 1:examples])
    presentation = Presentation(batch, wanted, watched, copy(scales))
    expect!(control, examples)
    allowed = allowed_threads(threads)
    given = (net = net, control = control, initial = initial, rates = rates, event_first = event_first, event_step = event_step,
             event_unit = event_unit, reward = reward, examples = examples, first_example = first_example, steps = steps,
             input_steps = input_steps, dt = dt, seed = seed, learning = learning != 0, recorded = recorded .!= 0,
             monitors = watching, monitored = monitored)
    run_all!(net.number, outcome, presentation, given, weights, columns, allowed)
    throw_if_cancelled(control)
    fill!(kept, 0)
    for lists in outcome.recorded, (k, (steps_of, _)) in enumerate(lists)
        kept[findall(!=(0), recorded)[k]] += length(steps_of)
    end
    any(!=(0), recorded) && lock(() -> KEPT_SPIKES[key] = outcome.recorded, KEPT_SPIKES_LOCK)
    return nothing
end
"Run in numbers of type T, on so many threads at most; weights and columns change while learning."
function run_all!(T, outcome::Outcome, presentation::Presentation, given, weights, columns, threads::Int)
    own_weights, own_columns = T == eltype(weights) && !given.learning ? weights : T.(weights), T.(columns)
    decays = [[T.(cumprod([1.0; fill(t.decay, given.steps)])) for t in p.traces] for p in given.net.populations]
    r = Run{T}(given..., decays, pointer(own_weights), pointer(own_columns), columns)
    GC.@preserve own_weights own_columns begin
        together = r.learning ? min(r.examples, presentation.batch) : r.examples
        if !r.learning
            run_alone!(outcome, r, presentation, Barrier(min(threads, together)))
        elseif together == 1 && threads > 1 && !isempty(r.rates)
            run_online!(outcome, r, presentation, Barrier(2))
        else
            run_learning!(outcome, r, presentation, Barrier(min(threads, together)))
        end
    end
    r.learning && copyto!(weights, own_weights)
    return nothing
end

@kernel simulate_spiking """
    network in i64
    numbers in i64[11]
    dt in f64
    scales in f64[scales]
    weights inout f64[weights]
    columns inout f64[columns]
    initial in f64[initials, states]
    rates in f64[examples, inputs]
    event_first in i64[examples_and_one]
    event_step in i32[events]
    event_unit in i32[events]
    reward in f64[examples, rewards]
    recorded in i64[populations]
    counted in i64[populations]
    monitors in i64[monitors, 4]
    monitored_units in i32[monitored_units]
    monitored out f64[examples, values]
    summary out i64[examples, summary]
    counts out i32[examples, counted_units]
    kept out i64[populations]
"""

function checked_monitors(net::Network, rows, units, monitored, steps)
    found, used, values = Monitor[], 0, 0
    for k in axes(rows, 2)
        population, array, every, count = rows[:, k]
        p = net.populations[one_of("monitors", population, length(net.populations))]
        one_of("monitors", array, p.states + p.channels + p.columns)
        every > 0 && 0 < count <= length(units) - used || throw(BadArgument("monitors", "a size out of range: $(rows[:, k])"))
        mine = units[used+1:used+count]
        all(i -> 0 <= i < p.units, mine) || throw(BadArgument("monitored_units", "a unit outside 0:$(p.units - 1)"))
        push!(found, Monitor(population, array, every, mine .+ Int32(1), values))
        used += count
        values += count * (steps ÷ every)
    end
    size(monitored, 1) == values || throw(BadArgument("monitored", "expected $values values an example, got $(size(monitored, 1))"))
    return found
end

"Copy the kept spikes of a population, the n-th of those recorded, example after example; `last` drops them all."
function fetch_spikes(::Control, key, population, last, first, step, unit)
    lock(KEPT_SPIKES_LOCK) do
        haskey(KEPT_SPIKES, key) || throw(BadArgument("key", "nothing is kept under $key"))
        recorded = KEPT_SPIKES[key]
        length(first) == length(recorded) + 1 || throw(BadArgument("first", "expected $(length(recorded) + 1) numbers"))
        one_of("population", population, length(recorded[1]))
        length(step) == sum(lists -> length(lists[population][1]), recorded) ||
            throw(BadArgument("step", "expected room for exactly the spikes that were kept"))
        at = 0
        for (example, lists) in enumerate(recorded)
            steps, units = lists[population]
            first[example] = at
            copyto!(step, at + 1, steps, 1, length(steps))
            copyto!(unit, at + 1, units, 1, length(units))
            at += length(steps)
        end
        first[end] = at
        last != 0 && delete!(KEPT_SPIKES, key)
    end
end
@kernel fetch_spikes """
    key in i64
    population in i64
    last in i64
    first out i64[examples_and_one]
    step out i32[spikes]
    unit out i32[spikes]
"""
