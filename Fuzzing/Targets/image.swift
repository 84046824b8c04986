import ImageFormats

/// An image of so many sectors, of which the input has some: two bytes of the sector's number, and its 512 bytes. What is
/// left over, if two bytes, says how much of the last sector is missing. What the image is does not depend on how it comes,
/// and whatever it is said to be is accepted or refused; refused where it is unsafe.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: data, count: count)
    var image: [UInt8] = []
    for start in stride(from: 0, to: count - 513, by: 514) {
        let sector = (Int(input[start]) | Int(input[start + 1]) << 8) & 1023
        let end = (sector + 1) * 512
        if image.count < end { image.append(contentsOf: repeatElement(0, count: end - image.count)) }
        for index in 0..<512 { image[sector * 512 + index] = input[start + 2 + index] }
    }
    let rest = count % 514
    if rest >= 2 {
        image.removeLast(min(image.count, (Int(input[count - rest]) | Int(input[count - rest + 1]) << 8) & 511))
    }
    let whole = inspection(of: image, pieceByteCount: max(1, image.count))
    precondition(whole == inspection(of: image, pieceByteCount: 4_099))
    let isUnsafe = whole.findings.flatMap(\.violations).contains { $0.check != .mbr && $0.check != .gptmbr }
    for format in ["raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso", "ploop", "ami", "luks", "qed", "nonsense"] {
        for rules in [FormatRules(), FormatRules(requiresMatch: false, toleratedChecks: ["mbr", "gptmbr"])] {
            // To be refused is as good as to be accepted, but for what is unsafe.
            let verdict = try? whole.judge(claimed: format, by: rules)
            precondition(verdict == nil || !isUnsafe)
        }
    }
    return 0
}

private func inspection(of image: [UInt8], pieceByteCount: Int) -> Inspection {
    var inspector = ImageInspector()
    image.withUnsafeBytes { bytes in
        for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
            inspector.update(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + pieceByteCount, bytes.count)]))
        }
    }
    return inspector.finish()
}
