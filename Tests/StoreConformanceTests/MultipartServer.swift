import NIOCore
import StoreLayer
import Synchronization

/// An object server in memory: objects of parts, uploads that are visible once they are complete, marks, and faults at
/// chosen calls.
final class MultipartServer: Sendable {
    /// What goes wrong with one call.
    enum Fault: Sendable {
        /// Nothing is done.
        case fails(StoreError.Code)
        /// It is done, and nobody hears of it.
        case losesAnswer(StoreError.Code)
        /// It never answers; nothing is done.
        case hangs
        case takes(Duration)
    }

    struct Object: Sendable {
        var bytes: Chunk
        var tag: String
        var attempt: String
    }

    private struct Upload {
        var key: String
        var attempt: String
        var parts: [Chunk] = []
    }

    private struct State {
        var objects: [String: Object] = [:]
        var uploads: [Int: Upload] = [:]
        var marks: Set<String> = []
        var count = 0
        var calls = 0
        var faults: [Int: Fault] = [:]
        var everyCall: Fault?
    }

    private let state = Mutex(State())
    /// How long a caller waits for an answer.
    let patience: Duration

    init(patience: Duration = .milliseconds(50)) { self.patience = patience }

    // MARK: Faults

    /// Lets a call go wrong, counted from 1 and from now on.
    func plan(_ fault: Fault, atCall number: Int) {
        state.withLock { state in
            state.faults = [number: fault]
            state.calls = 0
        }
    }

    /// Lets all calls go wrong; `nil` none from now on.
    func plan(_ fault: Fault?) {
        state.withLock { state in
            state.faults = [:]
            state.everyCall = fault
        }
    }

    /// How many calls came since the last plan for one of them.
    var calls: Int { state.withLock { $0.calls } }

    /// Everything that is kept.
    var names: [String] {
        state.withLock { state in
            (Array(state.objects.keys) + state.marks.map { "mark \($0)" }
                + state.uploads.values.map { "upload of \($0.key) by \($0.attempt)" }).sorted()
        }
    }

    private func call<Value>(_ change: (inout State) throws(StoreError) -> Value) async throws(StoreError) -> Value {
        let fault = state.withLock { state in
            state.calls += 1
            return state.everyCall ?? state.faults[state.calls]
        }
        switch fault {
        case nil: return try applied(change)
        case .fails(let code): throw StoreError(code, "The server failed")
        case .losesAnswer(let code):
            _ = try applied(change)
            throw StoreError(code, "The server's answer was lost")
        case .hangs:
            // Cancelled or not, nobody gets an answer.
            try? await Task.sleep(for: patience)
            throw StoreError(.timedOut, "The store did not answer in time")
        case .takes(let duration):
            try? await Task.sleep(for: duration)
            return try applied(change)
        }
    }

    private func applied<Value>(_ change: (inout State) throws(StoreError) -> Value) throws(StoreError) -> Value {
        try state.withLock { state throws(StoreError) in try change(&state) }
    }

    // MARK: Calls

    func mark(_ name: String) async throws(StoreError) {
        try await call { state in _ = state.marks.insert(name) }
    }

    func unmark(_ name: String) async throws(StoreError) {
        try await call { state in _ = state.marks.remove(name) }
    }

    func marks() async throws(StoreError) -> [String] {
        try await call { state in state.marks.sorted() }
    }

    func createUpload(_ key: String, attempt: String) async throws(StoreError) -> Int {
        try await call { state in
            state.count += 1
            state.uploads[state.count] = Upload(key: key, attempt: attempt)
            return state.count
        }
    }

    func putPart(_ bytes: Chunk, to upload: Int) async throws(StoreError) {
        try await call { state throws(StoreError) in
            guard state.uploads[upload] != nil else { throw Self.noSuchUpload }
            state.uploads[upload]?.parts.append(bytes)
        }
    }

    /// Makes the object visible, unless there is one of its name.
    func complete(_ upload: Int) async throws(StoreError) -> String {
        try await call { state throws(StoreError) in
            guard let found = state.uploads[upload] else { throw Self.noSuchUpload }
            guard state.objects[found.key] == nil else {
                throw StoreError(.alreadyExists, "Unable to upload duplicate image data")
            }
            var bytes = Chunk()
            for var part in found.parts { bytes.writeBuffer(&part) }
            state.uploads[upload] = nil
            state.objects[found.key] = Object(bytes: bytes, tag: "\(upload)", attempt: found.attempt)
            return "\(upload)"
        }
    }

    /// Ends all uploads of an attempt.
    func abort(_ key: String, attempt: String) async throws(StoreError) {
        try await call { state in
            state.uploads = state.uploads.filter { $1.key != key || $1.attempt != attempt }
        }
    }

    func object(_ key: String) async throws(StoreError) -> Object? {
        try await call { state in state.objects[key] }
    }

    /// - Parameter tag: Of the object meant; any when `nil`.
    func delete(_ key: String, tag: String?) async throws(StoreError) -> Bool {
        try await call { state in
            guard let found = state.objects[key], tag == nil || tag == found.tag else { return false }
            state.objects[key] = nil
            return true
        }
    }

    private static let noSuchUpload = StoreError(.superseded, "The upload lost its right to this image")
}
