/// Elements that wait in lanes, and are taken from each lane in turn.
///
/// When there is no more room, the longest lane gives up what came to it last: whoever fills the queue makes room for
/// everybody else.
struct FairQueue<Lane: Hashable, Element> {
    private var lanes: [Lane: [Element]] = [:]
    /// Lanes with elements, the one whose turn it is first.
    private var turns: [Lane] = []
    private(set) var count = 0
    private let limit: Int

    /// What became of an element that was to be added.
    enum Addition {
        case added
        /// It took the place of this one.
        case displaced(Element)
        /// There is no room, and no lane is longer than its own would be.
        case refused
    }

    init(limit: Int) {
        precondition(limit > 0)
        self.limit = limit
    }

    var isEmpty: Bool { count == 0 }

    mutating func add(_ element: Element, in lane: Lane) -> Addition {
        guard count >= limit else {
            append(element, lane)
            return .added
        }
        let longest = turns.max { lanes[$0, default: []].count < lanes[$1, default: []].count }
        guard let longest, lanes[longest, default: []].count > lanes[lane, default: []].count + 1 else {
            return .refused
        }
        // It has two elements or more, so it stays a lane.
        let displaced = lanes[longest, default: []].removeLast()
        count -= 1
        append(element, lane)
        return .displaced(displaced)
    }

    mutating func takeFirst() -> Element? {
        guard !turns.isEmpty else { return nil }
        let lane = turns.removeFirst()
        let element = lanes[lane, default: []].removeFirst()
        count -= 1
        if lanes[lane]?.isEmpty == true { lanes[lane] = nil } else { turns.append(lane) }
        return element
    }

    private mutating func append(_ element: Element, _ lane: Lane) {
        if lanes[lane] == nil { turns.append(lane) }
        lanes[lane, default: []].append(element)
        count += 1
    }
}
