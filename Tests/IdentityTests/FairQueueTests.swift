import Testing

@testable import Identity

@Suite("A queue of lanes")
struct FairQueueTests {
    @Test("lanes take turns, each in its order")
    func turns() {
        var queue = FairQueue<String, Int>(limit: 10)
        for (lane, element) in [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("c", 5), ("b", 6)] {
            _ = queue.add(element, in: lane)
        }
        var taken: [Int] = []
        while let element = queue.takeFirst() { taken.append(element) }
        #expect(taken == [1, 4, 5, 2, 6, 3])
        #expect(queue.isEmpty)
    }

    @Test("a full queue makes room at the cost of the longest lane, never of a shorter one")
    func displacement() {
        var queue = FairQueue<String, Int>(limit: 4)
        for element in 0..<4 { _ = queue.add(element, in: "flood") }
        guard case .refused = queue.add(9, in: "flood") else { return #expect(Bool(false), "its own lane is longest") }
        guard case .displaced(3) = queue.add(10, in: "a") else { return #expect(Bool(false), "a gets in") }
        guard case .displaced(2) = queue.add(11, in: "b") else { return #expect(Bool(false), "b gets in") }
        guard case .refused = queue.add(12, in: "a") else { return #expect(Bool(false), "a's would be as long") }
        #expect(queue.count == 4)
    }

    @Test("nothing is lost or made up, and the bound holds", arguments: 0..<20)
    func bookkeeping(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ limit: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % limit)
        }
        var queue = FairQueue<Int, Int>(limit: 8)
        var waiting: Set<Int> = []
        for element in 0..<2_000 {
            if random(3) == 0 {
                let taken = queue.takeFirst()
                #expect(taken.map { waiting.remove($0) != nil } ?? waiting.isEmpty, "seed \(seed)")
            } else {
                switch queue.add(element, in: random(5)) {
                case .added: waiting.insert(element)
                case .displaced(let other):
                    #expect(waiting.remove(other) != nil, "seed \(seed)")
                    waiting.insert(element)
                case .refused: #expect(queue.count == 8, "seed \(seed)")
                }
            }
            #expect(queue.count == waiting.count && queue.count <= 8, "seed \(seed)")
        }
    }
}
