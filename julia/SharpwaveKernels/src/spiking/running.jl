# A set of examples on all threads. Without learning every example is on its own; with it, a batch goes from step to step together.

"Where threads wait for each other. A thread that fails says so, and none waits for it."
struct Barrier
    threads::Int
    arrived::Threads.Atomic{Int}
    round::Threads.Atomic{Int}
    failed::Threads.Atomic{Bool}
end
Barrier(threads::Int) = Barrier(threads, Threads.Atomic{Int}(0), Threads.Atomic{Int}(0), Threads.Atomic{Bool}(false))

struct OtherFailed <: Exception end

function wait_until(condition::F, failed::Threads.Atomic{Bool}) where {F}
    tries = 0
    while !condition()
        failed[] && throw(OtherFailed())
        tries += 1
        GC.safepoint()
        tries > 2000 && Libc.systemsleep(0.0)
    end
end

function meet!(b::Barrier)
    b.threads == 1 && return
    round = b.round[]
    if Threads.atomic_add!(b.arrived, 1) == b.threads - 1
        b.arrived[] = 0
        b.round[] = round + 1
    else
        wait_until(() -> b.round[] != round, b.failed)
    end
end

"Run a function of its number on each of some threads; the first real failure is thrown."
function on_threads(work::F, barrier::Barrier) where {F}
    barrier.threads == 1 && return work(1)
    failures = Vector{Any}(nothing, barrier.threads)
    @sync for thread in 1:barrier.threads
        Threads.@spawn try
            work(thread)
        catch e
            failures[thread] = e
            barrier.failed[] = true
        end
    end
    real = filter(e -> e !== nothing && !(e isa OtherFailed), failures)
    isempty(real) || throw(first(real))
    return nothing
end

"What an example leaves: spikes of the recorded populations, as steps and units from 0."
const Recorded = Vector{Tuple{Vector{Int32},Vector{Int32}}}

"How examples are presented: in batches; again, with rates times the next scale, while fewer spikes than wanted come of it."
struct Presentation
    batch::Int
    wanted_spikes::Int
    watched::Int                    # the population whose spikes are counted for that
    scales::Vector{Float64}
end

"Spikes by population, presentations, whether the states are finite; counts of the counted units; recorded spikes."
struct Outcome
    summary::Matrix{Int64}
    counts::Matrix{Int32}
    counted::Vector{Int}
    recorded::Vector{Recorded}
end

function finish!(o::Outcome, r::Run, lane::Lane, presentations::Int)
    column = lane.example - r.first_example + 1
    at = 0
    for k in o.counted
        layer = lane.layers[k]
        for i in layer.active
            o.counts[at+i, column] = layer.counts[i]
        end
        at += length(layer.last)
    end
    finite = true
    for (k, layer) in enumerate(lane.layers)
        total = 0
        for i in layer.active
            total += layer.counts[i]
        end
        o.summary[k, column] = total
        finite &= all(isfinite, layer.values)
    end
    o.summary[end-1, column] = presentations
    o.summary[end, column] = finite
    o.recorded[column] = [(copy(layer.recorded_steps), copy(layer.recorded_units)) for (k, layer) in enumerate(lane.layers) if r.recorded[k]]
end

few_spikes(p::Presentation, lane::Lane) = p.wanted_spikes > 0 && sum(view(lane.layers[p.watched].counts, lane.layers[p.watched].active)) <
                                                                p.wanted_spikes

"Examples one by one, each thread taking the next."
function run_alone!(o::Outcome, r::Run, p::Presentation, barrier::Barrier)
    next, done = Threads.Atomic{Int}(0), Threads.Atomic{Int}(0)
    on_threads(barrier) do _
        lane = Lane(r.net, r.steps, r.columns)
        while true
            example = Threads.atomic_add!(next, 1)
            (example >= r.examples || cancelled(r.control)) && break
            lane.example = r.first_example + example
            presentations = 0
            while true
                clear!(lane, r)
                encode!(lane.inputs, r, lane.example, presentations, p.scales[presentations+1])
                presentations += 1
                for step in 1:r.steps
                    advance!(r, lane, step)
                    step % 64 == 0 && cancelled(r.control) && break
                end
                (cancelled(r.control) || presentations == length(p.scales) || !few_spikes(p, lane)) && break
            end
            cancelled(r.control) && break
            finish!(o, r, lane, presentations)
            progress!(r.control, Threads.atomic_add!(done, 1) + 1)
        end
    end
end

"""
Batches one by one. In every step each thread advances its examples, then all threads learn, each its share of the weights;
currents of a step therefore come from weights after the last step's change.
"""
function run_learning!(o::Outcome, r::Run, p::Presentation, barrier::Barrier)
    lanes = [Lane(r.net, r.steps, r.columns) for _ in 1:min(p.batch, r.examples)]
    stop = Threads.Atomic{Bool}(false)
    on_threads(barrier) do thread
        threads = barrier.threads
        spaces = [Workspace(r.net, c) for c in r.net.connections]
        present = Int[]
        for first in 0:p.batch:r.examples-1
            size = min(p.batch, r.examples - first)
            resize!(present, size) .= 1:size
            for n in thread:threads:size
                lanes[n].example = r.first_example + first + n - 1
            end
            for (presentation, scale) in enumerate(p.scales)
                present_batch!(r, lanes, present, spaces, presentation - 1, scale, thread, barrier, stop)
                stop[] && return
                last = presentation == length(p.scales)
                for k in thread:threads:length(present)
                    lane = lanes[present[k]]
                    (last || !few_spikes(p, lane)) && finish!(o, r, lane, presentation)
                end
                filter!(n -> few_spikes(p, lanes[n]), present)
                meet!(barrier)
                isempty(present) && break
            end
            thread == 1 && progress!(r.control, first + size)
        end
    end
end

function present_batch!(r::Run, lanes, present, spaces, presentation::Int, scale::Float64, thread::Int, barrier::Barrier, stop)
    threads = barrier.threads
    for k in thread:threads:length(present)
        lane = lanes[present[k]]
        clear!(lane, r)
        encode!(lane.inputs, r, lane.example, presentation, scale)
    end
    for step in 1:r.steps
        for k in thread:threads:length(present)
            advance!(r, lanes[present[k]], step)
        end
        thread == 1 && cancelled(r.control) && (stop[] = true)
        meet!(barrier)
        stop[] && return
        learn!(r, lanes, present, spaces, step, thread, threads)
        meet!(barrier)
    end
    settle!(r, lanes, present, spaces, thread, threads)
    meet!(barrier)
end
