import ImageModel
import RegistryContract
import RegistryHTTP
import Testing

/// A write that is going to be cut: what it needs before, the write itself, and what is to be seen after it.
struct FaultyWrite: Sendable, CustomTestStringConvertible {
    /// What the answer and the records say after the write, when it was applied once.
    typealias Look = @Sendable () async throws -> String
    typealias Write = @Sendable () async throws -> Look

    let name: String
    let outcome: String
    let prepare: @Sendable (HTTPRegistryClient) async throws -> Write

    init(
        _ name: String,
        outcome: String,
        prepare: @escaping @Sendable (HTTPRegistryClient) async throws -> Write
    ) {
        self.name = name
        self.outcome = outcome
        self.prepare = prepare
    }

    var testDescription: String { name }

    static let all = [
        FaultyWrite("images.update", outcome: "queued, 1 change, called changed, as answered") { client in
            let image = try await client.call(CreateImage(image: .sample()))
            var changed = image
            changed.name = "changed"
            changed.properties["another"] = "1"
            return { [changed] in
                let answer = try await client.call(UpdateImage(image: changed))
                return {
                    let shown = try await client.call(ShowImage(id: image.id))
                    return "\(shown.told(since: image)), called \(shown.name ?? "-"), \(answer.told(as: shown))"
                }
            }
        },
        FaultyWrite("images.delete", outcome: "1 deletion, notFound") { client in
            let (image, attempt) = try await client.uploading()
            let active = try await client.call(FinishUpload(attempt))
            return {
                let answer = try await client.call(
                    DeleteImage(id: image.id, revision: active.revision, holder: .tester)
                )
                return {
                    let error = await #expect(throws: RegistryError.self) {
                        try await client.call(ShowImage(id: image.id))
                    }
                    return "\(answer.deletions.count) deletion, \(error.map { "\($0.code)" } ?? "shown")"
                }
            }
        },
        FaultyWrite("members.add", outcome: #"["p2 pending"], as answered"#) { client in
            let image = try await client.call(CreateImage(image: .sample()))
            return {
                let answer = try await client.call(AddMember.tester(image))
                return {
                    let members = try await client.call(ListMembers(image: image.id)).members
                    return "\(members.told), \(members == [answer] ? "as answered" : "answered \(answer)")"
                }
            }
        },
        FaultyWrite("members.update", outcome: #"["p2 accepted"], as answered"#) { client in
            let image = try await client.call(CreateImage(image: .sample()))
            _ = try await client.call(AddMember.tester(image))
            return {
                let accept = UpdateMember(
                    Membership(image: image.id, revision: image.revision, member: "p2"),
                    status: .accepted
                )
                let member = Caller(user: "u2", project: "p2", roles: ["member"])
                let answer = try await client.call(accept, as: member, requestID: "req-2")
                return {
                    let members = try await client.call(ListMembers(image: image.id)).members
                    return "\(members.told), \(members == [answer] ? "as answered" : "answered \(answer)")"
                }
            }
        },
        FaultyWrite("members.remove", outcome: "[]") { client in
            let image = try await client.call(CreateImage(image: .sample()))
            _ = try await client.call(AddMember.tester(image))
            return {
                _ = try await client.call(
                    RemoveMember(Membership(image: image.id, revision: image.revision, member: "p2"))
                )
                return { try await client.call(ListMembers(image: image.id)).members.told }
            }
        },
        FaultyWrite("uploads.begin", outcome: "saving, 1 change, 60 s, nothing to settle, held") { client in
            let image = try await client.call(CreateImage(image: .sample()))
            let begin = BeginUpload.tester(image)
            return {
                let claim = try await client.call(begin)
                return {
                    let shown = try await client.call(ShowImage(id: image.id))
                    let held = try await client.call(RenewUploads(holder: .tester, attempts: [begin.attempt])).held
                    let settling = claim.toSettle.isEmpty ? "nothing to settle" : "\(claim.toSettle)"
                    let isHeld = held == [begin.attempt] ? "held" : "lost"
                    return "\(shown.told(since: image)), \(claim.leaseSeconds) s, \(settling), \(isHeld)"
                }
            }
        },
        FaultyWrite("uploads.finish", outcome: "active, 2 changes, 1 location, as answered") { client in
            let (image, attempt) = try await client.uploading()
            return {
                let answer = try await client.call(FinishUpload(attempt))
                return {
                    let shown = try await client.call(ShowImage(id: image.id))
                    return "\(shown.told(since: image)), \(shown.locations.count) location, \(answer.told(as: shown))"
                }
            }
        },
        FaultyWrite("uploads.abort", outcome: "queued, 2 changes, not finished, given up") { client in
            let (image, attempt) = try await client.uploading()
            return {
                let answer = try await client.call(AbortUpload(attempt: attempt, isDiscarded: true))
                return {
                    let shown = try await client.call(ShowImage(id: image.id))
                    let held = try await client.call(RenewUploads(holder: .tester, attempts: [attempt])).held
                    let finished = answer.isFinished ? "finished" : "not finished"
                    return "\(shown.told(since: image)), \(finished), \(held.isEmpty ? "given up" : "held")"
                }
            }
        },
    ]
}

extension Holder {
    fileprivate static let tester = Holder(node: "node", process: "process")
}

extension AddMember {
    fileprivate static func tester(_ image: Image) -> AddMember {
        AddMember(Membership(image: image.id, revision: image.revision, member: "p2"), quota: 128)
    }
}

extension BeginUpload {
    fileprivate static func tester(_ image: Image) -> BeginUpload {
        BeginUpload(
            image: image.id,
            attempt: "attempt-\(image.id)",
            holder: .tester,
            store: nil,
            url: "file:///images/\(image.id)"
        )
    }
}

extension FinishUpload {
    fileprivate init(_ attempt: String) {
        self.init(
            attempt: attempt,
            size: 4,
            checksum: "8d777f385d3dfec8815d20f7496026dc",
            hashAlgorithm: "sha512",
            hashValue: String(repeating: "0", count: 128),
            identity: "1-2-3"
        )
    }
}

extension HTTPRegistryClient {
    /// An image of which an attempt has begun.
    fileprivate func uploading() async throws -> (image: Image, attempt: String) {
        let image = try await call(CreateImage(image: .sample()))
        let begin = BeginUpload.tester(image)
        _ = try await call(begin)
        return (image, begin.attempt)
    }
}

extension Image {
    fileprivate func told(since earlier: Image) -> String {
        let changes = revision - earlier.revision
        return "\(status.rawValue), \(changes) change\(changes == 1 ? "" : "s")"
    }

    fileprivate func told(as shown: Image) -> String { self == shown ? "as answered" : "answered \(self)" }
}

extension [ImageMember] {
    fileprivate var told: String { "\(map { "\($0.member) \($0.status.rawValue)" })" }
}
