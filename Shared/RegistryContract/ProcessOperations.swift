public import WireJSON

/// `uploads.processes`: which other processes of this node hold something: an upload that is no session's, deletions that
/// they are at, copies that they verify. Whoever finds that one of them lives no more gives up what it held
/// (``ReleaseUploads``), so that nobody waits for its leases.
public struct ListProcesses: RegistryOperation {
    public typealias Response = HoldingProcesses
    public static let name = "uploads.processes"
    public static let effect = RegistryEffect.reads

    /// Who asks, and is not listed.
    public var holder: Holder

    public init(holder: Holder) { self.holder = holder }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("holder")
            holder.write(to: &writer)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) { holder = try JSONMembers(json).value("holder") }
}

public struct HoldingProcesses: WireCodable, Equatable {
    /// At most ``limit`` of them: there are more once these are released.
    public var processes: [String]

    public static let limit: Int64 = 100

    public init(processes: [String]) { self.processes = processes }

    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("processes", strings: processes) }
    }

    public init(json: JSONValue) throws(JSONShapeError) { processes = try JSONMembers(json).strings("processes") }
}

/// `uploads.release`: gives up what processes of a node held that live no more.
public struct ReleaseUploads: RegistryOperation {
    public typealias Response = Done
    public static let name = "uploads.release"
    public static let effect = RegistryEffect.repeatable

    /// Who says so.
    public var holder: Holder
    /// Of the same node. The first release named none and meant all but its own, some of which might live: what they held is
    /// waited for.
    public var ended: [String]

    public init(holder: Holder, ended: [String]) {
        self.holder = holder
        self.ended = ended
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("holder")
            holder.write(to: &writer)
            writer.field("ended", strings: ended)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        holder = try members.value("holder")
        ended = members.object["ended"] == nil ? [] : try members.strings("ended")
    }
}
