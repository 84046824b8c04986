/// One run of one load against one service.
struct Measurement {
    var tally: Tally
    /// From the first request's start to the last one's end.
    var seconds: Double
    var clientCPUSeconds: Double
    /// The rest is `nil` unless processes were named.
    var serviceCPUSeconds: Double?
    /// Largest sum of resident sets that a sample saw.
    var sampledByteCount: Int?
    /// Sum of `VmHWM`: since the processes started, not since the run did.
    var peakByteCount: Int?
    /// Sum of proportional sets at the end of the run.
    var proportionalByteCount: Int?
    /// Microseconds per request by part, as the service tells; `nil` if it does not (``RequestTimes``).
    var requestTimes: [String: Double]?
}
