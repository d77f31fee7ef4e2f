# What a running kernel and its caller share: a block of four Int64, written and read while the kernel runs.

"Thrown by a kernel that was asked to stop; its wrapper turns it into a status."
struct Cancelled <: Exception end

"""
    Control(ptr)

A view of the caller's control block: `[cancel, done, total, ended]`. The caller sets `cancel`; the kernel sets `done` and
`total`; who ran the kernel sets `ended`, to one more than its status. Kernels poll `cancelled(control)` every few hundred steps
and on each thread, return early, and call `throw_if_cancelled(control)` once, outside threaded code.
"""
struct Control
    ptr::Ptr{Int64}
end

# Never inlined: so that a loop reads the memory again each time.
@noinline cancelled(c::Control) = unsafe_load(c.ptr, 1) != 0
@noinline progress!(c::Control, done::Integer) = unsafe_store!(c.ptr, Int64(done), 2)
@noinline expect!(c::Control, total::Integer) = unsafe_store!(c.ptr, Int64(total), 3)

throw_if_cancelled(c::Control) = cancelled(c) ? throw(Cancelled()) : nothing
