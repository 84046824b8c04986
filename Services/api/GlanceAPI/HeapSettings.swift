internal import CMalloc

/// How the C library treats memory that is given back, for a process through which data flows in buffers of some hundred
/// KiB. By default it returns such buffers to the system at once, which then clears the same pages again and again: a tenth
/// of what an upload costs.
enum HeapSettings {
    /// To be called once, before anything is served.
    static func keepBuffers() {
        // What is longer has pages of its own. Setting it also stops the library from moving it.
        mallopt(M_MMAP_THRESHOLD, 1 << 20)
        // What each of the library's heaps keeps; buffers are bounded by their own budgets.
        mallopt(M_TRIM_THRESHOLD, 16 << 20)
    }
}
