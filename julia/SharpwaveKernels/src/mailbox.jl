# How the caller hands over a kernel without waking a thread up: waking one takes tens of microseconds, as long as a small
# job. The thread that owns Julia lingers here for a while after each job and watches a few words of memory.

# The words of a mailbox. LETTER is 1 while a kernel waits to be run, whose function and arguments are the four words after
# it; LEAVE is 1 where the thread is wanted elsewhere; SLEEPING is 1 where a caller waits to be woken; WATCHED is 1 while the
# thread is here. A letter that comes just as it leaves is found by the caller's side of the thread, which sends it back.
# THREAD_CORE and CALLER_CORE are the cores on which the thread and the last caller were seen: two that watch each other on one
# core keep it from each other, so that one of them goes to sleep, and is woken elsewhere.
const LETTER, KERNEL, CONTROL, SLOTS, MESSAGE, LEAVE, SLEEPING, WATCHED, THREAD_CORE, CALLER_CORE = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10

# -2 where it is not known; callers say -1 then.
this_core() = @static Sys.islinux() ? Int64(ccall(:sched_getcpu, Cint, ())) : Int64(-2)

# Never inlined: so that a loop reads the memory again each time.
@noinline word(mailbox::Ptr{Int64}, k::Int) = unsafe_load(mailbox, k)

"""
    linger(mailbox, patience, capacity)

Run the kernels that are put into the mailbox, with room for messages of `capacity` bytes. Return 0 when none has come for
`patience` nanoseconds, or none waits and `LEAVE` is set or the caller is on this core; and 1 when one has ended while a caller
sleeps, whom the thread then has to wake.
"""
function linger(mailbox::Ptr{Int64}, patience::Int64, capacity::Int64)::Int32
    unsafe_store!(mailbox, 1, WATCHED)
    woken = try
        serve(mailbox, patience, capacity)
    catch                           # an interrupt that was sent to Julia: the caller's business
        Int32(0)
    end
    unsafe_store!(mailbox, 0, WATCHED)
    return woken
end

function serve(mailbox::Ptr{Int64}, patience::Int64, capacity::Int64)
    deadline = time_ns() + patience
    while true
        core = this_core()
        unsafe_store!(mailbox, core, THREAD_CORE)
        if word(mailbox, LETTER) == 1
            run_letter(mailbox, capacity)
            word(mailbox, SLEEPING) == 1 && return Int32(1)
            deadline = time_ns() + patience
        elseif word(mailbox, LEAVE) == 1 || word(mailbox, CALLER_CORE) == core || time_ns() > deadline
            return Int32(0)
        end
        # the caller may have been put on the same core; and what shares the core's units should have them
        ccall(:sched_yield, Cint, ())
        for _ in 1:32
            word(mailbox, LETTER) == 1 && break
            ccall(:jl_cpu_pause, Cvoid, ())
        end
        GC.safepoint()
    end
end

function run_letter(mailbox::Ptr{Int64}, capacity::Int64)
    Threads.atomic_fence()          # the words after LETTER are read after it
    kernel, control = Ptr{Cvoid}(word(mailbox, KERNEL)), Ptr{Int64}(word(mailbox, CONTROL))
    slots, message = Ptr{Int64}(word(mailbox, SLOTS)), Ptr{UInt8}(word(mailbox, MESSAGE))
    unsafe_store!(mailbox, 0, LETTER)
    status = ccall(kernel, Int32, (Ptr{Int64}, Ptr{Int64}, Ptr{UInt8}, Int64), control, slots, message, capacity)
    Threads.atomic_fence()          # what the kernel wrote is there before `ended` is; from then on its caller may free it
    unsafe_store!(control, Int64(status) + 1, 4)
    Threads.atomic_fence()          # SLEEPING is read after
    return nothing
end

"The address of `linger` as a C function; compiles it."
linger_pointer() = UInt64(UInt(@cfunction(linger, Int32, (Ptr{Int64}, Int64, Int64))))
