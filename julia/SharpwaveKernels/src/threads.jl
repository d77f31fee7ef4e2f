# Threads that go together from step to step.

"How many threads a caller may have who asks for so many; 0: all."
allowed_threads(threads::Integer) = threads > 0 ? min(threads, Threads.nthreads()) : Threads.nthreads()

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
        ccall(:jl_cpu_pause, Cvoid, ())                     # a core may be half of one: leave it to the other thread
        tries > 2000 && ccall(:sched_yield, Cint, ())       # more threads than cores: let the other one go on
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

"""
    share_out(work, room, count, threads)

Do `work(space, job)` for jobs 1 to `count` on at most so many threads (0: all), each of which has a space of its own that `room()`
makes, and takes the next job that is left.
"""
function share_out(work::F, room::R, count::Int, threads::Integer) where {F,R}
    next = Threads.Atomic{Int}(0)
    on_threads(Barrier(max(1, min(allowed_threads(threads), count)))) do _
        space = room()
        while true
            job = Threads.atomic_add!(next, 1) + 1
            job > count && break
            work(space, job)
        end
    end
end
