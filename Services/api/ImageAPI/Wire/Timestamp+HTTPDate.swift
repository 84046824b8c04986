internal import ImageModel

extension Timestamp {
    /// As HTTP writes dates (RFC 9110 §5.6.7, IMF-fixdate): `Sun, 06 Nov 1994 08:49:37 GMT`. From 1970 on.
    var httpDate: String {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let civil = civil
        func digits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let weekday = days[Int(microseconds / 86_400_000_000) % 7]
        return "\(weekday), \(digits(civil.day)) \(months[civil.month - 1]) \(civil.year) "
            + "\(digits(civil.hour)):\(digits(civil.minute)):\(digits(civil.second)) GMT"
    }
}
