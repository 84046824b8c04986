internal import Glibc

/// A moment in the local time of the machine, as oslo.log shows it.
package struct LogTime: Sendable {
    package var secondsSince1970: Double { Double(seconds) + Double(milliseconds) / 1000 }
    private let seconds: Int
    private let milliseconds: Int

    package init(seconds: Int, milliseconds: Int) {
        self.seconds = seconds
        self.milliseconds = milliseconds
    }

    package static var now: LogTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return LogTime(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// `2026-11-21 06:30:00.123`, with a separator of choice between date and time.
    package func text(separator: Unicode.Scalar) -> String {
        var instant = time_t(seconds)
        var local = tm()
        localtime_r(&instant, &local)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(23)
        bytes.append(local.tm_year + 1900, digits: 4)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(local.tm_mon + 1, digits: 2)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(local.tm_mday, digits: 2)
        bytes.append(UInt8(ascii: separator))
        bytes.append(local.tm_hour, digits: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(local.tm_min, digits: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(local.tm_sec, digits: 2)
        bytes.append(UInt8(ascii: "."))
        bytes.append(Int32(milliseconds), digits: 3)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ value: Int32, digits: Int) {
        let text = String(value)
        append(contentsOf: repeatElement(UInt8(ascii: "0"), count: Swift.max(0, digits - text.utf8.count)))
        append(contentsOf: text.utf8)
    }
}
